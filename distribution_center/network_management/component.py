"""What is managed: distribution centers, media stations, chassis and blades, as one tree."""

from enum import StrEnum

from msgspec import Struct

from media_network.address import Address


class Kind(StrEnum):
    """What a component is."""

    HEADQUARTERS = "headquarters"
    CENTER = "center"
    STATION = "station"
    CHASSIS = "chassis"
    BLADE = "blade"


class Component(Struct, frozen=True, kw_only=True):
    """One component. A station has no agent of its own: it is as well as its parts are."""

    component: str
    """Unique: `@center`, `north`, `north/chassis`, `north/3`; of several centers `@/headquarters`, `east.north/3`."""
    kind: Kind
    label: str
    """What people call it."""
    parent: str = ""
    slot: int = 0
    """Of a blade."""
    agent: Address | None = None
    """Where its SNMP agent answers, if it has one."""


def called(component: Component, name: str) -> str:
    """What is said of it in a sentence; `name` is what it calls itself, if it has said so."""
    if component.kind is Kind.HEADQUARTERS:
        return "the headquarters"
    return f"center {name or component.label}" if component.kind is Kind.CENTER else component.component


HEADQUARTERS_ID = "@/headquarters"
"""No center can have this name."""


def center_id(center: str) -> str:
    """Of a center; no station can have this name."""
    return f"@{center}"


def station_id(center: str, station: str) -> str:
    """Of a station of a center; one that stands alone has no name."""
    return f"{center}.{station}" if center else station


def chassis_id(station: str) -> str:
    """Of the chassis of a station."""
    return f"{station}/chassis"


def blade_id(station: str, slot: int) -> str:
    """Of a blade."""
    return f"{station}/{slot}"


def station_of(component: str) -> str:
    """The station that a component belongs to; none of a center."""
    return "" if component.startswith("@") else component.partition("/")[0]


def is_part_of(component: str, whole: str) -> bool:
    """Whether a component is another one, or in it; everything is part of the whole without a name."""
    return not whole or component == whole or component.startswith(f"{whole}/")
