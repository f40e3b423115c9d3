"""The pure heart of a pushed session: its table, and what it makes of each way in which a turn can end."""

from pathlib import Path
from typing import get_args

import pytest

from blade_agent.main_board.director.sessions.effects import (
    BeginTurn,
    CeaseTurn,
    Count,
    Fact,
    GetReady,
    NameNext,
    RedirectConsole,
    RefuseNext,
    SeekEngine,
    SettleTurn,
    TurnAway,
    TurnTaken,
    WakeAt,
)
from blade_agent.main_board.director.sessions.events import (
    ConsoleHeard,
    EngineFound,
    EngineLost,
    GaveUp,
    GotReady,
    LookedRound,
    NextAsked,
    NobodyFound,
    NotReady,
    PlayAsked,
    SenderReported,
    SenderUnnamed,
    Silence,
    StartAnswered,
    Superseded,
    TurnAssumed,
    TurnSettled,
    TurnStopped,
    Woken,
)
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from blade_agent.main_board.director.sessions.states import (
    AnyState,
    Doubting,
    Ended,
    Left,
    Opening,
    Redirected,
    Seeking,
    SettlingNext,
    SettlingSender,
    SettlingStart,
    Starting,
    Streaming,
)
from blade_agent.main_board.director.sessions.table import EVENTS, TABLE, diagram
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Ceased, StopCause
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    LEASE_S,
    PACKETS_PER_S,
    cursor_of,
    engine_address,
    program_of,
)

DOCUMENT = Path(__file__).parents[5] / "docs" / "protocols" / "streams.md"
PROGRAM = program_of(segments=3, packets=60_000)
PATIENCE_S = 6.0
PAUSE_S = 1800.0
STATES = set(get_args(AnyState))


def test_the_table_is_total():
    assert set(TABLE) == STATES
    assert all(set(row) == set(EVENTS) for row in TABLE.values())


def test_every_state_can_be_reached_and_only_the_end_and_a_later_director_are_for_good():
    reached, frontier = {Opening}, {Opening}
    while frontier:
        frontier = {after for state in frontier for ways in TABLE[state].values() for after in ways} - reached
        reached |= frontier
    assert reached == STATES
    final = {state for state, row in TABLE.items() if set().union(*row.values()) == {state}}
    assert final == {Ended, Left}


def test_the_document_shows_the_diagram_of_this_table():
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text()


def test_the_diagram_shows_every_change_of_state():
    arrows = {tuple(line.split(":")[0].split(" --> ")) for line in diagram().splitlines() if " --> " in line}
    changes = {
        (state.__name__, after.__name__)
        for state, row in TABLE.items()
        for ways in row.values()
        for after in ways
        if after is not state
    }
    assert {(before.strip(), after.strip()) for before, after in arrows} == changes | {
        ("[*]", "Opening"),
        ("Ended", "[*]"),
    }


class Desk:
    """A session that is told what happens; engines are found in the order of their slots."""

    def __init__(self):
        terms = SessionTerms(
            session="s", program=PROGRAM, console=CONSOLE, patience_s=PATIENCE_S, lease_s=LEASE_S, pause_s=PAUSE_S
        )
        self.session, self.now = Session(terms, 0.0), 0.0
        self.slots = iter(range(2, 30))

    def on(self, event):
        effects = []
        for effect in self.session.on(event, self.now):
            if isinstance(effect, SeekEngine):
                slot = next(self.slots, None)
                found = (
                    NobodyFound(sought=effect.sought, refused=Refused(Reason.NO_ENGINE))
                    if slot is None
                    else EngineFound(sought=effect.sought, engine=engine_address(slot), boot="boot")
                )
                effects += self.on(found)
            else:
                effects.append(effect)
        return effects

    @property
    def state(self):
        return self.session.state

    def streaming(self):
        self.on(PlayAsked())
        self.on(GotReady(1))
        self.on(TurnAssumed(turn=1, packet=0))
        assert isinstance(self.state, Streaming)
        return self

    def asked(self, question=0, turn=1, segment=0, packet=None, failed=(), doubtful=None):
        return self.on(
            NextAsked(
                question=question,
                turn=turn,
                number=question,
                segment=segment,
                packet=packet,
                failed=frozenset(failed),
                doubtful=doubtful,
            )
        )

    def nobody_is_there(self):
        self.slots = iter(())
        return self


