"""What a director is appointed with, and the intervals it keeps."""

from dataclasses import dataclass
from pathlib import Path

from media_network.address import Address


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Times that belong together; all of them are told to whoever has to keep them."""

    report_ms: int = 500
    """How often an engine reports while anything changes, and how often the director looks who has not."""
    cursor_ms: int = 100
    """How often an engine reports while it streams: so much, and the way of the report, is lost when it dies."""
    idle_ms: int = 2000
    """How often an engine reports at least."""
    lease_ms: int = 4000
    """How long after its last acknowledged report an engine goes on streaming, and no longer: long enough for another
    director to be appointed when this one is lost."""
    grace_ms: int = 500
    """How much longer than its lease the last that an engine has sent may be on its way."""
    watching_ms: int = 2000
    """How often a console says that it is there; after three silent intervals its session ends."""
    registration_ms: int = 2000
    """How often the director registers, and so how long a publication missed while cut off goes unnoticed."""
    settle_ms: int = 1500
    """How long a new director waits for its engines before it reports what the station holds."""


@dataclass(frozen=True, kw_only=True)
class DirectorDuty:
    """An appointment."""

    station: str
    address: Address
    """Where machines speak to this director."""
    media: Address
    """Where it serves consoles."""
    service: Address | None = None
    """Where its station does, whichever blade directs; None: there is no such address."""
    epoch: int
    center: Address | None
    """The distribution center; None where none is configured."""
    state: Path
    """Folder for what survives a restart."""
    intervals: Intervals = Intervals()
    allow_elsewhere: bool = False
    """Send streams to other hosts than those that ask for them."""
