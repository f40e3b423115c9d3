"""What a director counts, for whoever manages the network."""

from dataclasses import dataclass

from msgspec import Struct


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
    superseded: bool
