"""What a process says of itself to whoever looks into its state folder: `status.json`, always whole."""

import logging
import os
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from media_network.durable_file import set_aside
from media_network.passing_trouble import PassingTrouble

logger = logging.getLogger(__name__)

STATUS_FILE = "status.json"


class ChannelState(StrEnum):
    """How an I/O channel is."""

    WORKING = "working"
    HANGING = "hanging"
    """It does not answer, and is tried again."""
    FAILED = "failed"
    """It is given up until the next start."""


class ChannelStatus(Struct, frozen=True, kw_only=True):
    """An I/O channel, now."""

    name: str
    state: ChannelState


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """One process, now."""

    pid: int
    role: str
    state: str
    epoch: int = 0
    station: str = ""
    address: str = ""
    control: str = ""
    """Where machines and operators speak to it, `host:port`; empty while nobody can."""
    media: str = ""
    """Where it serves consoles, `host:port`; empty while it does not."""
    page: str = ""
    """Where it shows itself to people, `host:port`; empty where it does not."""
    service_port: str = ""
    """Path of the service port's pseudo-terminal or device."""
    streams: int = 0
    """Viewers it sends to right now."""
    sent_bytes: int = 0
    """Of media, since its start."""
    channels: tuple[ChannelStatus, ...] = ()
    """The disks of a blade."""


def write_status(folder: Path, status: ProcessStatus) -> None:
    """Replace the status. It need not survive a power cut: it is about a process that would not either."""
    temporary = folder / f"{STATUS_FILE}.{os.getpid()}"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(status)) + b"\n")
    try:
        temporary.replace(folder / STATUS_FILE)
    except IsADirectoryError:
        set_aside(folder / STATUS_FILE)
        temporary.replace(folder / STATUS_FILE)


class StatusTeller:
    """Keeps the status of one folder. A disk that does not take it ends nobody's work."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: ProcessStatus | None = None
        self._trouble = PassingTrouble(logger, f"the status cannot be written in {folder}")

    def tell(self, status: ProcessStatus) -> bool:
        """Write it if it is another than before; whether it was written."""
        if status == self._told:
            return False
        with self._trouble:
            write_status(self._folder, status)
            self._told = status
        return self._told is status


class StatusFile:
    """The status of one folder, for who looks again and again: it is read when there is another file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = str(folder / STATUS_FILE)
        self._last: tuple[object, ProcessStatus | None] = (None, None)
        """Which file was read, and what was in it."""

    def read(self) -> ProcessStatus | None:
        """See `read_status`."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        # Each status is a file of its own that takes the former one's name.
        file = (found.st_ino, found.st_mtime_ns, found.st_size)
        if file != self._last[0]:
            self._last = (file, read_status(self._folder))
        return self._last[1]


def read_status(folder: Path) -> ProcessStatus | None:
    """What the last process of this folder said; None if it said nothing. It may have ended since."""
    try:
        return msgspec.json.decode((folder / STATUS_FILE).read_bytes(), type=ProcessStatus)
    except (OSError, msgspec.MsgspecError):
        return None
