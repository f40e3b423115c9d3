"""The tallies of a registry that kept none: everything is counted once, a program after the other."""

from collections import Counter

from distribution_center.registry import share_writes
from distribution_center.registry.statements import Each, Rows, Statement, Writing
from distribution_center.registry.tallying import PARTS, Service

_PROGRAMS = (
    "SELECT number, segments, publish_at_ms, window_ends_ms FROM programs"
    " WHERE number > $1 AND header IS NOT NULL ORDER BY number LIMIT 100"
)
_STATION = "stations.station, stations.number, mask"


def count_all(now_ms: int) -> Writing:
    """Count what is there; what is in service, for this moment."""
    whole: Counter[str] = Counter()
    parts: Counter[int] = Counter()
    programs, segments, in_service, last = 0, 0, 0, 0
    while page := (yield Rows(_PROGRAMS, (last,))):
        for number, of, *times in page:
            last = number
            programs, segments = programs + 1, segments + of
            in_service += Service(*times).includes(now_ms)
            yield from _count_program(number, of, whole, parts)
    yield Each("INSERT INTO station_tallies (station, whole) VALUES ($1, $2)", [*whole.items()])
    yield from _count_fleet(parts)
    yield Statement(
        "UPDATE catalogue_tally SET programs = $1, segments = $2, in_service = $3, counted_at_ms = $4",
        (programs, segments, in_service, now_ms),
    )


def _count_program(number: int, of: int, whole: Counter[str], parts: Counter[int]) -> Writing:
    held: Counter[tuple[int, str, int]] = Counter()
    for sql in (
        f"SELECT 1, {_STATION} FROM locations JOIN stations ON number = locations.station WHERE program = $1",  # noqa: S608
        f"SELECT copies, {_STATION} FROM copies JOIN stations ON number = copies.station WHERE program = $1",  # noqa: S608
    ):
        for copies, station, its_number, mask in (yield Rows(sql, (number,))) or ():
            held[copies, station, its_number] += mask.bit_count()
    yield Each(
        "INSERT INTO held (program, copies, station, number, segments) VALUES ($1, $2, $3, $4, $5)",
        [(number, *key, segments) for key, segments in held.items()],
    )
    once = {station: segments for (copies, station, _), segments in held.items() if copies == 1}
    complete = [station for station, segments in once.items() if segments == of]
    whole.update(complete)
    for (copies, _, its_number), segments in held.items():
        parts[its_number % PARTS] += segments if copies == 1 else 0
    yield from share_writes.tell((number, its_number) for copies, _, its_number in sorted(held) if copies == 1)
    if once:
        yield Statement(
            "INSERT INTO program_tallies (program, stations, whole) VALUES ($1, $2, $3)",
            (number, len(once), len(complete)),
        )


def _count_fleet(parts: Counter[int]) -> Writing:
    stations: Counter[int] = Counter()
    for (number,) in (yield Rows("SELECT number FROM stations", ())) or ():
        stations[number % PARTS] += 1
    yield Each(
        "INSERT INTO fleet_tallies (part, stations, segments) VALUES ($1, $2, $3)",
        [(part, stations[part], parts[part]) for part in {*stations, *parts}],
    )
