"""What a process says of itself to whoever looks into its state folder: `status.json`, always whole."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

STATUS_FILE = "status.json"


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """One process, now."""

    pid: int
    role: str
    state: str
    epoch: int = 0
    station: str = ""
    address: str = ""
    http: str = ""
    """Where it answers HTTP, `host:port`; empty while it does not."""
    service_port: str = ""
    """Path of the service port's pseudo-terminal or device."""
    streams: int = 0
    """Viewers it sends to right now."""
    sent_bytes: int = 0
    """Of media, since its start."""


def write_status(folder: Path, status: ProcessStatus) -> None:
    """Replace the status. It need not survive a power cut: it is about a process that would not either."""
    temporary = folder / f"{STATUS_FILE}.{os.getpid()}"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(status)) + b"\n")
    temporary.replace(folder / STATUS_FILE)


def read_status(folder: Path) -> ProcessStatus | None:
    """What the last process of this folder said; None if it said nothing. It may have ended since."""
    try:
        return msgspec.json.decode((folder / STATUS_FILE).read_bytes(), type=ProcessStatus)
    except (OSError, msgspec.MsgspecError):
        return None
