"""MEDIA-STATION-CHASSIS-MIB: a chassis as its manager shows it, or the one slot that a blade shows of itself.

Pictures go in when something changed; what changed between two of them goes out as notifications and alarms.
"""

from collections.abc import Callable, Iterator

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.hardware.reading import KnownReading
from blade_agent.snmp.entity import EntityObjects
from blade_agent.snmp.entity_tree import PhysicalEntity
from blade_agent.snmp.hardware_tables import FAILED, HardwareTables, WatchedPart, WatchedSensor
from blade_agent.snmp.notification_types import FAN_CHANGE, HOT_SWAP_CHANGE, ROLE_CHANGE, SENSOR_CHANGE, SUPPLY_CHANGE
from blade_agent.snmp.sensor_scale import UNITS, Condition, fixed_point, written
from blade_agent.snmp.slots import SlotTables, milliwatts, role_number
from blade_agent.snmp.sources import ChassisPicture, SlotOrders, SlotPicture
from media_network.snmp.index import ObjectType, scalar
from media_network.snmp.objects.alarms import AlarmCause, AlarmKind, Alarms, Severity
from media_network.snmp.objects.arcs import CHASSIS
from media_network.snmp.objects.notification import Notification, NotificationType, notification
from media_network.snmp.objects.times import Uptime
from media_network.snmp.value import COUNTER32, GAUGE32, INTEGER32, OCTET_STRING, TIME_TICKS

_CHASSIS = (*CHASSIS, 1, 1)
_POWER = (*CHASSIS, 1, 2)
_SEVERITIES = {
    Condition.WARNING: Severity.WARNING,
    Condition.CRITICAL: Severity.MAJOR,
    Condition.NON_RECOVERABLE: Severity.CRITICAL,
}
_OF_PARTS = frozenset({AlarmKind.SENSOR_THRESHOLD, AlarmKind.FAN_FAILED, AlarmKind.SUPPLY_FAILED})


