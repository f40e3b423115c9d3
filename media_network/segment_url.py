"""The URL of a held segment: `http://<who has it>/segments/<program>/<table>/<number>.ts?ticket=...`.

A director redirects to it, and a copy is fetched from it. Whoever has the segment gives it, or a range of its bytes,
for a ticket only.
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


class AskedSegment(NamedTuple):
    """What somebody asks for at `HELD_SEGMENT_PATH`, and by which ticket; an empty one if there was none."""

    cut: Cut
    number: int
    ticket: str


def segment_target(cut: Cut, number: int, ticket: str) -> str:
    """The path and query of a segment's URL."""
    return f"/segments/{cut.program}/{cut.table}/{number}.ts?ticket={quote(ticket, safe='')}"


def segment_url(holder: Address, cut: Cut, number: int, ticket: str) -> str:
    """The URL of a segment at whoever holds it."""
    return f"http://{holder}{segment_target(cut, number, ticket)}"


def asked_segment(path: Mapping[str, str], query: Mapping[str, str]) -> AskedSegment:
    """Read the parts of a path that `HELD_SEGMENT_PATH` has matched, and the query beside it."""
    return AskedSegment(Cut(path["program"], path["table"]), int(path["number"]), query.get("ticket", ""))
