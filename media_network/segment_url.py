"""The URL of a held segment: `http://<who has it>/segments/<program>/<table>/<number>.ts?ticket=...`.

A director redirects to it, and a copy is fetched from it. Whoever has the segment gives it, or a range of its bytes,
for a ticket only; and for the same one its index, whose URL ends in `.index`.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from media_network.address import Address
from media_network.cut import Cut

SEGMENT_NUMBER = r"0|[1-9][0-9]{0,5}"
"""A segment's number as it is written: no zeros in front, and none is as large as `SEGMENTS_PER_PROGRAM_MAX`."""
HELD_SEGMENT_PATH = f"/segments/{{program}}/{{table:[0-9a-f]{{64}}}}/{{number:{SEGMENT_NUMBER}}}.ts"
"""What aiohttp matches."""
HELD_INDEX_PATH = HELD_SEGMENT_PATH.removesuffix(".ts") + ".index"


class AskedSegment(NamedTuple):
    """What somebody asks for at `HELD_SEGMENT_PATH` or `HELD_INDEX_PATH`, and by which ticket.

    The ticket is empty if there was none.
    """

    cut: Cut
    number: int
    ticket: str


def segment_target(cut: Cut, number: int, ticket: str) -> str:
    """The path and query of a segment's URL."""
    return _target(cut, f"{number}.ts", ticket)


def index_target(cut: Cut, number: int, ticket: str) -> str:
    """The path and query of the URL of a segment's index."""
    return _target(cut, f"{number}.index", ticket)


def segment_url(holder: Address, cut: Cut, number: int, ticket: str) -> str:
    """The URL of a segment at whoever holds it."""
    return f"http://{holder}{segment_target(cut, number, ticket)}"


def asked_segment(path: Mapping[str, str], query: Mapping[str, str]) -> AskedSegment:
    """Read the parts of a path that was matched, and the query beside it."""
    return AskedSegment(Cut(path["program"], path["table"]), int(path["number"]), query.get("ticket", ""))


def _target(cut: Cut, name: str, ticket: str) -> str:
    return f"/segments/{cut.program}/{cut.table}/{name}?ticket={quote(ticket, safe='')}"
