"""What an engine counts, for whoever manages the network."""

from msgspec import Struct


class EngineFigures(Struct, frozen=True, kw_only=True):
    """An engine at one moment. What is not of now is counted since it became an engine."""

    pushed_bytes: int
    pushed_datagrams: int
    pushed_late: int
    """Batches of them that left more than a tick of the pacer after their time."""
    pulled_bytes: int
    """Fetched by consoles and other engines."""
    streams: int
    """Sent now."""
    streams_started: int
    streams_stopped_short: int
    """Without a lease, or for a disk's sake."""
    hand_overs_given: int
    hand_overs_taken: int
    hand_overs_failed: int
    requests: int
    """For segments, being answered now."""
    requests_served: int
    copies: int
    """Waiting or under way now."""
    copies_stored: int
    copies_failed: int
    copied_bytes: int
    refusals: int
    draining: bool


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


class ChannelFigures(Struct, frozen=True, kw_only=True):
    """An I/O channel (claim 4), since the agent's start."""

    folder: str
    bytes_in: int
    bytes_out: int
    reads: int
    writes: int
    queue: int
    """Pieces of work that wait for its threads, or are being done."""
    errors: int
    free_bytes: int
    segments: int
    stored_bytes: int
    """Of those segments."""
    programs: frozenset[str]
    """Those of which it holds a segment."""
    receptions: int
    """Segments that are being written."""
    failure: str
    """Why it was given up; empty while it works."""
