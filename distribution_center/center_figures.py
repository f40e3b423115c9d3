"""What a distribution center counts and keeps, for whoever manages the network. Its parts count here; others read."""

from collections.abc import Mapping

from msgspec import Struct


class CenterCounters(Struct, kw_only=True):
    """A center since its start."""

    registrations: int = 0
    """Of directors, each said again every few seconds."""
    full_reports: int = 0
    locations_added: int = 0
    """Segments that were not known at their station."""
    locations_removed: int = 0
    stale_refused: int = 0
    """Messages of an older epoch or generation than the one that is known."""
    orders_done: int = 0
    """Of distribution: the program is whole at the station."""
    ingests_done: int = 0
    ingests_failed: int = 0


class ProgramFigures(Struct, frozen=True, kw_only=True):
    """A program, and how many of its segments each station holds."""

    program: str
    title: str
    published: bool
    segments: int
    length_bytes: int
    duration_ms: int
    rate_bps: int
    held: Mapping[str, int] = {}
    """Segments by station; stations that hold none are left out."""


class StationFigures(Struct, frozen=True, kw_only=True):
    """A media station as the registry knows it."""

    station: str
    home: bool
    director: str
    epoch: int
    engines: int
    silent_ms: int | None = None
    """Since its director was last heard; None if it has not been since the center started."""


class IngestFigures(Struct, frozen=True, kw_only=True):
    """An ingest."""

    ingest: str
    """Tells it from others."""
    program: str
    state: str
    """`waiting`, `running`, `storing`, `done` or `failed`."""
    progress: float = 0.0
    """0 to 1."""
    cause: str = ""


class CenterFigures(Struct, frozen=True, kw_only=True):
    """A distribution center at one moment."""

    name: str
    home: str
    programs: tuple[ProgramFigures, ...] = ()
    stations: tuple[StationFigures, ...] = ()
    ingests: tuple[IngestFigures, ...] = ()
    orders_open: int = 0
    counted: CenterCounters
