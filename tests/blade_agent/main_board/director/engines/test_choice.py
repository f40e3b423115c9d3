"""Claim 18: an engine is chosen by load and status; and where segments are, and are to be."""

import pytest

from blade_agent.main_board.director.engines.roster import Heard, Roster, WantedTurn
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.sessions.charge import Charge
from media_network.cut import Cut
from media_network.messages.enlisting import Enlist, Report
from media_network.messages.holdings import Holdings
from media_network.segment_table import Segment
from tests.blade_agent.main_board.director.stage import engine_address, engine_media

MBPS = 1_000_000
EPIC, FILM, FILM_II, SONG = (Cut("epic", "1" * 64), Cut("film", "1" * 64), Cut("film", "2" * 64), Cut("song", "1" * 64))


def enlistment(slot, boot="one", capacity_bps=100 * MBPS):
    address, media = str(engine_address(slot)), str(engine_media(slot))
    return Enlist(
        slot=slot,
        engine=address,
        media=media,
        boot=boot,
        epoch=1,
        capacity_bps=capacity_bps,
        holdings=Holdings(holdings=()),
    )


def report(slot, pull_bps=0, free_bytes=10**9):
    return Report(engine=str(engine_address(slot)), boot="one", epoch=1, pull_bps=pull_bps, free_bytes=free_bytes)


def charge(slot, mbps, begins_at=0.0, **when):
    return Charge(engine=engine_address(slot), rate_bps=mbps * MBPS, begins_at=begins_at, **when)


def wanted(mbps, session="mine", begins_at=1.0, ends_at=11.0, now=1.0):
    return WantedTurn(session=session, rate_bps=mbps * MBPS, begins_at=begins_at, ends_at=ends_at, now=now)


def roster_of(engines):
    """Engines by slot: capacity, sessions and what others pull in Mbit/s, and whether they are silent."""
    roster = Roster()
    for slot, (capacity, promised, pulled, silent) in engines.items():
        record = roster.enlist(
            enlistment(slot, capacity_bps=capacity * MBPS), engine_address(slot), engine_media(slot), 0.0
        )
        roster.report(report(slot, pull_bps=pulled * MBPS), record, 0.0)
        roster.charges.put(f"at {slot}", (charge(slot, promised),))
        record.heard = Heard.SILENT if silent else Heard.REPORTING
    return roster


@pytest.mark.parametrize(
    ("engines", "draining", "load", "free_mbps", "free_bytes"),
    [
        ({}, (), 1.0, 0, None),
        ({2: (100, 0, 0, False)}, (), 0.0, 100, 10**9),
        ({2: (100, 30, 20, False), 3: (300, 0, 0, False)}, (), 0.125, 350, 2 * 10**9),
        ({2: (100, 250, 0, False), 3: (100, 0, 0, False)}, (), 0.5, 100, 2 * 10**9),  # one cannot give what another has
        ({2: (100, 30, 0, False), 3: (100, 0, 0, True)}, (), 0.3, 70, 10**9),
        ({2: (100, 30, 0, False), 3: (100, 0, 0, False)}, (3,), 0.3, 70, 10**9),
        ({2: (100, 0, 0, True)}, (), 1.0, 0, None),
    ],
)
def test_what_a_station_offers_is_what_its_engines_that_stay_and_are_heard_have(
    engines, draining, load, free_mbps, free_bytes
):
    roster = roster_of(engines)
    for slot in draining:
        roster.get(engine_address(slot)).draining = True
    assert roster.readings() == (pytest.approx(load), free_mbps * MBPS, free_bytes, None)


