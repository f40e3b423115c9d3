"""A topology: the network a person describes in a YAML file.

```yaml
network: 1              # second number of every address: 127.1.x.y
name: two-stations
center:
  name: main
  home: home            # which of the stations is its home media station
  providers:            # whom it may download from
    - name: studio
      address: https://vod.example/films/
  cost:                 # what directors count when they choose from where to copy; each from 0 to 1000
    distance: 1.0
stations:
  - name: north
    zone: hamburg       # a city, a room, a rack
    slots: 4            # a blade in each; slot 1 is the first director
    channels: 1         # I/O channels of each blade's segment store
    capacity_bps: 800000000
    pause_s: 3600       # how long a console may pause its stream; then its session ends
    allow_elsewhere: false  # whether streams go to other hosts than those that ask for them
    playlists_name_engines: false  # whether HLS players ask engines for segments, or the director, which redirects
    baud_rate: 115200   # of the backplane's lines
    profile: emulated
    inlet_c: 22         # of the air that the chassis takes in
    supplies: 2
    blade_cores: 0.5    # how many of this machine's cores a blade is worth: what it uses of them warms it
other_centers:          # several centers: the one above is then the headquarters, with the media asset management
  - name: east
    home: home          # names of stations are unique within a center only
    stations:
      - name: home
        slots: 2
distances:              # how far the zones of the stations are from each other
  default_km: 1000      # between zones of which nothing is said
  between:
    - zones: [hamburg, berlin]
      km: 255
pki: false              # whether machines show each other certificates, of an authority in the network's state folder
authentication: false   # whether consoles have to show tokens; there is an authentication server then
accounts: false         # whether there are subscriber management and billing as well
snmp:                   # beside the two users of SNMPv3 that are generated
  community: public     # of SNMPv2c, read only; without it nobody is answered who proves nothing
  targets:              # who is told of what happens, as the read-only user
    - address: 127.0.0.1:9162
      inform: true      # until it is acknowledged; false for a trap
      community: public # tell it in SNMPv2c instead
```
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from chassis_emulator.data import examples
from chassis_emulator.errors import EmulatorError
from chassis_emulator.topology.yaml_text import yaml_document
from distribution_center.distances import DistanceSettings
from media_network.address import Address
from media_network.document import DocumentError
from media_network.fields import Zone
from media_network.legal_values import did_you_mean
from media_network.messages.sources import CostWeights
from media_network.messages.steering import PAUSE_S, PAUSE_S_MAX

NETWORKS_MAX = 254
CENTERS_MAX = 16
STATIONS_MAX = 254
SLOTS_MAX = 16
SUPPLIES_MAX = 2
VIEWER = "viewer"
"""The subscriber who is generated for a network that asks for tokens."""

Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$",
        description="at most 32 lower case letters, digits and inner hyphens",
    ),
]
_BAUD_RATES = (9600, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600, 1_000_000, 1_500_000)
_BAUD_RATE = f"one of {', '.join(map(str, _BAUD_RATES))}"
Community = Annotated[str, Meta(max_length=64, description="at most 64 letters")]
BaudRate = Annotated[int, Meta(description=_BAUD_RATE)]


class ProviderTopology(Struct, frozen=True, kw_only=True):
    """Whom a center may download from."""

    name: Name
    address: Annotated[str, Meta(min_length=1, description="a URL: what is below it may be downloaded")]


class Center(Struct, frozen=True, kw_only=True):
    """The distribution center."""

    name: Name
    home: Name
    """The station that is its home media station."""
    providers: Annotated[
        tuple[ProviderTopology, ...], Meta(max_length=64, description="a list of 1 to 64 providers")
    ] = ()
    cost: CostWeights = CostWeights()
    """What directors count when they choose from where to copy."""


class StationTopology(Struct, frozen=True, kw_only=True):
    """A media station: a chassis with a blade in each slot."""

    name: Name
    zone: Zone = ""
    """A city, a room, a rack, by the name that `distances` has."""
    slots: Annotated[int, Meta(ge=1, le=SLOTS_MAX, description=f"a whole number from 1 to {SLOTS_MAX}")]
    channels: Annotated[int, Meta(ge=1, le=16, description="a whole number from 1 to 16")] = 1
    capacity_bps: Annotated[int, Meta(gt=0, description="a whole number of bits a second, above 0")] = 800_000_000
    pause_s: Annotated[
        int, Meta(ge=1, le=PAUSE_S_MAX, description=f"a whole number of seconds from 1 to {PAUSE_S_MAX}")
    ] = PAUSE_S
    allow_elsewhere: Annotated[bool, Meta(description="true or false")] = False
    playlists_name_engines: Annotated[bool, Meta(description="true or false")] = False
    baud_rate: BaudRate = 115_200
    profile: Annotated[str, Meta(min_length=1, description="the name of a hardware profile")] = "emulated"
    inlet_c: Annotated[float, Meta(ge=-40, le=80, description="degrees Celsius from -40 to 80")] = 22.0
    supplies: Annotated[int, Meta(ge=1, le=SUPPLIES_MAX, description=f"a number from 1 to {SUPPLIES_MAX}")] = 2
    blade_cores: Annotated[float, Meta(gt=0, le=64, description="a number above 0, at most 64")] = 0.5


Stations = Annotated[
    tuple[StationTopology, ...],
    Meta(min_length=1, max_length=STATIONS_MAX, description=f"a list of 1 to {STATIONS_MAX} stations"),
]


class CenterWithStations(Center, frozen=True, kw_only=True):
    """A distribution center with the media stations that belong to it."""

    stations: Stations


class SnmpTarget(Struct, frozen=True, kw_only=True):
    """A receiver of traps or informs."""

    address: Annotated[str, Meta(description="HOST:PORT")]
    inform: Annotated[bool, Meta(description="true or false")] = False
    community: Community = ""


class Snmp(Struct, frozen=True, kw_only=True):
    """What SNMP is used for beside the users that are generated."""

    community: Community = ""
    targets: Annotated[tuple[SnmpTarget, ...], Meta(max_length=8, description="a list of 1 to 8 targets")] = ()


class Topology(Struct, frozen=True, kw_only=True):
    """A network: a distribution center and its media stations, in the order of their addresses; and other centers."""

    network: Annotated[int, Meta(ge=1, le=NETWORKS_MAX, description=f"a whole number from 1 to {NETWORKS_MAX}")]
    name: Name
    center: Center
    """Of several, the headquarters."""
    stations: Stations
    """Those of `center`."""
    other_centers: Annotated[
        tuple[CenterWithStations, ...],
        Meta(max_length=CENTERS_MAX - 1, description=f"a list of 1 to {CENTERS_MAX - 1} centers"),
    ] = ()
    distances: DistanceSettings = DistanceSettings()
    """How far the zones of its stations are from each other."""
    snmp: Snmp = Snmp()
    pki: Annotated[bool, Meta(description="true or false")] = False
    """Whether machines speak to each other over TLS and show certificates, as do commands."""
    authentication: Annotated[bool, Meta(description="true or false")] = False
    """Whether stations ask consoles for tokens, of an authentication server that is part of the network then: one for
    the stations of all centers."""
    accounts: Annotated[bool, Meta(description="true or false")] = False
    """Whether they ask subscriber management, too, and hand over to billing what was used: one for all centers."""

    @property
    def centers(self) -> tuple[CenterWithStations, ...]:
        """All of them with their stations, the headquarters first."""
        first = self.center
        whole = CenterWithStations(
            name=first.name, home=first.home, providers=first.providers, cost=first.cost, stations=self.stations
        )
        return (whole, *self.other_centers)

    @property
    def every_station(self) -> tuple[StationTopology, ...]:
        """The stations of all centers, in the order of their addresses."""
        return tuple(station for center in self.centers for station in center.stations)

    def station_name(self, center: str, station: str) -> str:
        """What a station is called in the whole network: `north`, or `east.north` where there are several centers."""
        return f"{center}.{station}" if self.other_centers else station


class TopologyError(DocumentError, EmulatorError):
    """A topology that cannot be brought up."""

    hint = "The topologies in examples/ show every key; `chassis-emulator up --help` names them."


def find_topology(name: str) -> Path:
    """The file that a person names: a path, or one of the examples. Raises TopologyError."""
    path = Path(name)
    if path.exists():
        return path
    known = examples()
    if name in known:
        return known[name]
    raise TopologyError(path, "", f"there is no such file, and no example of that name ({', '.join(known)})")


def read_topology(path: Path) -> Topology:
    """Read a topology file. Raises TopologyError that names the key at fault and what it may be."""
    topology = yaml_document(path, "topology", TopologyError).whole(Topology)
    for center, at in _centers_and_keys(topology):
        for index, station in enumerate(center.stations):
            if station.baud_rate not in _BAUD_RATES:
                raise TopologyError(
                    path, f"{at}stations[{index}].baud_rate", f"is {station.baud_rate}; it must be {_BAUD_RATE}"
                )
    for index, target in enumerate(topology.snmp.targets):
        try:
            Address.parse(target.address)
        except ValueError as error:
            raise TopologyError(path, f"snmp.targets[{index}].address", str(error)) from error
    _refuse_contradictions(path, topology)
    return topology


def _centers_and_keys(topology: Topology) -> Iterator[tuple[CenterWithStations, str]]:
    """Each center, and what stands before its keys."""
    for index, center in enumerate(topology.centers):
        yield center, f"other_centers[{index - 1}]." if index else ""


def _refuse_contradictions(path: Path, topology: Topology) -> None:
    if topology.accounts and not topology.authentication:
        raise TopologyError(path, "accounts", "is true; that needs `authentication: true`, for tokens say who it is")
    named: dict[str, str] = {}
    for center, at in _centers_and_keys(topology):
        key = f"{at}name" if at else "center.name"
        if center.name in named:
            raise TopologyError(path, key, f"is {center.name!r}, as {named[center.name]} already is")
        named[center.name] = key
        _refuse_stations(path, center, at)
    stations = len(topology.every_station)
    if stations > STATIONS_MAX:
        raise TopologyError(path, "other_centers", f"have {stations} stations in all; there are {STATIONS_MAX} at most")
    _refuse_zones(path, topology)


def _refuse_stations(path: Path, center: CenterWithStations, at: str) -> None:
    names = [station.name for station in center.stations]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise TopologyError(
                path,
                f"{at}stations[{index}].name",
                f"is {name!r}, as {at}stations[{names.index(name)}].name already is",
            )
    if center.home not in names:
        key = f"{at}home" if at else "center.home"
        raise TopologyError(path, key, f"is {center.home!r}; it must be one of the stations: {', '.join(names)}")


def _refuse_zones(path: Path, topology: Topology) -> None:
    zones = sorted({station.zone for station in topology.every_station if station.zone})
    for index, pair in enumerate(topology.distances.between):
        for place, zone in enumerate(pair.zones):
            if zone not in zones:
                reason = (
                    f"is {zone!r}{did_you_mean(zone, zones)}; no station is there, but in: {', '.join(zones) or 'none'}"
                )
                raise TopologyError(path, f"distances.between[{index}].zones[{place}]", reason)