def test_a_console_is_redirected_to_the_first_engine_that_gets_ready():
    desk = Desk()
    assert desk.on(PlayAsked()) == [GetReady(turn=desk.state.offered, redirected=True)]
    (effect,) = desk.on(NotReady(1))
    assert (effect.turn.number, effect.turn.engine) == (2, engine_address(3))
    assert desk.on(GotReady(1)) == []  # too late
    assert desk.on(GotReady(2)) == [RedirectConsole(effect.turn)]
    assert desk.state == Redirected(offered=effect.turn)


def test_a_console_for_which_nobody_is_there_is_turned_away():
    desk = Desk().nobody_is_there()
    assert desk.on(PlayAsked()) == [TurnAway(Refused(Reason.NO_ENGINE))]
    assert isinstance(desk.state, Ended)


def test_a_session_whose_console_went_away_while_it_opened_ends():
    desk = Desk()
    desk.on(PlayAsked())
    desk.now = PATIENCE_S + 1
    effects = desk.on(LookedRound())
    assert [type(effect) for effect in effects] == [CeaseTurn, TurnAway, Count]
    assert isinstance(desk.state, Ended)
    assert desk.on(GotReady(1)) == []


def test_a_question_is_answered_with_the_same_offer_again():
    desk = Desk().streaming()
    (first,) = desk.asked(0)
    (second,) = desk.asked(1)
    assert isinstance(first, NameNext)
    assert first.next == second.next == desk.state.next
    assert (first.asked.question, second.asked.question) == (0, 1)


def test_questions_asked_while_an_offer_is_settled_are_answered_when_it_is():
    desk = Desk().streaming()
    (named,) = desk.asked(0)
    doubtful = str(named.next.engine)
    assert desk.asked(1, doubtful=doubtful) == [SettleTurn(named.next)]
    assert desk.asked(2) == []
    assert isinstance(desk.state, Doubting)
    assert desk.on(TurnAssumed(turn=named.next.number)) == []  # withdrawn
    answers = desk.on(TurnSettled(turn=2, answer=Ceased("boot", None)))
    assert [(type(answer), answer.asked.question, answer.next.number) for answer in answers] == [
        (NameNext, 1, 3),
        (NameNext, 2, 3),
    ]


def settled(answer, *, sender=True, elapsed_s=2.0):
    """Where a stream goes on after its sender, or one that only was offered the turn, was told to cease."""
    desk = Desk().streaming()
    if sender:
        desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=False))
        assert isinstance(desk.state, SettlingSender)
    else:
        desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=False))
        desk.on(TurnSettled(turn=1, answer=Ceased("boot", cursor_of("s", 1, 0, 500))))
        desk.on(GotReady(2))
        desk.on(StartAnswered(turn=2, outcome=StartOutcome.DOUBTFUL))
        assert isinstance(desk.state, SettlingStart)
    turn = desk.state.settling
    desk.now = elapsed_s
    desk.on(TurnSettled(turn=turn.number, answer=answer))
    next_turn = desk.state.next
    return (next_turn.segment, next_turn.packet)


def test_an_engine_that_sent_tells_how_far_it_got():
    assert settled(Ceased("boot", cursor_of("s", 1, 0, 1234))) == (0, 1234)


def test_at_the_end_of_its_segment_the_next_one_follows():
    assert settled(Ceased("boot", cursor_of("s", 1, 0, 60_000))) == (1, 0)


