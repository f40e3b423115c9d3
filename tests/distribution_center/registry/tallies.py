"""Whether what a registry has counted is what is there: looked at after every story that is told to one."""

from collections import Counter

from distribution_center.registry.reads import Read
from distribution_center.registry.repository import (
    CatalogueTally,
    FleetTally,
    ProgramTally,
    all_stations,
)
from distribution_center.registry.sql_repository import SqlRepository
from media_network.time_of_day import now_ms
from tests.distribution_center.registry.whole import all_programs

_COPIES = (
    "SELECT programs.program, stations.station, copies, mask FROM copies"
    " JOIN programs ON programs.number = copies.program JOIN stations ON stations.number = copies.station"
)
DAY_MS = 24 * 3600 * 1000


async def require_right_tallies(store: SqlRepository) -> None:
    """Count everything, and compare. Raises AssertionError."""
    programs = [header async for header in all_programs(store)]
    stations = [station.station async for station in all_stations(store)]
    again: Counter[tuple[str, str, int]] = Counter()
    for program, station, copies, mask in await store.store.read(Read(_COPIES, (), lambda rows: [*map(tuple, rows)])):
        again[program, station, copies] += mask.bit_count()
    whole: Counter[str] = Counter()
    segments = 0
    for header in programs:
        name = header.program
        once = {station: len(held) for station, held in (await store.locations(name)).items()}
        assert await store.held(name, limit=10**6) == once, name
        complete = sorted(station for station, count in once.items() if count == header.segments)
        assert await store.program_tally(name) == ProgramTally(len(once), len(complete)), name
        assert [each.station for each in await store.whole_at(name, limit=10**6)] == complete, name
        for copies in range(2, 16):
            counted = {key[1]: count for key, count in again.items() if (key[0], key[2]) == (name, copies)}
            assert await store.held(name, copies, limit=10**6) == counted, (name, copies)
        for station in stations:
            assert await store.held_at(name, station) == once.get(station, 0)
        whole.update(complete)
        segments += sum(once.values())
    assert await store.whole_programs(stations) == dict(whole) | {
        name: 0 for name in stations if name in await store.whole_programs(stations) and name not in whole
    }
    assert await store.fleet_tally() == FleetTally(len(stations), segments)
    of_all = sum(header.segments for header in programs)
    # Now, before that was counted last, and after.
    for at_ms in (now_ms(), 0, 15, now_ms() - DAY_MS, now_ms() + DAY_MS, 2**60):
        in_service = sum(header.is_in_service(at_ms) for header in programs)
        assert await store.catalogue_tally(at_ms) == CatalogueTally(len(programs), of_all, in_service), at_ms
