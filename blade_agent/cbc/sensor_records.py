"""Sensor data records (SDR): how a controller describes itself and its sensors (IPMI 2.0, chapter 43)."""

import struct
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS
from blade_agent.backplane.sensor_codes import FIRST_INSTANCE, Entity, ReadingType, SensorKind, Threshold
from blade_agent.cbc.scale import Scale
from blade_agent.cbc.sensor import LOWER, DiscreteSensor, Sensor, ThresholdSensor, mask

SDR_VERSION: Final = 0x51
HEADER_BYTES: Final = 5

OWN_RECORD: Final = 0
"""Number of the record that says where a controller stands."""

_FULL_SENSOR: Final = 0x01
_COMPACT_SENSOR: Final = 0x02
_EVENT_ONLY: Final = 0x03
_CONTROLLER_LOCATOR: Final = 0x12
_INITIALISED: Final = 0x7F
"""All is set up at power-up: scanning, events, thresholds, hysteresis, type."""
_THRESHOLDS_AND_HYSTERESIS_SETTABLE: Final = 0x68
_READ_ONLY: Final = 0x40
_EVENT_FORWARDING: Final = 0x00
_SUPPORT_OF_A_BLADE: Final = 0x2F
"""Sensors, their records, an event log, an inventory, and events that it sends."""


def sensor_records(
    address: int,
    name: str,
    device_support: int,
    sensors: "Sequence[Sensor | EventSource]",
    neighbours: Mapping[int, str],
) -> tuple[bytes, ...]:
    """Describe the controller at an IPMB address, then its sensors, then the blades' controllers by their addresses."""
    first_neighbour = 1 + len(sensors)
    return (
        _controller_record(OWN_RECORD, address, device_support, name, _entity_of(address)),
        *(_sensor_record(number, address, sensor) for number, sensor in enumerate(sensors, start=1)),
        *(
            _controller_record(number, neighbour, _SUPPORT_OF_A_BLADE, called, Entity.FRONT_BOARD)
            for number, (neighbour, called) in enumerate(neighbours.items(), start=first_neighbour)
        ),
    )


class EventSource(Struct, frozen=True, kw_only=True):
    """What is not read, and only gives events."""

    number: int
    name: str
    kind: SensorKind
    reading_type: ReadingType
    entity: Entity


def _entity_of(address: int) -> Entity:
    return Entity.SHELF_MANAGER if address == CHASSIS_MANAGER_ADDRESS else Entity.FRONT_BOARD


def _sensor_record(record_id: int, owner: int, sensor: Sensor | EventSource) -> bytes:
    """Describe a sensor of the controller at IPMB address `owner`."""
    if isinstance(sensor, EventSource):
        return _record(record_id, _EVENT_ONLY, _event_only(owner, sensor))
    if isinstance(sensor, ThresholdSensor):
        return _record(record_id, _FULL_SENSOR, _full(owner, sensor))
    if isinstance(sensor, DiscreteSensor):
        return _record(record_id, _COMPACT_SENSOR, _compact(owner, sensor))
    raise TypeError(sensor)


def _controller_record(record_id: int, address: int, device_support: int, name: str, entity: Entity) -> bytes:
    """Say where the controller stands and what it can do (IPMI 2.0, 43.9)."""
    body = bytes((address, 0, _EVENT_FORWARDING, device_support, 0, 0, 0, entity, FIRST_INSTANCE, 0))
    return _record(record_id, _CONTROLLER_LOCATOR, body + _id_string(name))


def _record(record_id: int, record_type: int, body: bytes) -> bytes:
    return struct.pack("<HBBB", record_id, SDR_VERSION, record_type, len(body)) + body


def _key(owner: int, sensor: Sensor, capabilities: int) -> bytes:
    entity = (sensor.entity, sensor.instance)
    return bytes((owner, 0, sensor.number, *entity, _INITIALISED, capabilities, sensor.kind, sensor.reading_type))


def _full(owner: int, sensor: ThresholdSensor) -> bytes:
    """Table 43-1, from the record key on."""
    raw = sensor.scale.raw
    return (
        _key(owner, sensor, _THRESHOLDS_AND_HYSTERESIS_SETTABLE)
        + _threshold_masks(sensor)
        + bytes((0, sensor.facts.unit.value, 0))
        + _factors(sensor.scale)
        + bytes((0, 0, 0, 0, raw(sensor.facts.highest), raw(sensor.facts.lowest)))
        + bytes(sensor.thresholds.get(threshold, 0) for threshold in sorted(Threshold, reverse=True))
        + bytes((sensor.rise_hysteresis, sensor.fall_hysteresis, 0, 0, 0))
        + _id_string(sensor.name)
    )


def _threshold_masks(sensor: ThresholdSensor) -> bytes:
    """Bytes 15 to 20: events out, events back, thresholds that can be read and set."""
    asserted, deasserted = sensor.event_masks
    lower = mask(12 + threshold for threshold in sensor.thresholds if threshold in LOWER)
    upper = mask(9 + threshold for threshold in sensor.thresholds if threshold not in LOWER)
    access = mask(sensor.thresholds)
    return struct.pack("<HHH", asserted | lower, deasserted | upper, access << 8 | access)


def _factors(scale: Scale) -> bytes:
    """Bytes 24 to 30: linear; factor and offset of 10 bits, exponents of 4, no tolerance or accuracy claimed."""
    factor, offset = scale.factor & 0x3FF, scale.offset & 0x3FF
    exponents = (scale.exponent & 0xF) << 4 | scale.offset_exponent & 0xF
    return bytes((0, factor & 0xFF, factor >> 8 << 6, offset & 0xFF, offset >> 8 << 6, 0, exponents))


def _compact(owner: int, sensor: DiscreteSensor) -> bytes:
    """Table 43-2, from the record key on."""
    masks = struct.pack("<HHH", *sensor.event_masks, sensor.states)
    units = bytes((0xC0, 0, 0))
    sharing = bytes((1, 0))
    return _key(owner, sensor, _READ_ONLY) + masks + units + sharing + bytes(6) + _id_string(sensor.name)


def _event_only(owner: int, source: EventSource) -> bytes:
    """Table 43-3, from the record key on: no sharing, and the sensor is no part of something that is read."""
    head = bytes((owner, 0, source.number, source.entity, FIRST_INSTANCE, source.kind, source.reading_type))
    return head + bytes((1, 0, 0, 0)) + _id_string(source.name)


def _id_string(name: str) -> bytes:
    """Table 43-15: 8-bit ASCII, 16 characters at most."""
    octets = name.encode("ascii", "replace")[:16]
    return bytes([0xC0 | len(octets)]) + octets
