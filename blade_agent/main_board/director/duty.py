"""What a director is appointed with, and the intervals it keeps."""

from dataclasses import dataclass
from pathlib import Path

from blade_agent.main_board.accounts.station_accounts import StationAccounts
from blade_agent.main_board.issuer_keys import IssuerKeys
from media_network.address import Address
from media_network.identity.identification import Identification
from media_network.messages.steering import PAUSE_S


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
    """How often the director registers, unless the center has too many stations for that; so long a publication goes
    unnoticed that was missed while cut off."""
    settle_ms: int = 1500
    """How long a new director waits for its engines before it reports what the station holds."""


@dataclass(frozen=True, kw_only=True)
class WaterMarks:
    """How full the disks of a station may become, in percent of what its segments could have."""

    high_percent: float = 90.0
    """From there on it does without what nobody ordered."""
    low_percent: float = 80.0
    """Until that is reached."""


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
    rtcp: Address | None = None
    """Where receivers of RTP streams speak to the station; None: none are sent."""
    zone: str = ""
    """Where its station is, in the words of who operates it; empty: nobody has said."""
    epoch: int
    center: Address | None
    """The distribution center; None where none is configured."""
    state: Path
    """Folder for what survives a restart."""
    intervals: Intervals = Intervals()
    water: WaterMarks = WaterMarks()
    issuer: IssuerKeys | None = None
    """The keys of the authentication server whose tokens consoles have to show; None: anybody is served."""
    accounts: StationAccounts | None = None
    """Subscriber management and billing, by their cache and outbox; None: a token is all that is asked for."""
    pause_s: float = PAUSE_S
    """How long a stream may be paused; then its session ends."""
    allow_elsewhere: bool = False
    """Send streams to other hosts than those that ask for them."""
    identification: Identification | None = None
    """Who this blade is, and how it learns who asks; None: nobody shows who he is."""
    playlists_name_engines: bool = False
    """Playlists name the engine of each segment; else all lead to the director, which redirects to one."""
