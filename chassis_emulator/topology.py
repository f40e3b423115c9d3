"""A topology: the network a person describes in a YAML file.

```yaml
network: 1              # second number of every address: 127.1.x.y
name: two-stations
center:
  name: main
  home: home            # which of the stations is its home media station
stations:
  - name: north
    slots: 4            # a blade in each; slot 1 is the first director
    channels: 1         # I/O channels of each blade's segment store
    capacity_bps: 800000000
    baud_rate: 115200   # of the backplane's lines
    profile: emulated
```
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec
import yaml
from msgspec import NODEFAULT, Meta, Struct

from chassis_emulator.data import examples
from chassis_emulator.errors import TopologyError

SLOTS_MAX = 16

Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$",
        description="at most 32 lower case letters, digits and inner hyphens",
    ),
]
_BAUD_RATES = (9600, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600, 1_000_000, 1_500_000)
BaudRate = Annotated[int, Meta(description=f"one of {', '.join(map(str, _BAUD_RATES))}")]


class Center(Struct, frozen=True, kw_only=True):
    """The distribution center."""

    name: Name
    home: Name
    """The station that is its home media station."""


class Station(Struct, frozen=True, kw_only=True):
    """A media station: a chassis with a blade in each slot."""

    name: Name
    slots: Annotated[int, Meta(ge=1, le=SLOTS_MAX, description=f"a whole number from 1 to {SLOTS_MAX}")]
    channels: Annotated[int, Meta(ge=1, le=16, description="a whole number from 1 to 16")] = 1
    capacity_bps: Annotated[int, Meta(gt=0, description="a whole number of bits a second, above 0")] = 800_000_000
    baud_rate: BaudRate = 115_200
    profile: Annotated[str, Meta(min_length=1, description="the name of a hardware profile")] = "emulated"


class Topology(Struct, frozen=True, kw_only=True):
    """A network: one distribution center and its media stations, in the order of their addresses."""

    network: Annotated[int, Meta(ge=1, le=254, description="a whole number from 1 to 254")]
    name: Name
    center: Center
    stations: Annotated[
        tuple[Station, ...], Meta(min_length=1, max_length=254, description="a list of 1 to 254 stations")
    ]


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
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 -- _Loader is a SafeLoader
    except OSError as error:
        raise TopologyError(path, "", f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TopologyError(path, "", "is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise TopologyError(path, "", f"is not YAML: {_yaml_reason(error)}") from error
    topology = _read_struct(path, Topology, document, "")
    _refuse_contradictions(path, topology)
    return topology


class _Loader(yaml.SafeLoader):
    """YAML's loader takes the last of two equal keys without a word; this one refuses them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- the signature is yaml's
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _yaml_reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


_Read = TypeVar("_Read", bound=Struct)


def _read_struct(path: Path, kind: type[_Read], document: object, at: str) -> _Read:
    """Read one mapping, key by key, so that an error knows the key, its index and what it may be."""
    if not isinstance(document, dict):
        raise TopologyError(path, at, f"must be a mapping with the keys {', '.join(kind.__struct_fields__)}")
    prefix = f"{at}." if at else ""
    for key in document:
        if key not in kind.__struct_fields__:
            legal = ", ".join(kind.__struct_fields__)
            raise TopologyError(path, f"{prefix}{key}", f"is not a key of a topology; here are: {legal}")
    types = get_type_hints(kind, include_extras=True)
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in document:
            values[field.name] = _read_value(path, types[field.name], document[field.name], f"{prefix}{field.name}")
        elif field.default is NODEFAULT:
            raise TopologyError(path, f"{prefix}{field.name}", "is missing")
    return kind(**values)


def _read_value(path: Path, kind: Any, value: object, at: str) -> object:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _read_struct(path, kind, value, at)
    plain, *metas = get_args(kind)
    limits: Meta = metas[0]
    if get_args(plain):
        if not isinstance(value, list) or not 0 < len(value) <= (limits.max_length or 0):
            raise TopologyError(path, at, f"must be {limits.description}")
        item = get_args(plain)[0]
        return tuple(_read_value(path, item, entry, f"{at}[{index}]") for index, entry in enumerate(value))
    try:
        known = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise TopologyError(path, at, f"is {_shown(value)}; it must be {limits.description}") from error
    if kind is BaudRate and known not in _BAUD_RATES:
        raise TopologyError(path, at, f"is {_shown(value)}; it must be {limits.description}")
    return known


def _shown(value: object) -> str:
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


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
