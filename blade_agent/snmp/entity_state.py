"""How an entity is, in the words of ENTITY-STATE-MIB (RFC 4268): wanted, able to work, in use, alarmed, on duty."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.hardware.reading import KnownReading, Unknown, Why
from blade_agent.snmp.entity_tree import EntityClass, PhysicalEntity
from blade_agent.snmp.sources import SlotPicture, value_of
from media_network.snmp.objects.alarms import Severity
from media_network.snmp.value import enumerated

ADMIN = enumerated(unknown=1, locked=2, shuttingDown=3, unlocked=4)
OPERATIONAL = enumerated(unknown=1, disabled=2, enabled=3, testing=4)
DISABLED, ENABLED = 2, 3
"""Of OPERATIONAL."""
USAGE = enumerated(unknown=1, idle=2, active=3, busy=4)
STANDBY = enumerated(unknown=1, hotStandby=2, coldStandby=3, providingService=4)
_ALARM_BITS = {
    Severity.CRITICAL: 0x20,
    Severity.MAJOR: 0x10,
    Severity.MINOR: 0x08,
    Severity.WARNING: 0x04,
    Severity.INDETERMINATE: 0x02,
}
"""EntityAlarmStatus is BITS: the first, unknown, is the highest of the octet."""


class EntityState(Struct, frozen=True):
    """A row of entStateTable but for its date."""

    admin: int
    operational: int
    usage: int
    alarms: bytes
    standby: int


def state_of(entity: PhysicalEntity, severities: Sequence[Severity]) -> EntityState:
    """Give the state of an entity, with the severities of the alarms on it."""
    bits = 0
    for severity in severities:
        bits |= _ALARM_BITS.get(severity, 0)
    alarms = bytes((bits,))
    if entity.blade is not None:
        return _of_blade(entity.blade, alarms)
    works = _works(entity)
    return EntityState(4, 1 if works is None else ENABLED if works else DISABLED, 3 if works else 1, alarms, 1)


def _of_blade(blade: SlotPicture, alarms: bytes) -> EntityState:
    admin = 2 if not blade.wanted_in_service else 3 if blade.draining else 4
    in_service = blade.hot_swap is HotSwapState.M4_ACTIVE and blade.main_board is MainBoardState.READY
    usage = 1 if blade.streams is None else 3 if blade.streams else 2
    serves = blade.role in {Role.DIRECTOR, Role.ENGINE}
    return EntityState(admin, ENABLED if in_service else DISABLED, usage, alarms, 4 if in_service and serves else 1)


def _works(entity: PhysicalEntity) -> bool | None:
    """Whether a part does what it is for; None where that is not known."""
    if entity.sensor is not None:
        return isinstance(entity.sensor.reading, KnownReading)
    if entity.supply is not None:
        return entity.supply.works
    if entity.fan is not None:
        return fan_turns(entity)
    return None if entity.kind is EntityClass.PORT else True


def fan_turns(entity: PhysicalEntity) -> bool | None:
    """Whether a fan turns as it is driven; None without a tachometer, or of one that stands and may be meant to."""
    fan: Any = entity.fan
    speed = value_of(fan.speed)
    untold = isinstance(fan.duty, Unknown) and fan.duty.why is Why.UNTOLD
    if speed is None or (untold and not speed):
        return None
    return speed > 0 or value_of(fan.duty) == 0.0
