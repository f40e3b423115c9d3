"""What a director counts, for whoever manages the network."""

from dataclasses import dataclass

from msgspec import Struct

from media_network.address import Address


@dataclass
class DirectorCounters:
    """Since the term began."""

    sessions: int = 0
    """Push sessions that consoles began."""
    inherited: int = 0
    """Push sessions of an earlier director that went on here."""
    redirects: int = 0
    """Of pulling players, a segment each."""
    hand_overs: int = 0
    replications: int = 0
    """Copies made within the station, for engines that drain or for a program's sake."""
    engines_lost: int = 0
    streams_lost: int = 0
    """Senders that were lost, or stopped short: each was resumed, or its session ended."""
    streams_resumed: int = 0
    refusals: int = 0
    """Consoles turned away: at capacity, without an engine, for a program that is not in service."""
    sessions_ended: int = 0
    """Push sessions that ended as they should."""
    sessions_lost: int = 0
    """Push sessions with which nobody could go on."""
    copies_ordered: int = 0
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
    """A director at one moment; what is not of now is counted since its term began."""

    epoch: int
    engines: int
    engines_draining: int
    push_sessions: int
    pull_sessions: int
    programs: int
    """With at least one segment here."""
    sessions_begun: int
    sessions_inherited: int
    redirects: int
    hand_overs: int
    replications: int
    engines_lost: int
    streams_lost: int
    streams_resumed: int
    refusals: int
    sessions_ended: int
    sessions_lost: int
    copies_ordered: int
    copies_done: int
    copies_failed: int
    locations: int
    """Segments, once for each engine that holds them."""
    superseded: bool