def test_an_engine_that_never_sent_leaves_the_turn_where_it_began():
    assert settled(Ceased("boot", None), sender=False) == (0, 500)


def test_a_sender_that_has_forgotten_is_not_believed_to_have_sent_nothing():
    assert settled(Ceased("boot", None)) > (0, 2 * PACKETS_PER_S)


@pytest.mark.parametrize("answer", [Silence(), Ceased("later boot", None)])
@pytest.mark.parametrize("sender", [True, False])
def test_who_does_not_know_or_answer_has_sent_as_much_as_can_be(answer, sender):
    begun = 0 if sender else 500
    position = settled(answer, sender=sender)
    assert (0, begun + 2 * PACKETS_PER_S) < position < (0, begun + 3 * PACKETS_PER_S)


LATE_S = 3.0
"""So late a question comes that was asked in the middle of a segment."""


@pytest.mark.parametrize("begun", [None, 2 * PACKETS_PER_S])
def test_what_was_handed_over_in_the_middle_has_begun_as_far_on_as_its_sender_had_got_and_not_where_it_asked(begun):
    desk = Desk().streaming()
    desk.now = LATE_S
    (named,) = desk.asked(packet=100)
    assert (named.next.segment, named.next.packet) == (0, 100)
    # It was cut further on, where nobody knew yet; or the engine that took over has said where.
    desk.on(TurnAssumed(turn=named.next.number, packet=begun))
    desk.on(EngineLost(engine=named.next.engine, boot="boot", gone=True))
    desk.now += 1.0
    desk.on(TurnSettled(turn=named.next.number, answer=Silence()))
    at_least = LATE_S * PACKETS_PER_S if begun is None else begun
    assert (0, at_least + PACKETS_PER_S) < desk.state.next.at(PROGRAM) < (0, at_least + 2 * PACKETS_PER_S)


def test_another_director_ends_what_this_one_knows_of_it():
    desk = Desk().streaming()
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=False))
    assert desk.on(TurnSettled(turn=1, answer=Superseded())) == [Count(Fact.ENDED)]


def test_what_a_later_director_resumes_this_one_leaves():
    desk = Desk().streaming()
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=False))
    assert desk.on(GaveUp()) == []
    assert desk.on(TurnSettled(turn=1, answer=Silence())) == []
    assert isinstance(desk.state, Left)


def test_the_next_engine_is_settled_too_when_the_sender_is_lost():
    desk = Desk().streaming()
    (named,) = desk.asked()
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=True))
    assert desk.on(TurnSettled(turn=1, answer=Ceased("boot", cursor_of("s", 1, 0, 60_000)))) == [SettleTurn(named.next)]
    assert isinstance(desk.state, SettlingNext)
    taken, ready = desk.on(TurnSettled(turn=2, answer=Ceased("boot", cursor_of("s", 2, 1, 70))))
    assert taken == TurnTaken(turn=named.next, packet=0)  # its console is told of it all the same
    assert (ready.turn.segment, ready.turn.packet) == (1, 70)


def test_an_engine_that_was_handed_to_unheard_ends_the_resuming():
    desk = Desk().streaming()
    (named,) = desk.asked()
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=True))
    effects = desk.on(TurnAssumed(turn=2, packet=0))
    assert effects == [TurnTaken(turn=named.next, packet=0), Count(Fact.HANDED_OVER)]
    assert desk.session.sends(2)
    assert desk.on(TurnSettled(turn=1, answer=Silence())) == []


