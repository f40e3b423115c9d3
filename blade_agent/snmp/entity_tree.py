"""The physical entities of a blade or a chassis (RFC 6933): what contains what, under numbers that stay.

An entity's number follows from the slot and the place in the hardware profile, not from what was found first: it is the
same after a restart, and after the blade was out.

| of a board with number b | number |
|---|---|
| the module itself, its main board, its processor | b, b + 1, b + 2 |
| I/O channels | b + 10 and up |
| fans, and their speeds | b + 30, b + 50 and up |
| network ports | b + 70 and up |
| sensors | b + 100 and up |
| power supplies | b + 180 and up |

b is 1 of a blade that answers for itself. In a chassis, which is 1, the management board's is 2, and that of the blade
in slot n is 1000 n + 1; 1000 n is the slot.
"""

from collections import Counter
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.hardware.fan import FanReading
from blade_agent.hardware.reading import Quantity
from blade_agent.snmp.sources import ChassisPicture, HardwareFigures, SensorFigures, SlotPicture, SupplyFigures

BLADE = 1
CHASSIS = 1
_MANAGEMENT_BOARD = 2
_SLOT = 1000

_BOARD, _PROCESSOR, _CHANNELS, _FANS, _SPEEDS, _PORTS, _SENSORS, _SUPPLIES = 1, 2, 10, 30, 50, 70, 100, 180
_CHANNELS_MAX = 20
SENSORS_MAX = _SUPPLIES - _SENSORS
"""That a board has numbers for."""
FANS_MAX = _SPEEDS - _FANS
_PORTS_MAX = 30


class EntityClass(IntEnum):
    """IANAPhysicalClass."""

    CHASSIS = 3
    CONTAINER = 5
    POWER_SUPPLY = 6
    FAN = 7
    SENSOR = 8
    MODULE = 9
    PORT = 10
    CPU = 12


class PhysicalPort(Struct, frozen=True):
    """A network port: its interface."""

    name: str
    if_index: int


class PhysicalEntity(Struct, frozen=True, kw_only=True):
    """A physical entity, and what it is a view of."""

    number: int
    inside: int
    """Number of the entity that contains it; 0 of the outermost one."""
    kind: EntityClass
    name: str
    """Unique, and short enough for the legend of a graph."""
    description: str
    position: int = -1
    """Among its siblings of the same kind; -1 where that says nothing."""
    replaceable: bool = False
    slot: int = 0
    """Of the blade that it belongs to; 0 of the chassis."""
    serial_number: str = ""
    firmware: str = ""
    model: str = ""
    uuid: bytes = b""
    sensor: SensorFigures | None = None
    fan: FanReading | None = None
    supply: SupplyFigures | None = None
    if_index: int = 0
    blade: SlotPicture | None = None


def slot_number(slot: int) -> int:
    """Number of a slot in a chassis."""
    return _SLOT * slot


def module_number(slot: int) -> int:
    """Number of the blade in a slot of a chassis."""
    return _SLOT * slot + 1


def blade_entities(
    blade: SlotPicture, channels: tuple[str, ...] = (), ports: tuple[PhysicalPort, ...] = ()
) -> tuple[PhysicalEntity, ...]:
    """A blade that answers for itself."""
    return _unique(_blade(blade, BLADE, inside=0, prefix="", channels=channels, ports=ports))


def chassis_entities(picture: ChassisPicture) -> tuple[PhysicalEntity, ...]:
    """A chassis with its slots and the blades in them."""
    return _unique(_chassis(picture))


def _chassis(picture: ChassisPicture) -> Iterator[PhysicalEntity]:
    hardware = picture.hardware
    yield PhysicalEntity(
        number=CHASSIS,
        inside=0,
        kind=EntityClass.CHASSIS,
        name="chassis",
        description=f"Chassis of media station {picture.station}",
        serial_number=hardware.serial_number,
        model=hardware.title,
        uuid=hardware.uuid,
    )
    yield PhysicalEntity(
        number=_MANAGEMENT_BOARD,
        inside=CHASSIS,
        kind=EntityClass.MODULE,
        name="manager",
        description=f"Chassis manager, {hardware.title}".rstrip(", "),
        position=0,
        firmware=hardware.firmware,
        model=hardware.title,
    )
    yield from _parts(hardware, _MANAGEMENT_BOARD, 0, "", loose_in=CHASSIS, board=_MANAGEMENT_BOARD)
    for slot in picture.slots:
        yield PhysicalEntity(
            number=slot_number(slot.slot),
            inside=CHASSIS,
            kind=EntityClass.CONTAINER,
            name=f"slot {slot.slot}",
            description=f"Slot {slot.slot}",
            position=slot.slot,
            slot=slot.slot,
        )
        if slot.hot_swap is not HotSwapState.M0_NOT_INSTALLED:
            yield from _blade(
                slot, module_number(slot.slot), inside=slot_number(slot.slot), prefix=f"blade {slot.slot} "
            )


