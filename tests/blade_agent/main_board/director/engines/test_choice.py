"""Claim 18: an engine is chosen by load and status; and where segments are, and are to be."""

import pytest

from blade_agent.main_board.director.engines.roster import Heard, Roster
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from media_network.messages.enlisting import Enlist, Report
from media_network.program import Segment
from tests.blade_agent.main_board.director.stage import engine_address, engine_media

MBPS = 1_000_000


def enlistment(slot, boot="one", capacity_bps=100 * MBPS):
    address, media = str(engine_address(slot)), str(engine_media(slot))
    return Enlist(slot=slot, engine=address, media=media, boot=boot, epoch=1, capacity_bps=capacity_bps, inventory={})


def report(slot, pull_bps=0, free_bytes=10**9):
    return Report(engine=str(engine_address(slot)), boot="one", epoch=1, pull_bps=pull_bps, free_bytes=free_bytes)


def roster_of(engines):
    """Engines by slot: capacity, promised and pulled in Mbit/s, and whether they are silent."""
    roster = Roster()
    for slot, (capacity, promised, pulled, silent) in engines.items():
        record = roster.enlist(
            enlistment(slot, capacity_bps=capacity * MBPS), engine_address(slot), engine_media(slot), 0.0
        )
        roster.report(report(slot, pull_bps=pulled * MBPS), record, 0.0)
        roster.promise(record.address, promised * MBPS)
        record.heard = Heard.SILENT if silent else Heard.REPORTING
    return roster


@pytest.mark.parametrize(
    ("engines", "rate", "chosen"),
    [
        ({2: (100, 0, 0, False), 3: (100, 0, 0, False)}, 5, 2),  # the same: the lower slot
        ({2: (100, 30, 0, False), 3: (100, 20, 0, False)}, 5, 3),  # fewer sessions
        ({2: (100, 0, 40, False), 3: (100, 20, 0, False)}, 5, 3),  # fewer bytes fetched
        ({2: (100, 30, 10, False), 3: (100, 0, 35, False)}, 5, 2),  # the larger of both counts
        ({2: (100, 30, 0, False), 3: (1000, 200, 0, False)}, 5, 3),  # the share, not the amount
        ({2: (100, 0, 0, True), 3: (100, 90, 0, False)}, 5, 3),  # silent
        ({2: (10, 0, 0, False), 3: (100, 80, 0, False)}, 20, 3),  # too small
        ({2: (100, 95, 0, False), 3: (100, 96, 0, False)}, 5, 2),  # to the last bit
        ({2: (100, 96, 0, False), 3: (100, 96, 0, False)}, 5, None),  # full
        ({2: (0, 0, 0, False)}, 0, 2),  # no capacity at all is no error
        ({2: (100, 0, 0, True)}, 5, None),
        ({}, 5, None),
    ],
)
def test_least_loaded(engines, rate, chosen):
    roster = roster_of(engines)
    candidates = [*map(engine_address, engines), engine_address(9)]
    found = roster.least_loaded(candidates, rate * MBPS)
    assert (found and found.slot) == chosen


def test_of_candidates_only_and_never_an_excluded_one():
    roster = roster_of({2: (100, 0, 0, False), 3: (100, 10, 0, False), 4: (100, 20, 0, False)})
    candidates = [engine_address(3), engine_address(4)]
    assert roster.least_loaded(candidates, 0).slot == 3
    assert roster.least_loaded(candidates, 0, excluding=[engine_address(3)]).slot == 4


def test_a_full_engine_goes_on_carrying_what_it_carries():
    roster = roster_of({2: (10, 10, 0, False)})
    assert roster.least_loaded([engine_address(2)], 5 * MBPS) is None
    assert roster.least_loaded([engine_address(2)], 5 * MBPS, carrying=[engine_address(2)]).slot == 2


def test_a_burst_spreads():
    roster = roster_of(dict.fromkeys((2, 3, 4, 5), (1000, 0, 0, False)))
    for _ in range(200):
        chosen = roster.least_loaded([engine.address for engine in roster], 4 * MBPS)
        roster.promise(chosen.address, 4 * MBPS)
    assert [engine.promised_bps for engine in roster] == [200 * MBPS] * 4


