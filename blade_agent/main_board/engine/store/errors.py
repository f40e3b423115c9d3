"""What can go wrong in the segment store, as types with facts.

StoreError
    NoSpace        a channel, or every one, is full
    ChannelFailed  a disk does not do what it was asked
    NotHeld        the segment is not here
    WrongContent   what arrived is not the segment
"""

from pathlib import Path

from media_network.fields import ProgramId


class StoreError(Exception):
    """The store could not do it."""


class NoSpace(StoreError):
    """A channel (`folder`), or every one of them, has no room for what is to be written."""

    def __init__(self, folder: Path | None, needed_bytes: int | None) -> None:
        super().__init__(folder, needed_bytes)
        self.folder = folder
        self.needed_bytes = needed_bytes

    def __str__(self) -> str:
        where = f"I/O channel {self.folder}" if self.folder else "every I/O channel"
        return f"{where} is full" + (f", {self.needed_bytes} bytes are needed" if self.needed_bytes else "")


class ChannelFailed(StoreError):
    """The disk under an I/O channel refused an operation."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(folder, cause)
        self.folder = folder
        self.cause = cause

    def __str__(self) -> str:
        return f"I/O channel {self.folder}: {self.cause}"


class NotHeld(StoreError):
    """The segment is not in the store."""

    def __init__(self, program: ProgramId, number: int) -> None:
        super().__init__(program, number)
        self.program = program
        self.number = number

    def __str__(self) -> str:
        return f"segment {self.number} of {self.program} is not here"


class WrongContent(StoreError):
    """What was received is not the segment: its length or its hash differs.

    `resumed` says that part of it had been left by an earlier reception and may be what is wrong.
    """

    def __init__(self, program: ProgramId, number: int, detail: str, *, resumed: bool) -> None:
        super().__init__(program, number, detail)
        self.program = program
        self.number = number
        self.detail = detail
        self.resumed = resumed

    def __str__(self) -> str:
        return f"segment {self.number} of {self.program}: {self.detail}"
