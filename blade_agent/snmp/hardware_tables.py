"""What ENTITY-SENSOR-MIB has no place for: mscFanTable, mscSupplyTable and mscSensorTable, by entPhysicalIndex."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blade_agent.snmp.entity_state import fan_turns
from blade_agent.snmp.entity_tree import PhysicalEntity
from blade_agent.snmp.notification_types import FAN_ENTRY, PART_STATE, SENSOR_ENTRY, SUPPLY_ENTRY
from blade_agent.snmp.sensor_scale import CONDITION, VALUE, Condition, condition_of, fixed_point
from blade_agent.snmp.slots import milliwatts
from blade_agent.snmp.sources import SensorFigures, value_of
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.value import COUNTER32, DISPLAY_STRING, GAUGE32

WORKING, FAILED, UNKNOWN = 1, 2, 4
"""Of PartState."""
_OUTSIDE = frozenset({Condition.WARNING, Condition.CRITICAL, Condition.NON_RECOVERABLE})


@dataclass
class WatchedSensor:
    """A sensor, and the condition it is in."""

    entity: PhysicalEntity
    sensor: SensorFigures
    condition: Condition = Condition.UNKNOWN
    crossings: int = 0
    crossed: bool = False
    """With the last update."""


@dataclass
class WatchedPart:
    """A fan or a supply, and whether it works."""

    entity: PhysicalEntity
    state: int = UNKNOWN
    known: int = WORKING
    """The last state that was known: a part that was never seen to work is not told of unless it has failed."""


class HardwareTables:
    """Sensors with their limits, fans, supplies; and which of them changed with the last update."""

    def __init__(self) -> None:
        self._sensors = Rows()
        self._fans = Rows()
        self._supplies = Rows()

    def update(self, entities: Sequence[PhysicalEntity]) -> tuple[list[WatchedSensor], list[WatchedPart]]:
        """Go on to newer readings; gives the sensors and parts whose condition is another now."""
        sensors = _watched(self._sensors, entities)
        judged = [watched for watched in sensors.values() if _judge(watched)]
        replace_changed(self._sensors, sensors)
        changed: list[WatchedPart] = []
        for rows, parts in ((self._fans, _fans(entities)), (self._supplies, _supplies(entities))):
            before = dict(iter(rows))
            changed += [part for index, part in parts.items() if _changed(before.get(index), part)]
            replace_changed(rows, parts)
        return judged, changed

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield from columns(
            FAN_ENTRY,
            self._fans,
            {
                1: (DISPLAY_STRING, lambda part: part.entity.name),
                2: (PART_STATE, lambda part: part.state),
                3: (GAUGE32, lambda part: _rounded(value_of(part.entity.fan.speed))),
                4: (GAUGE32, lambda part: _percent(value_of(part.entity.fan.duty))),
            },
        )
        yield from columns(
            SUPPLY_ENTRY,
            self._supplies,
            {
                1: (DISPLAY_STRING, lambda part: part.entity.supply.name),
                2: (PART_STATE, lambda part: part.state),
                3: (GAUGE32, lambda part: milliwatts(part.entity.supply.capacity_w)),
                4: (GAUGE32, lambda part: milliwatts(part.entity.supply.output_w)),
            },
        )
        yield from columns(
            SENSOR_ENTRY,
            self._sensors,
            {
                1: (CONDITION, lambda watched: int(watched.condition)),
                2: (VALUE, lambda watched: fixed_point(watched.sensor.quantity, watched.sensor.low_critical)),
                3: (VALUE, lambda watched: fixed_point(watched.sensor.quantity, watched.sensor.high_warning)),
                4: (VALUE, lambda watched: fixed_point(watched.sensor.quantity, watched.sensor.high_critical)),
                5: (VALUE, lambda watched: fixed_point(watched.sensor.quantity, watched.sensor.high_fatal)),
                6: (COUNTER32, lambda watched: watched.crossings),
            },
        )


def _watched(rows: Rows, entities: Sequence[PhysicalEntity]) -> dict[Oid, WatchedSensor]:
    before = dict(iter(rows))
    watched: dict[Oid, WatchedSensor] = {}
    for entity in entities:
        if entity.sensor is None:
            continue
        known = before.get((entity.number,))
        if known is None:
            known = WatchedSensor(entity, entity.sensor)
        known.entity, known.sensor = entity, entity.sensor
        watched[entity.number,] = known
    return watched


def _judge(watched: WatchedSensor) -> bool:
    """Take the condition of now; tells whether it is another. To lose a reading, or get it back, crosses no limit."""
    before, watched.condition = watched.condition, condition_of(watched.sensor, watched.condition)
    came_bad = before is Condition.UNKNOWN and watched.condition in _OUTSIDE
    moved = before is not watched.condition and Condition.UNKNOWN not in {before, watched.condition}
    watched.crossed = moved or came_bad
    watched.crossings += watched.crossed
    return before is not watched.condition


def _fans(entities: Sequence[PhysicalEntity]) -> dict[Oid, WatchedPart]:
    fans = (entity for entity in entities if entity.fan is not None)
    return {(fan.number,): WatchedPart(fan, _part_state(fan_turns(fan))) for fan in fans}


def _supplies(entities: Sequence[PhysicalEntity]) -> dict[Oid, WatchedPart]:
    return {
        (entity.number,): WatchedPart(entity, _part_state(entity.supply.works))
        for entity in entities
        if entity.supply is not None
    }


def _part_state(works: object) -> int:
    """PartState of True, False, or None where it is not known."""
    if works is None:
        return UNKNOWN
    return WORKING if works else FAILED


def _changed(before: WatchedPart | None, part: WatchedPart) -> bool:
    """Tell whether a part works now and did not, or the reverse; while that is not known, the last word holds."""
    last = WORKING if before is None else before.known
    part.known = last if part.state == UNKNOWN else part.state
    return part.known != last


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _percent(share: float | None) -> int | None:
    return None if share is None else round(share * 100)
