"""What an engine counts and has under way, for whoever manages the network. Its parts count here; others read."""

from msgspec import Struct

from media_network.status import ChannelState


class EngineCounters(Struct, kw_only=True):
    """A blade as an engine since its agent's start, whoever was director: what an engine does next is added."""

    pull_requests: int = 0
    """For segments, by consoles and other engines, that were answered."""
    pull_bytes: int = 0
    push_turns: int = 0
    """Of sending a stream, that began here."""
    push_datagrams: int = 0
    push_bytes: int = 0
    push_late: int = 0
    """Batches of datagrams that left more than a tick of the pacer after their time."""
    push_failures: int = 0
    """Streams that stopped short: without a lease, or for a disk's sake."""
    hand_overs_out: int = 0
    hand_overs_in: int = 0
    hand_over_failures: int = 0
    """Within a segment: the stream went on here."""
    refusals: int = 0
    """Of segments that were asked for, and of streams."""
    copies_done: int = 0
    copies_failed: int = 0
    copy_bytes: int = 0

    @property
    def sent_bytes(self) -> int:
        """Media that left the blade."""
        return self.pull_bytes + self.push_bytes


class StreamFigures(Struct, frozen=True, kw_only=True):
    """A stream that an engine sends, as long as it has the turn."""

    session: str
    """Tells it from others while it lasts."""
    program: str
    console: str
    segment: int
    turn: int
    rate_bps: int
    sent_bytes: int = 0
    """In this turn."""


class CopyFigures(Struct, frozen=True, kw_only=True):
    """A copy to an engine, under way or waiting."""

    program: str
    segment: int
    source: str
    received_bytes: int = 0
    length_bytes: int | None = None


class EngineWork(Struct, frozen=True, kw_only=True):
    """What an engine is at, one by one."""

    streams: tuple[StreamFigures, ...] = ()
    copies: tuple[CopyFigures, ...] = ()


class ChannelCounters(Struct, kw_only=True):
    """What has gone through an I/O channel (claim 4) since the agent's start."""

    reads: int = 0
    read_bytes: int = 0
    writes: int = 0
    written_bytes: int = 0
    failures: int = 0
    """Of the disk to do either."""
    hangs: int = 0
    """How often it did not answer for too long."""


class ChannelFigures(Struct, frozen=True, kw_only=True):
    """An I/O channel at one moment."""

    name: str
    """Of its folder."""
    state: ChannelState = ChannelState.WORKING
    counted: ChannelCounters
    free_bytes: int = 0
    segments: int = 0
    stored_bytes: int = 0
    """Of those segments."""
    programs: frozenset[str] = frozenset()
    """Those of which it holds a segment."""
    receptions: int = 0
    """Segments that are being written."""
    waiting: int = 0
    """Reads and writes that wait for the disk, or are served by it."""

    @property
    def working(self) -> bool:
        """Whether it is not given up, and does not hang."""
        return self.state is ChannelState.WORKING