@pytest.mark.parametrize(
    ("engines", "rate", "chosen"),
    [
        ({2: (100, 0, 0, False), 3: (100, 0, 0, False)}, 5, 2),  # the same: the lower slot
        ({2: (100, 30, 0, False), 3: (100, 20, 0, False)}, 5, 3),  # fewer sessions
        ({2: (100, 0, 40, False), 3: (100, 20, 0, False)}, 5, 3),  # fewer bytes fetched
        ({2: (100, 30, 10, False), 3: (100, 0, 35, False)}, 5, 3),  # both count
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
    found = roster.least_loaded(candidates, wanted(rate))
    assert (found and found.slot) == chosen


def test_of_candidates_only_and_never_an_excluded_one():
    roster = roster_of({2: (100, 0, 0, False), 3: (100, 10, 0, False), 4: (100, 20, 0, False)})
    candidates = [engine_address(3), engine_address(4)]
    assert roster.least_loaded(candidates, wanted(0)).slot == 3
    assert roster.least_loaded(candidates, wanted(0), excluding=[engine_address(3)]).slot == 4


def test_a_full_engine_goes_on_carrying_what_it_carries():
    roster = roster_of({2: (10, 5, 0, False)})
    roster.charges.put("mine", (charge(2, 5),))
    assert roster.least_loaded([engine_address(2)], wanted(5, "another")) is None
    assert roster.least_loaded([engine_address(2)], wanted(5)).slot == 2


def test_a_burst_spreads():
    roster = roster_of(dict.fromkeys((2, 3, 4, 5), (1000, 0, 0, False)))
    for number in range(200):
        chosen = roster.least_loaded([engine.address for engine in roster], wanted(4, str(number)))
        roster.charges.put(str(number), (charge(chosen.slot, 4),))
    assert [engine.load_bps for engine in roster] == [200 * MBPS] * 4


def test_what_counts_is_the_load_when_the_turn_begins():
    roster = roster_of({2: (100, 0, 0, False), 3: (100, 0, 0, False)})
    both = [engine_address(2), engine_address(3)]
    for number in range(6):
        # All six are at 2 and end at 10 s; of four it is known that they go on at 3.
        going = number < 4
        sending = charge(2, 5, ends_at=10.0, goes=going)
        coming = charge(3, 5, begins_at=10.0, ends_at=20.0)
        roster.charges.put(str(number), (sending, coming) if going else (sending,))
    assert roster.least_loaded(both, wanted(5, begins_at=9.0, ends_at=19.0, now=9.0)).slot == 3
    assert roster.least_loaded(both, wanted(5, begins_at=10.0, ends_at=20.0, now=9.0)).slot == 2
    # Overdue: who has nowhere to go yet is still there.
    assert roster.charges.load_bps(both[0], 10.5, 10.5) == 10 * MBPS


def test_of_two_alike_the_one_that_fewer_leave_with_this_viewer():
    roster = roster_of({2: (100, 0, 0, False), 3: (100, 0, 0, False)})
    roster.charges.put("with it", (charge(2, 5, ends_at=10.9),))
    roster.charges.put("soon", (charge(3, 5, ends_at=2.0),))
    assert roster.least_loaded([engine_address(2), engine_address(3)], wanted(5)).slot == 3


def test_what_sessions_ask_for_outlives_the_record():
    roster = roster_of({2: (100, 0, 0, False)})
    for session, mbps in (("a", 4), ("b", 6)):
        roster.charges.put(session, (charge(2, mbps),))
    roster.strike(engine_address(2))
    roster.charges.put("a", ())
    assert roster.get(engine_address(2)) is None
    record = roster.enlist(enlistment(2, boot="two"), engine_address(2), engine_media(2), 1.0)
    assert record.load_bps == 6 * MBPS
    roster.charges.put("b", ())
    assert record.load_bps == 0


def test_what_players_were_redirected_to_is_not_counted_again_when_they_fetch_it():
    roster = roster_of({2: (1000, 0, 0, False)})
    record = roster.get(engine_address(2))
    roster.fetching.gave(record.address, 25 * MBPS // 8, 8.0)
    for now, pull_bps, fetched_bps in ((10.0, 2 * MBPS, 0), (10.5, 60 * MBPS, 10 * MBPS), (13.0, 3 * MBPS, 3 * MBPS)):
        roster.report(report(2, pull_bps=pull_bps), record, now)
        assert record.fetched_bps == fetched_bps
        assert record.load_bps == fetched_bps


def test_a_suspect_answers_again_when_it_reports():
    roster = roster_of({2: (100, 0, 0, False)})
    record = roster.get(engine_address(2))
    roster.suspect(record.address)
    assert not roster.answers(record.address, "one")
    roster.report(report(2), record, 1.0)
    assert roster.answers(record.address, "one")
    assert not roster.answers(record.address, "two")


def segment(number=0, length_bytes=1880):
    return Segment(number=number, length_bytes=length_bytes, duration_ticks=90, sha256="0" * 64)


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
    assert table.replace(two, {FILM: {0, 1}, EPIC: {5}}) == {FILM: {0, 1}, EPIC: {5}}
    assert table.replace(three, {FILM: {1, 2}}) == {FILM: {1, 2}}
    assert table.replace(two, {FILM: {0, 1}, EPIC: {5}}) == {}
    table.add(two, FILM, 2)
    assert table.layers(FILM) == [{0, 1, 2}, {1, 2}]
    assert table.layers(FILM, {0, 2, 7}) == [{0, 2}, {2}]
    assert table.replace(three, {FILM: set()}) == {FILM: {1, 2}}, "the other has them too: there is a copy less"
    assert table.layers(FILM) == [{0, 1, 2}]
    assert table.layers(SONG) == []
    assert {cut: table.segments(cut) for cut in table.cuts()} == {EPIC: {5}, FILM: {0, 1, 2}}
    assert table.forget(two) == {EPIC: {5}, FILM: {0, 1, 2}}
    assert table.forget(two) == {}
    assert table.segments(FILM) == set()


def test_a_page_replaces_what_it_is_about_and_nothing_else():
    table, two = SegmentLocationTable(), engine_address(2)
    table.replace(two, {EPIC: {1}, FILM: {0, 1}, FILM_II: {7}, SONG: {3}})
    assert table.replace(two, {FILM: {1, 2}}, after=EPIC, until=FILM_II) == {FILM: {0, 2}, FILM_II: {7}}
    assert {cut: table.segments(cut) for cut in table.cuts()} == {EPIC: {1}, FILM: {1, 2}, SONG: {3}}
    assert table.replace(two, {}, after=FILM) == {SONG: {3}}
    assert table.replace(two, {}, until=EPIC) == {EPIC: {1}}
    assert table.cuts() == [FILM]


def test_what_an_engine_lets_go_of_is_all_of_a_program_but_one_cut():
    table, two = SegmentLocationTable(), engine_address(2)
    table.replace(two, {EPIC: {1}, FILM: {0}, FILM_II: {7}})
    assert table.take(two, "film", FILM_II.table) == {FILM: {0}}
    assert table.take(two, "film") == {FILM_II: {7}}
    assert table.take(two, "film") == {}
    assert table.cuts() == [EPIC]


def test_the_table_knows_who_holds_what():
    table = SegmentLocationTable()
    table.replace(engine_address(2), {FILM: {0, 1}})
    table.add(engine_address(3), FILM, 1)
    assert table.engines_with(FILM, 1) == [engine_address(2), engine_address(3)]
    assert table.engines_with(FILM, 9) == table.engines_with(EPIC, 0) == table.engines_with(FILM_II, 1) == []
    assert [table.held_by(engine_address(slot)) for slot in (2, 3, 4)] == [2, 1, 0]
    table.forget(engine_address(2))
    assert table.engines_with(FILM, 1) == [engine_address(3)]


def test_what_copies_have_in_flight_counts_where_they_come_from_and_go_to():
    roster = roster_of({2: (100, 10, 0, False), 3: (100, 10, 0, False), 4: (100, 12, 0, False)})
    candidates = [engine.address for engine in roster]
    assert roster.least_loaded(candidates, wanted(5)).slot == 2
    roster.in_flight.begin("copy", [engine_address(2), engine_address(3)], MBPS)
    assert roster.get(engine_address(2)).load_bps == 14 * MBPS
    assert roster.least_loaded(candidates, wanted(5)).slot == 4
    roster.in_flight.begin("copy", [engine_address(4)], MBPS)
    assert roster.least_loaded(candidates, wanted(5)).slot == 2
    roster.in_flight.end("copy")
    roster.in_flight.end("copy")
    assert [engine.load_bps for engine in roster] == [10 * MBPS, 10 * MBPS, 12 * MBPS]


def test_a_copy_in_flight_keeps_no_stream_away():
    """An engine counts streams when it admits one: a copy takes what they leave."""
    roster = roster_of({2: (10, 5, 0, False)})
    roster.in_flight.begin("copy", [engine_address(2)], 100 * MBPS)
    assert roster.least_loaded([engine_address(2)], wanted(5)).slot == 2
