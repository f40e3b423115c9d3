"""What a media console received: how much, from whom, and whether it is what was published."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from media_network.fields import Count

Progress = Callable[[int, int], None]
"""Told how much there is and how much there will be: bytes by push, segments by HLS."""


class Output(Protocol):
    """Where the bytes go that were received."""

    def write(self, data: bytes, /) -> object:
        """Take them all, or raise OSError."""


class ReceivedSegment(Struct, frozen=True, kw_only=True):
    """A segment as it was received."""

    number: Count
    engine: str
    """Where it came from: by HLS the engine's HTTP address, by push its datagrams' source; of several, the last."""
    bytes: Count
    sha256: str
    """Of the bytes received; empty when another player received them."""
    intact: bool | None = None
    """Whether it is the segment that was published; None when that cannot be told."""
    earlier: tuple[str, ...] = ()
    """Engines that had begun this segment and broke off."""


class ConsoleReception(Struct, frozen=True, kw_only=True):
    """A program, or what came of it, as a media console received it."""

    program: str
    """The program, or the URL of its playlist."""
    sha256: str
    bytes: Count
    segments: tuple[ReceivedSegment, ...]
    hand_overs: Count = 0
    """By push: how often another engine assumed the stream."""
    jumps: Count = 0
    """By push: how often it went on elsewhere in the program, as it was ordered; `segments` are in the order in which
    they came, and those that it jumped from or over are not whole, or not there."""
    expected_sha256: str = ""
    """Of the program as published; empty when it is not known."""
    expected_bytes: Count = 0
    strays: Count = 0
    """Datagrams that were none of this stream's, and were not written."""
    stopped: bool = False
    """The console stopped before the end."""
    intact: bool | None = None
    """Whether it is the program that was published; None when that cannot be told."""
