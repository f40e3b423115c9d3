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
stations:
  - name: north
    slots: 4            # a blade in each; slot 1 is the first director
    channels: 1         # I/O channels of each blade's segment store
    capacity_bps: 800000000
    allow_elsewhere: false  # whether streams go to other hosts than those that ask for them
    baud_rate: 115200   # of the backplane's lines
    profile: emulated
    inlet_c: 22         # of the air that the chassis takes in
    supplies: 2
    blade_cores: 0.5    # how many of this machine's cores a blade is worth: what it uses of them warms it
snmp:                   # beside the two users of SNMPv3 that are generated
  community: public     # of SNMPv2c, read only; without it nobody is answered who proves nothing
  targets:              # who is told of what happens, as the read-only user
    - address: 127.0.0.1:9162
      inform: true      # until it is acknowledged; false for a trap
      community: public # tell it in SNMPv2c instead
```
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from chassis_emulator.data import examples
from chassis_emulator.errors import EmulatorError
from chassis_emulator.topology.yaml_text import yaml_document
from media_network.address import Address
from media_network.document import DocumentError

NETWORKS_MAX = 254
SLOTS_MAX = 16
SUPPLIES_MAX = 2

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


class StationTopology(Struct, frozen=True, kw_only=True):
    """A media station: a chassis with a blade in each slot."""

    name: Name
    slots: Annotated[int, Meta(ge=1, le=SLOTS_MAX, description=f"a whole number from 1 to {SLOTS_MAX}")]
    channels: Annotated[int, Meta(ge=1, le=16, description="a whole number from 1 to 16")] = 1
    capacity_bps: Annotated[int, Meta(gt=0, description="a whole number of bits a second, above 0")] = 800_000_000
    allow_elsewhere: Annotated[bool, Meta(description="true or false")] = False
    baud_rate: BaudRate = 115_200
    profile: Annotated[str, Meta(min_length=1, description="the name of a hardware profile")] = "emulated"
    inlet_c: Annotated[float, Meta(ge=-40, le=80, description="degrees Celsius from -40 to 80")] = 22.0
    supplies: Annotated[int, Meta(ge=1, le=SUPPLIES_MAX, description=f"a number from 1 to {SUPPLIES_MAX}")] = 2
    blade_cores: Annotated[float, Meta(gt=0, le=64, description="a number above 0, at most 64")] = 0.5


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
    """A network: one distribution center and its media stations, in the order of their addresses."""

    network: Annotated[int, Meta(ge=1, le=NETWORKS_MAX, description=f"a whole number from 1 to {NETWORKS_MAX}")]
    name: Name
    center: Center
    stations: Annotated[
        tuple[StationTopology, ...], Meta(min_length=1, max_length=254, description="a list of 1 to 254 stations")
    ]
    snmp: Snmp = Snmp()


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
    for index, station in enumerate(topology.stations):
        if station.baud_rate not in _BAUD_RATES:
            raise TopologyError(
                path, f"stations[{index}].baud_rate", f"is {station.baud_rate}; it must be {_BAUD_RATE}"
            )
    for index, target in enumerate(topology.snmp.targets):
        try:
            Address.parse(target.address)
        except ValueError as error:
            raise TopologyError(path, f"snmp.targets[{index}].address", str(error)) from error
    _refuse_contradictions(path, topology)
    return topology


def _refuse_contradictions(path: Path, topology: Topology) -> None:
    names = [station.name for station in topology.stations]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise TopologyError(
                path, f"stations[{index}].name", f"is {name!r}, as stations[{names.index(name)}].name already is"
            )
    if topology.center.home not in names:
        raise TopologyError(
            path, "center.home", f"is {topology.center.home!r}; it must be one of the stations: {', '.join(names)}"
        )
