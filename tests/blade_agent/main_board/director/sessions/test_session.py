from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from blade_agent.main_board.director.sessions.session import TRANSITIONS, PushSession, SessionEvent, diagram
from media_network.messages.watching import SessionState
from tests.blade_agent.main_board.director.stage import CONSOLE, engine_address, program_of

OWN = set(SessionState) - {SessionState.UNKNOWN}
"""The states that a director gives its sessions."""
DOCUMENT = Path(__file__).parents[5] / "docs" / "protocols" / "streams.md"


def test_the_table_is_total():
    assert set(TRANSITIONS) == OWN
    assert all(set(row) == set(SessionEvent) for row in TRANSITIONS.values())


def test_every_state_can_be_reached_and_only_the_end_is_for_good():
    reached, frontier = {SessionState.REDIRECTED}, {SessionState.REDIRECTED}
    while frontier:
        frontier = {after for state in frontier for after in TRANSITIONS[state].values()} - reached
        reached |= frontier
    assert reached == OWN
    final = [state for state, row in TRANSITIONS.items() if set(row.values()) == {state}]
    assert final == [SessionState.ENDED]


def test_the_document_shows_the_diagram_of_this_table():
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text()


def test_the_diagram_shows_every_change_of_state():
    arrows = {tuple(line.split(":")[0].split(" --> ")) for line in diagram().splitlines() if " --> " in line}
    changes = {(state, after) for state, row in TRANSITIONS.items() for after in row.values() if after is not state}
    drawn = {(before.strip(), after.strip()) for before, after in arrows}
    assert drawn == changes | {("[*]", "redirected"), ("ended", "[*]")}


def new_session():
    return PushSession(session="s", program=program_of(), console=CONSOLE, watched_at=0.0)


def give(session, slot):
    return session.give_turn(engine_address(slot), "boot", 0, 0, 0.0)


steps = st.lists(st.sampled_from(["give", "assume", "withdraw", "lose"]), max_size=30)


@given(steps)
def test_a_turn_is_assumed_once_and_never_after_it_was_withdrawn(story):
    session, withdrawn = new_session(), set()
    for step in story:
        match step, session.offer:
            case "give", _:
                give(session, 2)
            case "assume", offer if offer and session.offered(offer.number):
                assert offer.number not in withdrawn
                session.assume(offer, 0)
            case "withdraw", offer if offer:
                session.withdraw(offer)
                withdrawn.add(offer.number)
            case "lose", _ if session.state is SessionState.STREAMING:
                session.happens(SessionEvent.SENDER_LOST)
        assert sum(session.sender(number) is not None for number in range(40)) <= 1
        assert sum(session.offered(number) is not None for number in range(40)) <= 1
    turns = [served.turn for served in session.served]
    assert turns == sorted(set(turns))


def test_the_holder_stays_the_sender_when_its_offer_to_another_is_withdrawn():
    session = new_session()
    first = give(session, 2)
    session.assume(first, 0)
    second = give(session, 3)
    session.withdraw(second)
    assert session.sender(first.number) is first
    assert session.offered(second.number) is None


def test_a_holder_that_is_taken_for_lost_is_no_sender():
    session = new_session()
    first = give(session, 2)
    session.assume(first, 0)
    session.happens(SessionEvent.SENDER_LOST)
    assert session.sender(first.number) is None
    assert session.view().engine == str(engine_address(2))
