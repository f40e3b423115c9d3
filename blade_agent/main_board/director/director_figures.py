"""What a director counts and looks after, for whoever manages the network. Its parts count here; others read."""

from msgspec import Struct

from media_network.address import Address


class DirectorCounters(Struct, kw_only=True):
    """A blade as a director since its agent's start: what it does in its next term is added."""

    sessions_begun: int = 0
    """Push sessions that consoles began."""
    sessions_ended: int = 0
    """Push sessions that ended as they should."""
    sessions_lost: int = 0
    """Push sessions with which nobody could go on."""
    redirects: int = 0
    """Of pulling players, a segment each."""
    refusals: int = 0
    """Consoles turned away: at capacity, without an engine, for a program that is not in service."""
    hand_overs: int = 0
    engines_lost: int = 0
    streams_lost: int = 0
    """Senders that were lost, or stopped short: each was resumed, or its session ended."""
    take_overs: int = 0
    """Streams that were resumed after their sender was lost, or stopped short."""
    replications: int = 0
    """Copies that were ordered."""
    copies_done: int = 0
    copies_failed: int = 0
    """Of those that were ordered: the engine said so, or said nothing any more."""


class RosterFigures(Struct, frozen=True, kw_only=True):
    """An engine as its director sees it."""

    slot: int
    address: Address
    reporting: bool
    load_bps: int
    capacity_bps: int
    segments: int | None = None
    free_bytes: int | None = None


class SessionFigures(Struct, frozen=True, kw_only=True):
    """A session of a director."""

    session: str
    """Tells it from others while it lasts."""
    push: bool
    state: str
    """A `SessionState`."""
    program: str
    console: str
    engine_slot: int = 0
    """Of the engine that sends, or is to; 0 while there is none."""
    segment: int = 0
    """That was last given to an engine."""
    turns: int = 0
    """Of a pull session: redirects."""


class DirectorWork(Struct, frozen=True, kw_only=True):
    """What a director looks after, one by one."""

    engines: tuple[RosterFigures, ...] = ()
    sessions: tuple[SessionFigures, ...] = ()
    """Those that have not ended; of the pull sessions the latest."""
    lost: tuple[SessionFigures, ...] = ()
    """The last sessions that ended because nobody could go on with them, oldest first."""


class DirectorFigures(Struct, frozen=True, kw_only=True):
    """A director at one moment."""

    counted: DirectorCounters
    push_sessions: int = 0
    pull_sessions: int = 0
    programs: int = 0
    """With at least one segment here."""
    locations: int = 0
    """Segments, once for each engine that holds them."""
