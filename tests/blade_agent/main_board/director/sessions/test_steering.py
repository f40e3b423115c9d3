"""What a console wants of its stream, in every state that it may be in: a pause, to go on, another place, the end."""

import pytest

from blade_agent.main_board.director.sessions.aim import Aim
from blade_agent.main_board.director.sessions.charge import charges_of
from blade_agent.main_board.director.sessions.effects import (
    BeginTurn,
    CeaseTurn,
    Count,
    Fact,
    GetReady,
    RefuseNext,
    SettleTurn,
    TurnTaken,
)
from blade_agent.main_board.director.sessions.events import (
    ConsoleHeard,
    EndAsked,
    EngineLost,
    GaveUp,
    GotReady,
    LookedRound,
    PauseAsked,
    PlayAsked,
    ResumeAsked,
    SeekAsked,
    SenderReported,
    Silence,
    StartAnswered,
    TurnAssumed,
    TurnSettled,
    TurnStopped,
)
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.states import (
    Doubting,
    Ended,
    Left,
    Paused,
    Readying,
    Redirected,
    SettlingNext,
    SettlingSender,
    SettlingStart,
    Starting,
    Streaming,
)
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Ceased, StopCause
from media_network.messages.watching import SessionState
from media_network.refusal import Reason
from tests.blade_agent.main_board.director.sessions.test_session import PAUSE_S, PROGRAM, Desk
from tests.blade_agent.main_board.director.stage import cursor_of, engine_address

END = (len(PROGRAM.segments), 0)


def ceased_at(turn, segment, packet):
    return TurnSettled(turn=turn, answer=Ceased("boot", cursor_of("s", turn, segment, packet)))


def paused(packet=1234):
    desk = Desk().streaming()
    desk.on(PauseAsked())
    desk.on(ceased_at(1, 0, packet))
    assert isinstance(desk.state, Paused)
    return desk


def starting_after(desk):
    """Go on until an engine is directed to start."""
    (ready,) = [effect for effect in desk.on(ResumeAsked()) if isinstance(effect, GetReady)]
    assert desk.on(GotReady(ready.turn.number)) == [BeginTurn(ready.turn)]
    return ready.turn


def test_a_pause_waits_for_the_sender_to_say_where_it_stopped():
    desk = Desk().streaming()
    sender = desk.state.holder
    assert desk.on(PauseAsked()) == [SettleTurn(sender)]
    assert desk.state == SettlingSender(lost=sender, aim=Aim(paused=True, scale=1, ordered=True))
    assert desk.on(PauseAsked()) == []
    assert desk.on(ceased_at(1, 0, 1234)) == [Count(Fact.PAUSED)]
    assert desk.state == Paused(last=sender, position=(0, 1234), left=None, since=0.0)


def test_a_paused_session_is_at_no_engine():
    desk = paused()
    assert (desk.state.shown, desk.state.turns, desk.state.sender) == (SessionState.PAUSED, (), None)
    assert charges_of(desk.state, PROGRAM) == ()
    assert desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=True)) == []
    assert desk.on(TurnAssumed(turn=1, packet=0)) == []
    assert desk.on(TurnStopped(turn=1, cause=StopCause.FAILED, segment=0, packet=1234)) == []
    (refused,) = desk.asked()
    assert (type(refused), refused.refused.reason) == (RefuseNext, Reason.STALE_TURN)
    assert not desk.session.may_have_gone_on_in(7)


def test_it_goes_on_with_the_very_packet_that_would_have_come_next():
    desk = paused(1234)
    turn = starting_after(desk)
    assert (turn.number, turn.segment, turn.packet, turn.left) == (2, 0, 1234, None)
    assert desk.on(StartAnswered(turn=2, outcome=StartOutcome.TAKEN)) == [
        TurnTaken(turn=turn, packet=1234),
        Count(Fact.WENT_ON),
    ]
    assert isinstance(desk.state, Streaming)


def test_a_pause_at_the_end_of_a_segment_goes_on_with_the_next_one_and_at_that_of_the_program_is_the_end():
    turn = starting_after(paused(60_000))
    assert (turn.segment, turn.packet) == (1, 0)
    desk = Desk().streaming()
    desk.on(PauseAsked())
    assert desk.on(ceased_at(1, 2, 60_000)) == [Count(Fact.ENDED)]


def test_who_was_named_as_the_next_one_is_settled_too_and_does_not_begin():
    desk = Desk().streaming()
    (named,) = desk.asked()
    desk.on(PauseAsked())
    assert desk.on(TurnAssumed(turn=2, packet=0)) == []  # withdrawn
    assert desk.on(ceased_at(1, 0, 60_000)) == [SettleTurn(named.next)]
    assert isinstance(desk.state, SettlingNext)
    assert desk.on(ceased_at(2, 1, 70)) == [TurnTaken(turn=named.next, packet=0), Count(Fact.PAUSED)]
    assert desk.state.position == (1, 70)


