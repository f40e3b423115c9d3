"""The life of a program: its table is total, its diagram is the documents', and facts lead where they should."""

from itertools import combinations
from pathlib import Path

import pytest

from distribution_center.content.program_life import TABLE, LifeEvent, LifeFacts, diagram, state_of
from media_network.messages.content import ProgramState

DOCUMENT = Path(__file__).parents[3] / "docs/operations/center.md"
STATES = [state for state in ProgramState if state is not ProgramState.UNKNOWN]


def test_from_every_state_every_event_leads_somewhere():
    assert set(TABLE) == {(state, event) for state in STATES for event in LifeEvent}
    assert set(TABLE.values()) <= set(STATES)


def test_every_state_can_be_reached():
    reached, found = set(), {ProgramState.ANNOUNCED}
    while found - reached:
        reached |= found
        found = {TABLE[state, event] for state in reached for event in LifeEvent}
    assert reached == set(STATES)


def test_every_event_moves_something():
    assert {event for (state, event), following in TABLE.items() if following is not state} == set(LifeEvent)


def test_what_is_withdrawn_comes_back_only_by_a_new_ingest():
    back = {event for event in LifeEvent if TABLE[ProgramState.WITHDRAWN, event] is not ProgramState.WITHDRAWN}
    assert back == {LifeEvent.LET_GO, LifeEvent.FETCHED, LifeEvent.CUT}
    gone = {event for event in LifeEvent if TABLE[ProgramState.DELETED, event] is not ProgramState.DELETED}
    assert gone == {LifeEvent.FETCHED, LifeEvent.CUT}


def test_nothing_is_in_service_before_its_time_nor_after_its_window():
    names = [event.name.lower() for event in LifeEvent]
    for count in range(len(names) + 1):
        for held in combinations(names, count):
            facts = LifeFacts(**dict.fromkeys(held, True))
            in_service = state_of(facts) is ProgramState.PUBLISHED
            if in_service:
                assert facts.began
                assert facts.cut
                assert not facts.withdrawn
                assert not facts.ended


@pytest.mark.parametrize(
    ("held", "state"),
    [
        ("", "announced"),
        ("fetched", "downloading"),
        ("cut", "stored"),
        ("fetched cut", "stored"),
        ("cut kept", "inactive"),
        ("cut kept ended", "inactive"),
        ("cut ordered", "distributing"),
        ("cut kept ordered", "distributing"),
        ("cut kept ordered distributed", "ready"),
        ("cut kept ordered distributed began", "published"),
        ("cut kept began", "published"),
        ("cut kept ordered began", "published"),
        ("cut kept began ended", "expiring"),
        ("cut kept began ended withdrawn", "withdrawn"),
        ("withdrawn", "withdrawn"),
        ("cut withdrawn let_go", "deleted"),
    ],
)
def test_the_state_follows_from_the_facts(held, state):
    assert state_of(LifeFacts(**dict.fromkeys(held.split(), True))) == state


def test_the_document_has_the_table():
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text()
