"""ENTITY-MIB version 4, ENTITY-SENSOR-MIB and ENTITY-STATE-MIB (RFC 6933, 3433, 4268): one tree, three faces."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from blade_agent.hardware.reading import KnownReading
from blade_agent.snmp.entity_state import (
    ADMIN,
    DISABLED,
    ENABLED,
    OPERATIONAL,
    STANDBY,
    USAGE,
    EntityState,
    state_of,
)
from blade_agent.snmp.entity_tree import PhysicalEntity
from blade_agent.snmp.notification_types import CONFIG_CHANGE, ENTITY_DISABLED, ENTITY_ENABLED, STATE_ENTRY
from blade_agent.snmp.sensor_scale import (
    DATA_TYPE,
    PRECISION,
    SCALE,
    STATUS,
    UNITS,
    VALUE,
    fixed_point,
    status_of,
    written,
)
from blade_agent.snmp.sources import SensorFigures, value_of
from blade_agent.snmp.vendor_types import vendor_type_of
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.objects.alarms import Severity
from media_network.snmp.objects.arcs import MIB_2
from media_network.snmp.objects.notification import Notification, notification
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.objects.times import Uptime, date_and_time, wall_clock
from media_network.snmp.value import (
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    OBJECT_ID,
    OCTET_STRING,
    TIME_TICKS,
    TRUTH_VALUE,
    enumerated,
    truth,
)

_ENTITY = (*MIB_2, 47, 1)
_PHYSICAL_ENTRY = (*_ENTITY, 1, 1, 1)
_LOGICAL_ENTRY = (*_ENTITY, 2, 1, 1)
_LP_ENTRY = (*_ENTITY, 3, 1, 1)
_ALIAS_ENTRY = (*_ENTITY, 3, 2, 1)
_CONTAINS_ENTRY = (*_ENTITY, 3, 3, 1)
_SENSOR_ENTRY = (*MIB_2, 99, 1, 1, 1)
_IF_INDEX = (*MIB_2, 2, 2, 1, 1)
_UDP_DOMAIN: Oid = (1, 3, 6, 1, 6, 1, 1)
"""snmpUDPDomain (RFC 3417)."""
_UNKNOWN_DATE = bytes(8)
_THROTTLE_TICKS = 500
"""entConfigChange is told no more often than every five seconds (RFC 6933, 3)."""
_TICKS = 1 << 32
_TOLD_STATES = {DISABLED: ENTITY_DISABLED, ENABLED: ENTITY_ENABLED}

_CLASS = enumerated(
    other=1,
    unknown=2,
    chassis=3,
    backplane=4,
    container=5,
    powerSupply=6,
    fan=7,
    sensor=8,
    module=9,
    port=10,
    stack=11,
    cpu=12,
    energyObject=13,
    battery=14,
)


class LogicalEntity(Struct, frozen=True, kw_only=True):
    """An agent that can be asked about a part: here, a context of this one."""

    number: int
    description: str
    context: bytes
    """`blade3`."""
    entity: int
    """Number of the physical entity that it is about."""


class AgentFacts(Struct, frozen=True, kw_only=True):
    """Where the agent that answers for the logical entities is."""

    engine_id: bytes
    address: bytes
    """Of the agent's socket: 4 octets of IPv4 and 2 of the port."""
    logical_type: Oid
    """The module that a logical entity implements first of all."""


class _StateRow(Struct, frozen=True):
    state: EntityState
    changed: bytes


