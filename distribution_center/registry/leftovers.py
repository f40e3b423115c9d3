"""What is left of programs that were withdrawn: which segments stations may still hold; parts of writes.

A program is withdrawn as long as somebody has some of it, and deleted when nobody has. A station that is away says what
it has when it is back. When the name is used again, whatever is left of the earlier one is nobody's concern.
"""

from collections.abc import Mapping

from distribution_center.registry.statements import Each, Statement, Writing
from distribution_center.registry.tallying import Layers
from media_network.cut import Cut
from media_network.program_header import ProgramHeader

_OF_CUT = (
    "SELECT withdrawals.program FROM withdrawals JOIN programs ON number = withdrawals.program"
    " WHERE programs.program = $1 AND cut = $2"
)


def leave(number: int, header: ProgramHeader) -> Writing:
    """A program is being withdrawn: what stations hold of it is left there until they say otherwise."""
    yield from forget(number)
    yield Statement(
        "INSERT INTO withdrawals (program, title, cut, sha256, segments, length_bytes, duration_ms, rate_bps)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        (
            *(number, header.title.replace("\0", " "), header.table, header.sha256, header.segments),
            *(header.length_bytes, header.duration_ms, header.rate_bps),
        ),
    )
    yield Statement(
        "INSERT INTO leftovers (program, chunk, station, mask)"
        " SELECT program, chunk, station, mask FROM locations WHERE program = $1",
        (number,),
    )


def forget(number: int) -> Writing:
    """A program has this name again."""
    for table in ("withdrawals", "leftovers"):
        yield Statement(f"DELETE FROM {table} WHERE program = $1", (number,))  # noqa: S608 -- our own names


def let_go(cut: Cut, station: int, masks: Mapping[int, int]) -> Writing:
    """A station has let go of segments of a cut that may have been withdrawn."""
    found = yield Statement(_OF_CUT, cut)
    if found is None:
        return
    taken = [(mask, found[0], chunk, station) for chunk, mask in masks.items()]
    where = "program = $2 AND chunk = $3 AND station = $4"
    yield Each(f"UPDATE leftovers SET mask = mask & ~CAST($1 AS bigint) WHERE {where}", [*taken])  # noqa: S608
    yield Each(
        "DELETE FROM leftovers WHERE program = $1 AND chunk = $2 AND station = $3 AND mask = 0",
        [row[1:] for row in taken],
    )


def keep(cut: Cut, station: int, layers: Layers) -> Writing:
    """A station says in its inventory that it holds segments of a cut that may have been withdrawn."""
    found = yield Statement(_OF_CUT, cut)
    if found is None or not layers:
        return
    yield Each(
        "INSERT INTO leftovers (program, chunk, station, mask) VALUES ($1, $2, $3, $4)",
        [(found[0], chunk, station, mask) for chunk, mask in layers[0].items()],
    )
