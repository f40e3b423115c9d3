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
    """A program, and how many stations hold all of it."""

    program: str
    title: str
    published: bool
    segments: int
    length_bytes: int
    duration_ms: int
    rate_bps: int
    whole: int = 0
    """Stations, the home station among them."""


class StationFigures(Struct, frozen=True, kw_only=True):
    """A media station as the registry knows it."""

    number: int
    """In the registry."""
    station: str
    home: bool
    director: str
    epoch: int
    engines: int
    whole: int = 0
    """Programs of which it holds every segment."""
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
    """A distribution center at one moment, and what has happened since the moment before: nothing that grows with its
    catalogue or its fleet."""

    name: str
    home: str
    programs: int = 0
    published: int = 0
    """Programs that are in service."""
    program_segments: int = 0
    """Of all programs together."""
    stations: int = 0
    silent: int = 0
    """Stations whose director is not heard any more."""
    held_segments: int = 0
    """Counted once a station."""
    fell_silent: tuple[StationFigures, ...] = ()
    came_back: tuple[StationFigures, ...] = ()
    """They were heard for the first time, or again after a silence."""
    ingests: tuple[IngestFigures, ...] = ()
    orders_open: int = 0
    registry_troubles: Mapping[str, str] = {}
    """What is wrong with the registry, by what it is about."""
    counted: CenterCounters
