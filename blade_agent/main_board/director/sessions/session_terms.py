"""What does not change as long as a session lasts."""

from msgspec import Struct

from blade_agent.main_board.director.sessions.position import Position
from media_network.program import Program
from media_network.rtp import RtpPlace


class SessionTerms(Struct, frozen=True, kw_only=True):
    """Of one session. Times are the event loop's, in seconds."""

    session: str
    program: Program
    console: str
    """Where the datagrams go, `host:port`."""
    patience_s: float
    """How long its console may be silent."""
    lease_s: float
    """How long an engine may send that is not heard of any more."""
    pause_s: float
    """How long it may be paused."""
    first_own_turn: int = 1
    """Turns of a lower number were given by an earlier director."""
    leases_end_at: float = 0.0
    """When the last lease of the term before has ended."""
    begins: Position = (0, 0)
    """Where the console wants it to begin."""
    rtp: RtpPlace | None = None
    """The base of its RTP stream, and how much of that had been sent when it began here; None: it is none."""
