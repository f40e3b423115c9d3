"""What an engine counts, for whoever manages the network."""

from msgspec import Struct


class EngineFigures(Struct, frozen=True, kw_only=True):
    """An engine at one moment. What is not of now is counted since it became an engine."""

    pushed_bytes: int
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
    failure: str
    """Why it was given up; empty while it works."""