def test_questions_that_wait_are_answered_when_the_console_pauses():
    desk = Desk().streaming()
    (named,) = desk.asked(0)
    desk.asked(1, doubtful=str(named.next.engine))
    assert isinstance(desk.state, Doubting)
    refused, settle = desk.on(PauseAsked())
    assert (refused.asked.question, refused.refused.reason) == (1, Reason.ASSUMED)
    assert settle == SettleTurn(desk.state.lost)
    assert desk.state.withdrawn == named.next


def test_a_pause_while_a_lost_sender_is_settled_holds_wherever_the_stream_turns_up():
    desk = Desk().streaming()
    (named,) = desk.asked()
    desk.on(EngineLost(engine=engine_address(2), boot="boot", gone=True))
    assert desk.on(PauseAsked()) == []
    effects = desk.on(TurnAssumed(turn=2, packet=0))
    assert effects == [TurnTaken(turn=named.next, packet=0), Count(Fact.HANDED_OVER), SettleTurn(named.next)]
    desk.on(ceased_at(2, 1, 5))
    assert desk.state.position == (1, 5)


def test_a_pause_that_is_taken_back_in_time_is_none():
    desk = Desk().streaming()
    desk.on(PauseAsked())
    assert desk.on(ResumeAsked()) == []
    (ready,) = desk.on(ceased_at(1, 0, 50))
    assert (ready.turn.segment, ready.turn.packet) == (0, 50)
    assert isinstance(desk.state, Readying)


def test_who_was_getting_ready_is_told_to_cease_and_who_was_told_to_start_is_settled():
    desk = paused(50)
    (ready,) = desk.on(ResumeAsked())
    assert desk.on(PauseAsked()) == [CeaseTurn(ready.turn), Count(Fact.PAUSED)]
    assert desk.on(GotReady(2)) == []
    turn = starting_after(desk)
    assert desk.on(PauseAsked()) == [SettleTurn(turn)]
    assert isinstance(desk.state, SettlingStart)
    assert desk.on(StartAnswered(turn=3, outcome=StartOutcome.TAKEN)) == []
    assert desk.on(TurnAssumed(turn=3, packet=50)) == []
    assert desk.on(ceased_at(3, 0, 99)) == [TurnTaken(turn=turn, packet=50), Count(Fact.PAUSED)]
    assert desk.state.position == (0, 99)


def test_a_start_that_was_not_heard_leaves_a_pause_where_it_was():
    desk = paused(50)
    starting_after(desk)
    desk.on(PauseAsked())
    desk.on(TurnSettled(turn=2, answer=Ceased("boot", None)))
    assert (desk.state.position, desk.state.left) == ((0, 50), None)


def test_a_sender_that_does_not_answer_has_sent_as_much_as_can_be():
    desk = Desk().streaming()
    desk.on(PauseAsked())
    desk.now = 2.0
    desk.on(TurnSettled(turn=1, answer=Silence()))
    assert isinstance(desk.state, Paused)
    assert desk.state.position > (0, 2000)


def test_a_seek_ends_the_turn_and_another_begins_there():
    desk = Desk().streaming()
    sender = desk.state.holder
    assert desk.on(SeekAsked((2, 0))) == [SettleTurn(sender)]
    (ready,) = desk.on(ceased_at(1, 0, 700))
    assert (ready.turn.segment, ready.turn.packet, ready.turn.left) == (2, 0, (0, 700))
    desk.on(GotReady(2))
    desk.on(StartAnswered(turn=2, outcome=StartOutcome.TAKEN))
    assert desk.session.sends(2)
    # What follows is no jump any more.
    desk.on(TurnStopped(turn=2, cause=StopCause.FAILED, segment=2, packet=9))
    assert (desk.state.next.packet, desk.state.next.left) == (9, None)


def test_a_seek_at_the_very_end_goes_on_there():
    desk = Desk().streaming()
    desk.on(SeekAsked((0, 0)))
    (ready,) = desk.on(ceased_at(1, 2, 60_000))
    assert (ready.turn.segment, ready.turn.left) == (0, END)


def test_a_paused_stream_seeks_and_stays_paused():
    desk = paused(50)
    assert desk.on(SeekAsked((2, 0))) == []
    assert desk.on(SeekAsked((1, 0))) == []
    assert (desk.state.position, desk.state.left) == ((1, 0), (0, 50))
    turn = starting_after(desk)
    assert (turn.segment, turn.packet, turn.left) == (1, 0, (0, 50))


def test_a_pause_and_a_seek_while_the_sender_stops_are_one():
    desk = Desk().streaming()
    desk.on(PauseAsked())
    desk.on(SeekAsked((1, 0)))
    desk.on(ceased_at(1, 0, 50))
    assert (desk.state.position, desk.state.left) == ((1, 0), (0, 50))


