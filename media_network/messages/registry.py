"""What the media location registry (MLR) is told and asked."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, Fraction, ProgramId, Sha256, StationText, Zone
from media_network.messages.holdings import COPIES_MAX, Holding, SegmentNumbers
from media_network.messages.verb import KIB, MIB, Caller, Done, Verb
from media_network.program_header import Milliseconds


class RegisterStation(Struct, frozen=True, kw_only=True):
    """A director says that it directs a station now, and again every few seconds."""

    station: StationText
    director: str
    """Address of the director, `host:port`."""
    media: str
    """Its media address."""
    epoch: Count
    """Epoch of the director: of two that claim a station, the higher is right."""
    engines: Count
    """Engines that are enlisted at present."""
    staying: Count | None = None
    """Those of them that do not drain: so many copies of a segment can be made. None: all."""
    heard: Count
    """Number of the newest change of a program that the station knows, with all before it."""
    lease_ms: Annotated[int, Meta(ge=100, le=600_000)] = 15_000
    """So long the rest of this is true without another word."""
    zone: Zone = ""
    load: Fraction = 0.0
    """The share of what its engines may send that is in use: of those that stay, and are heard."""
    free_bps: Count = 0
    """What they may send beyond that, together."""
    free_bytes: Count | None = None
    """Room for segments at all its engines together; None: not known yet."""
    stored_bytes: Count | None = None
    """What they hold together; None: not known yet."""
    high_percent: Annotated[float, Meta(ge=0, le=100)] = 100.0
    """From where on it does without what nobody ordered, in percent of these two together: nothing is moved there that
    would bring it so far."""


class StationRegistered(Struct, frozen=True, kw_only=True):
    """The registry's view."""

    media: str
    """The center's media address: parts of programs are there."""
    newest: Count
    """Number of the newest change of a program."""
    now_ms: Milliseconds
    """The center's time of day."""
    generation: Count
    """Of the last full report of this epoch that the registry knows; the next one has a higher."""
    again_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    """So long a director may wait before it registers again, if that is longer than it would: the more stations a
    center has, the more seldom it hears each of them."""


class ReportLocations(Struct, frozen=True, kw_only=True):
    """A page of all that a station holds, in the order of names: replaces what the registry knew of these programs, and
    of those between them."""

    station: str
    epoch: Count
    generation: Count
    """Of the whole report. What changes after it is heard when its last page has come."""
    after: ProgramId | None = None
    """The last program of the page before; None: this is the first."""
    holdings: tuple[Holding, ...]
    """One cut of a program: the one that the station knows under that name."""
    more: bool = False
    """There is another page; if not, this one goes to the end."""


class AddLocations(Struct, frozen=True, kw_only=True):
    """Segments that are durable at a station now (claims 12, 14, 20: notifying the MLR of the new location), and at how
    many of its engines: more than before, or fewer."""

    station: str
    epoch: Count
    generation: Count
    """Of the full report that this adds to, or takes from."""
    program: ProgramId
    table: Sha256
    segments: SegmentNumbers
    copies: Annotated[int, Meta(ge=1, le=COPIES_MAX)] = 1


class RemoveLocations(Struct, frozen=True, kw_only=True):
    """Segments that no live engine of the station holds any more."""

    station: str
    epoch: Count
    generation: Count
    """Of the full report that this adds to, or takes from."""
    program: ProgramId
    table: Sha256
    segments: SegmentNumbers


STATIONS_SHOWN_MAX = 200


class ListStations(Struct, frozen=True, kw_only=True):
    """Ask for stations by name, a page of them."""

    after: StationText = ""
    """Those whose names come after this one."""
    limit: Annotated[int, Meta(ge=1, le=STATIONS_SHOWN_MAX)] = STATIONS_SHOWN_MAX
    begins: StationText = ""
    """Only those whose names begin so."""
    only: Annotated[tuple[StationText, ...], Meta(max_length=STATIONS_SHOWN_MAX)] = ()
    """Of these alone, whatever else is asked; none: of all."""


class StationRow(Struct, frozen=True, kw_only=True):
    """A station as the registry knows it."""

    station: str
    director: str
    media: str
    """Media address of the director."""
    epoch: Count
    engines: Count
    programs: Count
    """Programs that are whole at the station as they were ordered, or as a home station keeps them."""
    home: bool
    silent_ms: Count
    """Time since the director was last heard."""


class Stations(Struct, frozen=True):
    """A page of stations, by name."""

    stations: tuple[StationRow, ...]
    more: bool = False
    """There are others after the last one."""


class ListDoors(Struct, frozen=True, kw_only=True):
    """A console asks for stations by name, a page of them."""

    after: StationText = ""
    """Those whose names come after this one."""
    limit: Annotated[int, Meta(ge=1, le=STATIONS_SHOWN_MAX)] = STATIONS_SHOWN_MAX
    station: StationText | None = None
    """This one alone, whatever else is asked."""
    program: ProgramId | None = None
    """Only those that hold all of this program."""


class StationDoor(Struct, frozen=True, kw_only=True):
    """Where a station serves consoles."""

    station: str
    media: str
    """Media address of its director."""
    home: bool


class Doors(Struct, frozen=True):
    """A page of the doors of stations, by name."""

    doors: tuple[StationDoor, ...]
    more: bool = False
    """There are others after the last one."""


REGISTER_STATION = Verb(
    "registry/register-station",
    RegisterStation,
    StationRegistered,
    "A director registers its media station (claim 1).",
    callers=(Caller.DIRECTOR,),
)
REPORT_LOCATIONS = Verb(
    "registry/report-locations",
    ReportLocations,
    Done,
    "A director reports all that its station holds, page by page (claim 10).",
    callers=(Caller.DIRECTOR,),
    request_bytes_max=MIB,
)
ADD_LOCATIONS = Verb(
    "registry/add-locations",
    AddLocations,
    Done,
    "A director notifies the registry of new locations (claim 12).",
    callers=(Caller.DIRECTOR,),
    request_bytes_max=MIB,  # the longest set of segments takes a sixth of it
)
REMOVE_LOCATIONS = Verb(
    "registry/remove-locations",
    RemoveLocations,
    Done,
    "A director withdraws locations its station has lost.",
    callers=(Caller.DIRECTOR,),
    request_bytes_max=MIB,  # as above
)
LIST_STATIONS = Verb(
    "registry/stations",
    ListStations,
    Stations,
    "The stations and their directors.",
    callers=(Caller.ANYBODY, Caller.OPERATOR),
    reads=True,
    reply_bytes_max=128 * KIB,  # a page of two hundred, of 64 letters a name
)
LIST_DOORS = Verb(
    "registry/doors",
    ListDoors,
    Doors,
    "Where the stations serve consoles.",
    callers=(Caller.CONSOLE,),
    reads=True,
    reply_bytes_max=128 * KIB,  # a page of two hundred, of 64 letters a name
)
