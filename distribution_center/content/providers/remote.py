"""A file at a provider, whatever protocol gives it: opened where it is to go on, and read to its end.

DownloadTrouble      it was not opened, or ended early
    Interrupted        worth another try
    ForeignPart        what is here does not belong to it: begin again
    NotGiven           it will not be given, however often one asks
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

UNKNOWN_LENGTH = -1
PIECE_BYTES = 1 << 20
SILENCE_S = 30.0
"""Nothing has come for so long: the connection is given up."""
CONNECT_S = 15.0


@dataclass(eq=False)
class DownloadTrouble(Exception):
    """Why; `status` is HTTP's or FTP's, 0 where there was none."""

    reason: str
    status: int = 0

    def __str__(self) -> str:
        return self.reason


class Interrupted(DownloadTrouble):
    """Worth another try."""


class ForeignPart(DownloadTrouble):
    """What was received so far is of no use any more."""


class NotGiven(DownloadTrouble):
    """The end."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """An open file."""

    begin_bytes: int
    """Where in the file its pieces begin: where it was asked to, or at 0."""
    length_bytes: int
    """Of the whole file; `UNKNOWN_LENGTH`."""
    validator: str
    """By what the provider knows the file again; empty: by nothing."""
    pieces: AsyncIterator[bytes]
    """Raises `Interrupted`."""


class Remote(Protocol):
    """One file at a provider."""

    @property
    def url(self) -> str:
        """What people call it. It has no secrets."""

    def open(self, begin_bytes: int, validator: str) -> AbstractAsyncContextManager[Body]:
        """Open it behind the bytes that are here, if it is still the file of that validator. Raises DownloadTrouble."""