def test_what_is_promised_outlives_the_record_and_is_taken_back_to_the_bit():
    roster = roster_of({2: (100, 0, 0, False)})
    roster.promise(engine_address(2), 4)
    roster.promise(engine_address(2), 6)
    roster.strike(engine_address(2))
    roster.promise(engine_address(2), -4)
    assert roster.get(engine_address(2)) is None
    assert roster.enlist(enlistment(2, boot="two"), engine_address(2), engine_media(2), 1.0).promised_bps == 6
    roster.promise(engine_address(2), -6)
    assert roster.get(engine_address(2)).load_bps == 0


def test_a_suspect_answers_again_when_it_reports():
    roster = roster_of({2: (100, 0, 0, False)})
    record = roster.get(engine_address(2))
    roster.suspect(record.address)
    assert not roster.answers(record.address, "one")
    roster.report(report(2), record, 1.0)
    assert roster.answers(record.address, "one")
    assert not roster.answers(record.address, "two")


def segment(number=0, length_bytes=1880):
    return Segment(number=number, length_bytes=length_bytes, duration_ms=1, sha256="0" * 64)


@pytest.mark.parametrize(
    ("number", "copies", "holders", "excluding", "placed"),
    [
        (0, 1, [], [], [2]),
        (1, 1, [], [], [3]),
        (2, 1, [], [], [4]),
        (3, 1, [], [], [2]),  # round and round
        (0, 2, [], [], [2, 3]),
        (0, 2, [2], [], [3]),
        (0, 2, [4], [], [2]),
        (0, 2, [3, 4], [], []),  # there already
        (0, 9, [], [], [2, 3, 4]),  # no more than there are
        (0, 2, [5], [], [2, 3]),  # a holder that is silent is none
        (0, 1, [], [2], [3]),  # one that failed just now
        (0, 3, [2], [3], [4]),
    ],
)
def test_place(number, copies, holders, excluding, placed):
    roster = roster_of({slot: (100, 0, 0, slot == 5) for slot in (2, 3, 4, 5)})
    addresses = [list(map(engine_address, slots)) for slots in (holders, excluding)]
    assert [engine.slot for engine in place(segment(number), copies, roster, *addresses)] == placed


@pytest.mark.parametrize("free_bytes", [2 * 1880, 0])
def test_nothing_is_placed_where_it_has_no_room(free_bytes):
    roster = roster_of({2: (100, 0, 0, False), 3: (100, 0, 0, False)})
    roster.report(report(2, free_bytes=free_bytes), roster.get(engine_address(2)), 1.0)
    assert [engine.slot for engine in place(segment(), 2, roster, [])] == [3]
    assert place(segment(), 1, Roster(), []) == []


def test_an_engine_whose_room_is_not_known_yet_is_tried():
    roster = Roster()
    record = roster.enlist(enlistment(2), engine_address(2), engine_media(2), 0.0)
    assert place(segment(), 1, roster, []) == [record]
    roster.report(report(2, free_bytes=None), record, 1.0)
    assert place(segment(), 1, roster, []) == [record]


def test_the_table_tells_what_changed_for_the_station():
    table = SegmentLocationTable()
    two, three = engine_address(2), engine_address(3)
    assert table.replace(two, {"film": {0, 1}, "epic": {5}}) == {"film": {0, 1}, "epic": {5}}
    assert table.replace(three, {"film": {1, 2}}) == {"film": {2}}
    assert table.replace(two, {"film": {0, 1}, "epic": {5}}) == {}
    table.add(two, "film", 2)
    assert table.replace(three, {"film": set()}) == {}  # both were held at the other too
    assert table.programs() == {"epic": {5}, "film": {0, 1, 2}}
    assert table.forget(two) == {"epic": {5}, "film": {0, 1, 2}}
    assert table.forget(two) == {}
    assert table.segments("film") == set()


def test_the_table_knows_who_holds_what():
    table = SegmentLocationTable()
    table.replace(engine_address(2), {"film": {0, 1}})
    table.add(engine_address(3), "film", 1)
    assert table.engines_with("film", 1) == [engine_address(2), engine_address(3)]
    assert table.engines_with("film", 9) == table.engines_with("epic", 0) == []
    assert [table.held_by(engine_address(slot)) for slot in (2, 3, 4)] == [2, 1, 0]
    table.forget(engine_address(2))
    assert table.engines_with("film", 1) == [engine_address(3)]
