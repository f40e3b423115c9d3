"""What goes between the center and its ingest process. Here, so that the center need not load the decoders."""

import msgspec

from media_network.program import Program

SEGMENTS = "segments"
"""Folder of the finished segments, below the order's folder."""


class IngestOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to do."""

    path: str
    name: str
    """What people call the source."""
    folder: str
    """An empty folder for everything that is written."""
    title: str
    segment_ms: int


class IngestStep(msgspec.Struct, frozen=True, tag=True):
    """Still at it."""

    fraction: float


class Produced(msgspec.Struct, frozen=True, tag=True):
    """The segments are there and durable."""

    program: Program


class Failed(msgspec.Struct, frozen=True, tag=True):
    """An `IngestError` by name, with its fields."""

    error: str
    facts: dict[str, str | int]


Report = IngestStep | Produced | Failed