def test_who_is_sought_in_vain_is_sought_again():
    desk = Desk().streaming().nobody_is_there()
    stop = TurnStopped(turn=1, cause=StopCause.FAILED, segment=0, packet=777)
    assert desk.on(stop) == [Count(Fact.SENDER_LOST), WakeAt(0.25)]
    assert desk.state == Seeking(lost=desk.state.lost, position=(0, 777))
    desk.slots, desk.now = iter([9]), 0.25
    (ready,) = desk.on(Woken())
    assert (ready.turn.engine, ready.turn.packet) == (engine_address(9), 777)
    assert desk.on(GotReady(2)) == [BeginTurn(ready.turn)]
    assert isinstance(desk.state, Starting)
    assert desk.on(StartAnswered(turn=2, outcome=StartOutcome.TAKEN)) == [
        TurnTaken(turn=ready.turn, packet=777),
        Count(Fact.RESUMED),
    ]


def test_a_mark_counts_for_the_turn_that_is_sent_and_no_other():
    desk = Desk().streaming()
    desk.on(SenderReported(Mark(turn=7, segment=0, packet=9, until=0.0)))
    desk.on(SenderReported(Mark(turn=1, segment=0, packet=1000, until=1.0)))
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=False))
    desk.now = 1.0
    (ready,) = desk.on(TurnSettled(turn=1, answer=Silence()))
    assert (0, 1000) <= (ready.turn.segment, ready.turn.packet) < (0, 1100)


def test_a_question_of_a_session_that_ended_or_resumes_is_refused():
    desk = Desk().streaming()
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=False))
    (refused,) = desk.asked()
    assert (type(refused), refused.refused.reason) == (RefuseNext, Reason.ASSUMED)
    desk.now = PATIENCE_S + 1
    desk.on(LookedRound())
    (refused,) = desk.asked()
    assert refused.refused.reason is Reason.UNKNOWN_SESSION


def test_a_turn_that_was_withdrawn_is_not_assumed_when_the_sender_is_lost():
    desk = Desk().streaming()
    (named,) = desk.asked(0)
    desk.asked(1, doubtful=str(named.next.engine))
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=True))
    assert desk.on(TurnAssumed(turn=2, packet=0)) == []
    settled_sender = desk.on(TurnSettled(turn=1, answer=Ceased("boot", cursor_of("s", 1, 0, 60_000))))
    assert settled_sender == [SettleTurn(named.next)]


def test_where_an_earlier_turn_stood_says_nothing_of_the_one_that_was_to_cease():
    # The engine of turn 2 still has turn 1 of the same stream, and has sent all of it.
    assert settled(Ceased("boot", cursor_of("s", 1, 0, 60_000)), sender=False) == (0, 500)


def test_a_question_that_comes_late_withdraws_nothing():
    desk = Desk().streaming()
    desk.asked(1)
    (within,) = desk.asked(2, packet=700)
    (late,) = desk.asked(1)
    assert type(late) is RefuseNext
    assert desk.state.next == within.next


def test_a_sender_whose_engine_does_not_name_it_is_lost_once_it_must_have_heard():
    desk = Desk().streaming()
    desk.now = 1.0
    assert desk.on(SenderUnnamed(next_answers=True, sent_at=None)) == []
    assert desk.on(SenderUnnamed(next_answers=True, sent_at=-0.1)) == []
    assert Count(Fact.SENDER_LOST) in desk.on(SenderUnnamed(next_answers=True, sent_at=0.5))


def test_a_sender_that_has_handed_over_to_one_that_says_nothing_is_lost_after_a_lease():
    desk = Desk().streaming()
    desk.asked()
    desk.now = 1.0
    assert desk.on(SenderUnnamed(next_answers=True, sent_at=0.9)) == []
    desk.now = 1.1 + LEASE_S
    assert Count(Fact.SENDER_LOST) in desk.on(SenderUnnamed(next_answers=True, sent_at=desk.now))


def test_a_console_that_never_asks_the_engine_it_was_redirected_to_loses_its_session():
    desk = Desk()
    desk.on(PlayAsked())
    desk.on(GotReady(1))
    for second in range(1, 20):
        desk.now = float(second)
        desk.on(ConsoleHeard())
        desk.on(LookedRound())
    assert isinstance(desk.state, Ended)
