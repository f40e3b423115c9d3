"""What goes between the center and its ingest process. Here, so that the center need not load the decoders."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from media_network.program import Program, joined
from media_network.program_header import ProgramHeader

SEGMENTS = "segments"
"""Folder of the finished segments, below the order's folder."""


class IngestOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to do."""

    path: str
    """As a file URI: a name need not be text."""
    name: str
    """What people call the source."""
    folder: str
    """An empty folder for everything that is written."""
    title: str
    segment_ms: int
    longest_segment_ms: int
    """Groups of pictures up to this are copied, though a segment gets longer than `segment_ms` by them."""


class IngestStep(msgspec.Struct, frozen=True, tag=True):
    """Still at it."""

    fraction: float


class Produced(msgspec.Struct, frozen=True, tag=True):
    """The segments are there and durable."""

    header: ProgramHeader
    table: bytes
    attachments: tuple[bytes, ...] = ()
    """In the order in which the header names them."""

    @property
    def program(self) -> Program:
        """What was made. Raises `BadTable`."""
        return joined(self.header, self.table)


class Failed(msgspec.Struct, frozen=True, tag=True):
    """An `IngestError` by name, with its fields."""

    error: str
    facts: dict[str, str | int]


Report = IngestStep | Produced | Failed


def produced(program: Program, attachments: Sequence[bytes]) -> Produced:
    """The report of a program that was made."""
    return Produced(program.header, program.segments.octets, tuple(attachments))


def uri_of(path: Path) -> str:
    """A file's name as text, whatever bytes it is made of."""
    return path.absolute().as_uri()


def path_of(uri: str) -> Path:
    """The file that `uri_of` has named."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(uri).path)))