def _blade(
    blade: SlotPicture,
    number: int,
    *,
    inside: int,
    prefix: str,
    channels: tuple[str, ...] = (),
    ports: tuple[PhysicalPort, ...] = (),
) -> Iterator[PhysicalEntity]:
    hardware = blade.hardware or HardwareFigures()
    board = number + _BOARD
    yield PhysicalEntity(
        number=number,
        inside=inside,
        kind=EntityClass.MODULE,
        name=f"blade {blade.slot}",
        description=f"Blade in slot {blade.slot}, {hardware.title}".rstrip(", "),
        position=1,
        replaceable=True,
        slot=blade.slot,
        serial_number=hardware.serial_number,
        firmware=hardware.firmware,
        model=hardware.title,
        uuid=hardware.uuid,
        blade=blade,
    )
    if blade.hardware is None:
        return
    yield PhysicalEntity(
        number=board,
        inside=number,
        kind=EntityClass.MODULE,
        name=f"{prefix}board",
        description="Main board",
        position=1,
        slot=blade.slot,
        model=hardware.title,
    )
    yield PhysicalEntity(
        number=number + _PROCESSOR,
        inside=board,
        kind=EntityClass.CPU,
        name=f"{prefix}CPU",
        description="Processor of the main board",
        position=1,
        slot=blade.slot,
    )
    yield from _parts(hardware, number, blade.slot, prefix, loose_in=number, board=board)
    for place, channel in enumerate(channels[:_CHANNELS_MAX]):
        yield PhysicalEntity(
            number=number + _CHANNELS + place,
            inside=number,
            kind=EntityClass.MODULE,
            name=f"{prefix}channel {place + 1}",
            description=f"I/O channel {channel}",
            position=place + 1,
            slot=blade.slot,
        )
    for place, port in enumerate(ports[:_PORTS_MAX]):
        yield PhysicalEntity(
            number=number + _PORTS + place,
            inside=board,
            kind=EntityClass.PORT,
            name=f"{prefix}port {port.name}",
            description=f"Network port {port.name}",
            position=place + 1,
            slot=blade.slot,
            if_index=port.if_index,
        )


def _parts(
    hardware: HardwareFigures, number: int, slot: int, prefix: str, *, loose_in: int, board: int
) -> Iterator[PhysicalEntity]:
    """Sensors on the board, and fans and supplies where they can be taken out of."""
    for at, sensor in enumerate(hardware.sensors):
        place = at if sensor.place is None else sensor.place
        on_processor = sensor.entity == "processor" and slot
        yield PhysicalEntity(
            number=number + _SENSORS + place,
            inside=number + _PROCESSOR if on_processor else board,
            kind=EntityClass.SENSOR,
            name=f"{prefix}{sensor.name}",
            description=f"{sensor.name}, {sensor.quantity.value} at the {sensor.entity.replace('_', ' ')}",
            position=place + 1,
            slot=slot,
            sensor=sensor,
        )
    for place, fan in enumerate(hardware.fans):
        yield PhysicalEntity(
            number=number + _FANS + place,
            inside=loose_in,
            kind=EntityClass.FAN,
            name=f"{prefix}{fan.name}",
            description=f"Fan {fan.name}",
            position=place + 1,
            slot=slot,
            fan=fan,
        )
        yield PhysicalEntity(
            number=number + _SPEEDS + place,
            inside=number + _FANS + place,
            kind=EntityClass.SENSOR,
            name=f"{prefix}{fan.name} speed",
            description=f"Speed of fan {fan.name}",
            position=1,
            slot=slot,
            sensor=SensorFigures(
                name=f"{fan.name} speed", quantity=Quantity.FAN_SPEED, reading=fan.speed, entity="fan"
            ),
        )
    for place, supply in enumerate(hardware.supplies):
        yield PhysicalEntity(
            number=number + _SUPPLIES + place,
            inside=loose_in,
            kind=EntityClass.POWER_SUPPLY,
            name=f"{prefix}{supply.name}",
            description=f"Power supply {supply.name}, {supply.capacity_w:g} W",
            position=place + 1,
            replaceable=True,
            slot=slot,
            supply=supply,
        )


def is_manager(entity: PhysicalEntity) -> bool:
    """Whether it is the management board of a chassis."""
    return entity.name == "manager"


def is_channel(entity: PhysicalEntity) -> bool:
    """Whether it is an I/O channel of a blade."""
    place = entity.number % _SLOT - BLADE - _CHANNELS
    return entity.kind is EntityClass.MODULE and 0 <= place < _CHANNELS_MAX


def _unique(entities: Iterator[PhysicalEntity]) -> tuple[PhysicalEntity, ...]:
    """Give a second entity of one name its number too: names are what graphs and alarms go by."""
    ordered = sorted(entities, key=_by_number)
    names = Counter(entity.name for entity in ordered)
    seen: set[str] = set()
    return tuple(_named(entity, names, seen) for entity in ordered)


def _named(entity: PhysicalEntity, names: Counter[str], seen: set[str]) -> PhysicalEntity:
    if names[entity.name] == 1 or entity.name not in seen:
        seen.add(entity.name)
        return entity
    return replace(entity, name=f"{entity.name} {entity.number}")


def _by_number(entity: PhysicalEntity) -> int:
    return entity.number
