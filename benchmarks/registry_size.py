"""File bytes of a location in the registry, beside a table with a row of integers for each."""

import asyncio
import tempfile
from itertools import product
from pathlib import Path

import apsw

from benchmarks.figure import Figure, show
from benchmarks.parties import film
from distribution_center.registry.repository import RegisteredStation, Stamp, Verdict
from distribution_center.registry.sqlite_repository import SqliteRepository

PROGRAMS, SEGMENTS, STATIONS = 200, 3600, 3
LOCATIONS = PROGRAMS * SEGMENTS * STATIONS
PAGE = 50
FIRST = Stamp(1, 1)


def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        masks = asyncio.run(registry_bytes(folder / "registry.sqlite"))
        rows = table_bytes(folder / "rows.sqlite")
    show(
        Figure(
            figure=f"file bytes of a location, of {LOCATIONS:,}",
            value=masks / LOCATIONS,
            unit="B",
            peer=rows / LOCATIONS,
            peer_name="a row of integers each",
        )
    )


async def registry_bytes(path: Path) -> int:
    """What a registry grows by with the locations."""
    repository = SqliteRepository.open(path)
    programs = [film(number, SEGMENTS) for number in range(PROGRAMS)]
    await asyncio.gather(*(repository.add_program(program) for program in programs))
    names = [f"station-{number}" for number in range(STATIONS)]
    for name in names:
        await repository.see_station(RegisteredStation(station=name, director="a:1", media="a:2", stamp=FIRST))
    before = size(repository, path)
    for name in names:
        after = None
        for first in range(0, PROGRAMS, PAGE):
            page = programs[first : first + PAGE]
            until = None if first + PAGE >= PROGRAMS else page[-1].name
            held = {program.cut: [range(SEGMENTS)] for program in page}
            verdict = await repository.replace_station(name, FIRST, held, after, until)
            if verdict is not Verdict.ACCEPTED:
                raise OSError(f"the registry takes no report: {verdict}")
            after = until
    grown = size(repository, path) - before
    await repository.close()
    return grown


def size(repository: SqliteRepository, path: Path) -> int:
    """Of the file, when all is in it."""
    repository.store.writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return path.stat().st_size


def table_bytes(path: Path) -> int:
    """Of a table with the same."""
    connection = apsw.Connection(str(path))
    connection.execute(
        "CREATE TABLE locations (program INTEGER, segment INTEGER, station INTEGER,"
        " PRIMARY KEY (program, segment, station)) STRICT, WITHOUT ROWID"
    )
    with connection:
        rows = product(range(PROGRAMS), range(SEGMENTS), range(STATIONS))
        connection.executemany("INSERT INTO locations VALUES (?, ?, ?)", rows)
    connection.close()
    return path.stat().st_size


if __name__ == "__main__":
    main()