def test_of_seeks_one_after_the_other_the_last_counts_and_the_stream_left_where_it_was_sent_last():
    desk = Desk().streaming()
    desk.on(SeekAsked((2, 0)))
    (ready,) = desk.on(ceased_at(1, 0, 700))
    cease, other = desk.on(SeekAsked((1, 0)))
    assert cease == CeaseTurn(ready.turn)
    assert (other.turn.segment, other.turn.left) == (1, (0, 700))
    desk.on(GotReady(3))
    assert isinstance(desk.state, Starting)
    assert desk.on(SeekAsked((0, 0))) == [SettleTurn(other.turn)]
    taken, last = desk.on(ceased_at(3, 1, 7))
    assert taken == TurnTaken(turn=other.turn, packet=0)
    assert (last.turn.segment, last.turn.left) == (0, (1, 7))


def test_a_jump_that_is_refused_or_not_heard_is_one_still():
    desk = Desk().streaming()
    desk.on(SeekAsked((2, 0)))
    desk.on(ceased_at(1, 0, 700))
    desk.on(GotReady(2))
    (again,) = desk.on(StartAnswered(turn=2, outcome=StartOutcome.REFUSED))
    assert (again.turn.segment, again.turn.left) == (2, (0, 700))
    desk.on(GotReady(3))
    desk.on(StartAnswered(turn=3, outcome=StartOutcome.DOUBTFUL))
    (third,) = desk.on(TurnSettled(turn=3, answer=Ceased("boot", None)))
    assert (third.turn.segment, third.turn.packet, third.turn.left) == (2, 0, (0, 700))


def test_where_a_stream_was_before_a_jump_says_nothing_of_where_it_is_after():
    desk = Desk().streaming()
    desk.on(SenderReported(Mark(turn=1, segment=0, packet=1000, until=0.0)))
    desk.on(SeekAsked((2, 0)))
    desk.on(ceased_at(1, 0, 700))
    desk.on(GotReady(2))
    desk.on(StartAnswered(turn=2, outcome=StartOutcome.TAKEN))
    desk.on(EngineLost(engine=desk.state.holder.engine, boot="boot", gone=True))
    desk.now = 1.0
    (ready,) = desk.on(TurnSettled(turn=2, answer=Silence()))
    assert (ready.turn.segment, ready.turn.packet) > (2, 1000)


def test_a_jump_of_an_engine_that_died_is_told_all_the_same():
    desk = Desk().streaming()
    desk.on(SeekAsked((2, 0)))
    desk.on(ceased_at(1, 0, 700))
    desk.on(GotReady(2))
    desk.on(StartAnswered(turn=2, outcome=StartOutcome.DOUBTFUL))
    taken, ready = desk.on(TurnSettled(turn=2, answer=Silence()))
    assert (taken.turn.left, ready.turn.left) == ((0, 700), None)
    assert (ready.turn.segment, ready.turn.packet) > (2, 0)


@pytest.mark.parametrize("event", [PauseAsked(), ResumeAsked(), SeekAsked((1, 0))])
def test_nothing_is_made_of_it_before_the_stream_begins_and_after_it_has_ended(event):
    desk = Desk()
    desk.on(PlayAsked())
    assert desk.on(event) == []
    desk.on(GotReady(1))
    assert desk.on(event) == []
    assert isinstance(desk.state, Redirected)
    desk.on(EndAsked())
    assert desk.on(event) == []
    assert isinstance(desk.state, Ended)


def test_a_pause_lasts_as_long_as_the_settings_say_if_its_console_is_there():
    desk = paused()
    while desk.now < PAUSE_S:
        desk.now += 5.0
        desk.on(ConsoleHeard())
        assert desk.on(LookedRound()) == ([] if desk.now <= PAUSE_S else [Count(Fact.ENDED)])
    desk.now += 5.0
    desk.on(LookedRound())
    assert isinstance(desk.state, Ended)
    assert desk.state.last.number == 1


def test_a_console_that_vanishes_in_a_pause_ends_it():
    desk = paused()
    desk.now = 6.5
    assert desk.on(LookedRound()) == [Count(Fact.ENDED)]


def test_a_console_that_wants_no_more_ends_its_stream_wherever_it_is():
    assert paused().on(EndAsked()) == [Count(Fact.ENDED)]
    desk = Desk().streaming()
    sender = desk.state.holder
    assert desk.on(EndAsked()) == [CeaseTurn(sender), Count(Fact.ENDED)]
    assert desk.on(EndAsked()) == []


def test_a_later_director_leaves_nothing_of_a_pause():
    desk = paused()
    assert desk.on(GaveUp()) == []
    assert desk.state == Left(last=())
    assert desk.on(ResumeAsked()) == []