class EntityObjects:
    """The entities of an agent, or of one context of it."""

    def __init__(
        self,
        uptime: Uptime,
        *,
        tell: Callable[[Notification], None],
        logical: Sequence[LogicalEntity] = (),
        agent: AgentFacts | None = None,
        update_rate_ms: int = 1000,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self._uptime = uptime
        self._tell = tell
        self.settled = True
        """Whether all has been found that was there from the start: what is found before is no change."""
        self._logical = Rows(((one.number,), one) for one in logical)
        self._agent = agent
        self._update_rate_ms = update_rate_ms
        self._wall = wall
        self._physical = Rows()
        self._contains = Rows()
        self._aliases = Rows()
        self._sensors = Rows()
        self._states = Rows()
        self._mapped = Rows()
        self._shape: tuple[object, ...] = ()
        self._changed_ticks = 0
        self._change_untold = False
        self._told_ticks: int | None = None
        self._read_ticks = 0

    def update(self, entities: Iterable[PhysicalEntity], alarms: Mapping[int, Sequence[Severity]]) -> None:
        """Show these entities from now on, with the severities of the alarms on each, by its number."""
        shown: dict[Oid, PhysicalEntity] = {(entity.number,): entity for entity in entities}
        replace_changed(self._physical, shown)
        self._read_ticks = self._uptime.ticks()
        shape = tuple((entity.number, entity.inside, entity.name, entity.model) for entity in shown.values())
        if shape != self._shape:
            self._change_untold |= self.settled and self._shape != ()
            self._shape = shape
            self._changed_ticks = self._read_ticks
            self._contains.replace(
                ((entity.inside, entity.number), entity) for entity in shown.values() if entity.inside
            )
            self._aliases.replace(((entity.number, 0), entity) for entity in shown.values() if entity.if_index)
            self._mapped.replace(
                ((one.number, one.entity), one.entity) for _, one in self._logical if (one.entity,) in shown
            )
        replace_changed(
            self._sensors, {index: entity.sensor for index, entity in shown.items() if entity.sensor is not None}
        )
        self._show_states(shown, alarms)
        self._tell_of_change()

    def _tell_of_change(self) -> None:
        """Tell that entLastChangeTime has changed; what changes soon after that is told once when the time is over."""
        since = None if self._told_ticks is None else (self._read_ticks - self._told_ticks) % _TICKS
        if self._change_untold and (since is None or since >= _THROTTLE_TICKS):
            self._change_untold, self._told_ticks = False, self._read_ticks
            self._tell(notification(CONFIG_CHANGE, (), {}))

    def _show_states(self, shown: Mapping[Oid, PhysicalEntity], alarms: Mapping[int, Sequence[Severity]]) -> None:
        before = dict(iter(self._states))
        states: dict[Oid, _StateRow] = {}
        for index, entity in shown.items():
            state = state_of(entity, alarms.get(entity.number, ()))
            known = before.get(index)
            if known is not None and known.state == state:
                states[index] = known
            else:
                states[index] = _StateRow(state, date_and_time(self._wall()))
                if known is not None and entity.sensor is None:
                    self._tell_of_state(index, known.state, state)
        replace_changed(self._states, states)

    def _tell_of_state(self, index: Oid, before: EntityState, state: EntityState) -> None:
        """Tell that an entity has become able to do what it is for, or unable. Of sensors mscSensorChange tells."""
        kind = _TOLD_STATES.get(state.operational)
        if kind is not None and before.operational != state.operational:
            values = {"entStateAdmin": state.admin, "entStateAlarm": state.alarms}
            self._tell(notification(kind, index, values))

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield from self._physical_columns()
        yield from self._logical_columns()
        yield from columns(_ALIAS_ENTRY, self._aliases, {2: (OBJECT_ID, lambda entity: (*_IF_INDEX, entity.if_index))})
        yield from columns(_CONTAINS_ENTRY, self._contains, {1: (INTEGER32, lambda entity: entity.number)})
        yield scalar((*_ENTITY, 4, 1), TIME_TICKS, lambda: self._changed_ticks)
        yield from self._sensor_columns()
        yield from columns(
            STATE_ENTRY,
            self._states,
            {
                1: (OCTET_STRING, lambda row: row.changed or _UNKNOWN_DATE),
                2: (ADMIN, lambda row: row.state.admin),
                3: (OPERATIONAL, lambda row: row.state.operational),
                4: (USAGE, lambda row: row.state.usage),
                5: (OCTET_STRING, lambda row: row.state.alarms),
                6: (STANDBY, lambda row: row.state.standby),
            },
        )

    def _physical_columns(self) -> Iterator[ObjectType]:
        return columns(
            _PHYSICAL_ENTRY,
            self._physical,
            {
                2: (DISPLAY_STRING, lambda entity: entity.description),
                3: (OBJECT_ID, vendor_type_of),
                4: (INTEGER32, lambda entity: entity.inside),
                5: (_CLASS, lambda entity: int(entity.kind)),
                6: (INTEGER32, lambda entity: entity.position),
                7: (DISPLAY_STRING, lambda entity: entity.name),
                8: (DISPLAY_STRING, lambda _: ""),
                9: (DISPLAY_STRING, lambda entity: entity.firmware),
                10: (DISPLAY_STRING, lambda entity: entity.firmware),
                11: (DISPLAY_STRING, lambda entity: entity.serial_number[:32]),
                12: (DISPLAY_STRING, lambda _: ""),
                13: (DISPLAY_STRING, lambda entity: entity.model),
                14: (DISPLAY_STRING, lambda _: ""),
                15: (DISPLAY_STRING, lambda _: ""),
                16: (TRUTH_VALUE, lambda entity: truth(entity.replaceable)),
                17: (OCTET_STRING, lambda _: _UNKNOWN_DATE),
                18: (OCTET_STRING, _uris),
                19: (OCTET_STRING, lambda entity: entity.uuid),
            },
        )

    def _logical_columns(self) -> Iterator[ObjectType]:
        agent = self._agent
        if agent is None:
            return
        yield from columns(
            _LOGICAL_ENTRY,
            self._logical,
            {
                2: (DISPLAY_STRING, lambda one: one.description),
                3: (OBJECT_ID, lambda _: agent.logical_type),
                4: (OCTET_STRING, lambda _: b""),
                5: (OCTET_STRING, lambda _: agent.address),
                6: (OBJECT_ID, lambda _: _UDP_DOMAIN),
                7: (OCTET_STRING, lambda _: agent.engine_id),
                8: (DISPLAY_STRING, lambda one: one.context),
            },
        )
        yield from columns(_LP_ENTRY, self._mapped, {1: (INTEGER32, lambda number: number)})

    def _sensor_columns(self) -> Iterator[ObjectType]:
        return columns(
            _SENSOR_ENTRY,
            self._sensors,
            {
                1: (DATA_TYPE, lambda sensor: written(sensor.quantity).data_type),
                2: (SCALE, lambda _: UNITS),
                3: (PRECISION, lambda sensor: written(sensor.quantity).precision),
                4: (VALUE, _value),
                5: (STATUS, lambda sensor: status_of(sensor.reading)),
                6: (DISPLAY_STRING, lambda sensor: written(sensor.quantity).unit),
                7: (TIME_TICKS, self._read_at),
                8: (GAUGE32, lambda _: self._update_rate_ms),
            },
        )

    def _read_at(self, sensor: SensorFigures) -> int | None:
        return self._read_ticks if isinstance(sensor.reading, KnownReading) else 0


def _value(sensor: SensorFigures) -> int | None:
    """Give the reading. A sensor that has none has no value here, and its status says why."""
    return fixed_point(sensor.quantity, value_of(sensor.reading))


def _uris(entity: PhysicalEntity) -> bytes:
    octets = entity.uuid.hex()
    if not octets:
        return b""
    parts = (octets[:8], octets[8:12], octets[12:16], octets[16:20], octets[20:])
    return f"urn:uuid:{'-'.join(parts)}".encode()