class ChassisObjects:
    """A chassis."""

    def __init__(
        self,
        *,
        uptime: Uptime,
        alarms: Alarms,
        tell: Callable[[Notification], None],
        entities: EntityObjects,
        tree: Callable[[ChassisPicture], tuple[PhysicalEntity, ...]],
        entity_of: Callable[[int], int],
        orders: SlotOrders | None = None,
        whole: bool = True,
    ) -> None:
        """`tree` makes the entities, `entity_of` gives the number of the blade in a slot.

        `whole` is whether this is a chassis manager, which tells of lost blades and of a chassis without a director.
        """
        self._uptime = uptime
        self._alarms = alarms
        self._tell = tell
        self._entities = entities
        self._tree = tree
        self._whole = whole
        self._slots = SlotTables(entity_of, orders)
        self._hardware = HardwareTables()
        self._entity_of = entity_of
        self._picture = ChassisPicture(station="")
        self._roles: dict[int, Role] = {}
        self._role_changes = 0
        self._hot_swap_changes = 0
        self._changed_ticks = 0

    def update(self, picture: ChassisPicture) -> None:
        """Show the chassis like this from now on, and tell what is new."""
        ticks = self._uptime.ticks()
        before = {slot.slot: slot for slot in self._picture.slots}
        self._picture = picture
        self._slots.update(picture.slots, ticks)
        tree = self._tree(picture)
        judged, parts = self._hardware.update(tree)
        for slot in picture.slots:
            self._compare(before.get(slot.slot), slot, ticks)
        for watched in judged:
            self._tell_sensor(watched)
        for part in parts:
            self._tell_part(part)
        self._set_chassis_alarms(picture)
        self._forget_gone({entity.number for entity in tree})
        self._entities.update(tree, self._severities())

    def count(self, slot: SlotPicture) -> None:
        """Show what is counted of a slot, of which nothing else has changed."""
        self._slots.count(slot)

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`. The entities are a provider of their own."""
        yield scalar((*_CHASSIS, 1), OCTET_STRING, self._station)
        yield scalar((*_CHASSIS, 2), GAUGE32, lambda: self._picture.epoch)
        yield scalar((*_CHASSIS, 3), INTEGER32, lambda: self._picture.director or 0)
        yield scalar((*_CHASSIS, 4), GAUGE32, lambda: len(self._picture.slots))
        yield scalar((*_CHASSIS, 5), GAUGE32, self._active)
        yield scalar((*_CHASSIS, 6), COUNTER32, lambda: self._role_changes)
        yield scalar((*_CHASSIS, 7), COUNTER32, lambda: self._hot_swap_changes)
        yield scalar((*_CHASSIS, 8), TIME_TICKS, lambda: self._changed_ticks)
        yield scalar((*_POWER, 1), GAUGE32, lambda: milliwatts(self._picture.budget_w))
        yield scalar((*_POWER, 2), GAUGE32, lambda: milliwatts(self._picture.granted_w))
        yield scalar((*_POWER, 3), GAUGE32, lambda: milliwatts(self._picture.observed_w))
        yield from self._slots.objects()
        yield from self._hardware.objects()

    def _station(self) -> bytes:
        return self._picture.station.encode()

    def _active(self) -> int:
        return sum(slot.hot_swap is HotSwapState.M4_ACTIVE for slot in self._picture.slots)

    def _compare(self, before: SlotPicture | None, slot: SlotPicture, ticks: int) -> None:
        """Tell what is new of a slot. The first picture of a slot is no change, but what is wrong in it is wrong."""
        if before is not None and before.hot_swap is not slot.hot_swap:
            self._hot_swap_changes += 1
            self._changed_ticks = ticks
            self._tell_slot(HOT_SWAP_CHANGE, slot, before)
        if before is not None and self._has_another_role(slot):
            self._role_changes += 1
            self._changed_ticks = ticks
            self._tell_slot(ROLE_CHANGE, slot, before)
        self._note_role(slot)
        self._set_slot_alarms(slot)

    def _has_another_role(self, slot: SlotPicture) -> bool:
        known = self._roles.get(slot.slot)
        return known is not None and slot.role is not None and known is not slot.role

    def _note_role(self, slot: SlotPicture) -> None:
        """A blade that is lost has the role it had until it is heard again; one that is taken out has none."""
        if slot.hot_swap is HotSwapState.M0_NOT_INSTALLED:
            self._roles[slot.slot] = Role.UNASSIGNED
        elif slot.role is not None:
            self._roles[slot.slot] = slot.role

    def _tell_slot(self, kind: NotificationType, slot: SlotPicture, before: SlotPicture) -> None:
        values = {
            "mscStation": self._station(),
            "mscEpoch": self._picture.epoch,
            "mscDirectorSlot": self._picture.director or 0,
            "mscSlotHotSwapState": int(slot.hot_swap),
            "mscSlotHotSwapBefore": int(before.hot_swap),
            "mscSlotRole": role_number(slot.role),
        }
        self._tell(notification(kind, (slot.slot,), values))

    def _set_slot_alarms(self, slot: SlotPicture) -> None:
        entity = self._entity_of(slot.slot)
        if self._whole:
            lost = AlarmCause(
                kind=AlarmKind.BLADE_LOST,
                severity=Severity.MAJOR,
                slot=slot.slot,
                entity=entity,
                resource=f"blade {slot.slot}",
                text=f"The blade in slot {slot.slot} does not answer: it was pulled without a word, or hangs.",
            )
            self._alarms.set_alarm(lost, wrong=slot.hot_swap is HotSwapState.M7_COMMUNICATION_LOST)
        failed = AlarmCause(
            kind=AlarmKind.BLADE_FAILED,
            severity=Severity.MAJOR,
            slot=slot.slot,
            entity=entity,
            resource=f"blade {slot.slot}",
            text=f"The main board in slot {slot.slot} has failed.",
        )
        self._alarms.set_alarm(failed, wrong=slot.main_board is MainBoardState.FAILED)

    def _set_chassis_alarms(self, picture: ChassisPicture) -> None:
        if not self._whole:
            return
        blades = any(slot.hot_swap is HotSwapState.M4_ACTIVE for slot in picture.slots)
        leaderless = AlarmCause(
            kind=AlarmKind.NO_DIRECTOR,
            severity=Severity.CRITICAL,
            resource=picture.station,
            text=f"Media station {picture.station} has blades in service and no media director.",
        )
        self._alarms.set_alarm(leaderless, wrong=blades and picture.director is None)
        short = AlarmCause(
            kind=AlarmKind.POWER_SHORT,
            severity=Severity.MAJOR,
            resource="power budget",
            text="The blades may draw more than the supplies give.",
        )
        over = picture.budget_w is not None and (picture.granted_w or 0.0) > picture.budget_w
        self._alarms.set_alarm(short, wrong=over)

    def _tell_sensor(self, watched: WatchedSensor) -> None:
        sensor, entity, form = watched.sensor, watched.entity, written(watched.sensor.quantity)
        cause = AlarmCause(
            kind=AlarmKind.SENSOR_THRESHOLD,
            severity=_SEVERITIES.get(watched.condition, Severity.WARNING),
            slot=entity.slot,
            entity=entity.number,
            resource=entity.name,
            text=_sentence(watched),
        )
        if watched.crossed and isinstance(sensor.reading, KnownReading):
            values = {
                "mscStation": self._station(),
                "entPhysicalName": entity.name,
                "entPhySensorType": form.data_type,
                "entPhySensorScale": UNITS,
                "entPhySensorPrecision": form.precision,
                "entPhySensorValue": fixed_point(sensor.quantity, sensor.reading.value),
                "mscSensorCondition": int(watched.condition),
            }
            self._tell(notification(SENSOR_CHANGE, (entity.number,), values))
        if watched.condition is not Condition.UNKNOWN:
            self._alarms.set_alarm(cause, wrong=watched.condition in _SEVERITIES)

    def _tell_part(self, part: WatchedPart) -> None:
        entity, is_fan = part.entity, part.entity.fan is not None
        values = {
            "mscStation": self._station(),
            "entPhysicalName": entity.name,
            "mscFanState": part.state,
            "mscSupplyState": part.state,
            "mscPowerBudget": milliwatts(self._picture.budget_w) or 0,
        }
        self._tell(notification(FAN_CHANGE if is_fan else SUPPLY_CHANGE, (entity.number,), values))
        cause = AlarmCause(
            kind=AlarmKind.FAN_FAILED if is_fan else AlarmKind.SUPPLY_FAILED,
            severity=Severity.MAJOR,
            slot=entity.slot,
            entity=entity.number,
            resource=entity.name,
            text=f"{entity.name} {'does not turn' if is_fan else 'gives no power'}.",
        )
        self._alarms.set_alarm(cause, wrong=part.state == FAILED)

    def _forget_gone(self, there: set[int]) -> None:
        """A part that is not there any more is not out of order: its alarms are cleared."""
        for alarm in self._alarms.active():
            if alarm.cause.kind in _OF_PARTS and alarm.cause.entity not in there:
                self._alarms.clear_alarm(alarm.cause)

    def _severities(self) -> dict[int, list[Severity]]:
        by_entity: dict[int, list[Severity]] = {}
        for alarm in self._alarms.active():
            if alarm.cause.entity:
                by_entity.setdefault(alarm.cause.entity, []).append(alarm.cause.severity)
        return by_entity


def _sentence(watched: WatchedSensor) -> str:
    sensor = watched.sensor
    if not isinstance(sensor.reading, KnownReading):
        return f"{watched.entity.name} has no reading."
    reading = f"{sensor.reading.value:.4g} {written(sensor.quantity).unit}"
    return f"{watched.entity.name} is at {reading}: {watched.condition.name.lower().replace('_', ' ')}."
