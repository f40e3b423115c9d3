"""Sensors: readings, thresholds, hysteresis, and events that come from elsewhere."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.sensor import (
    EVENT_MESSAGE_REVISION,
    GET_SENSOR_EVENT_ENABLE,
    GET_SENSOR_HYSTERESIS,
    GET_SENSOR_READING,
    GET_SENSOR_THRESHOLDS,
    GET_SENSOR_TYPE,
    PLATFORM_EVENT,
    SET_SENSOR_EVENT_ENABLE,
    SET_SENSOR_HYSTERESIS,
    SET_SENSOR_THRESHOLDS,
    EventEnable,
    Hysteresis,
    HysteresisQuery,
    PlatformEvent,
    SensorNumber,
    SensorReading,
    SensorType,
    SetEventEnable,
    SetHysteresis,
    SetThresholds,
    Thresholds,
)
from blade_agent.backplane.sensor_codes import ReadingType, Threshold
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, RefusedError, answering
from blade_agent.cbc.sensor import Sensor, ThresholdSensor, mask

_EVENTS_ENABLED = 0x80
_SCANNING_ENABLED = 0x40
_UNAVAILABLE = 0x20
_RESERVED_WITH_THRESHOLDS = 0xC0
_RESERVED_WITH_STATES = 0x80
_SINGLE_EVENTS = 0x3F
_ALL_THRESHOLDS = 0x3F
_REVISIONS = {0x03, EVENT_MESSAGE_REVISION}
_SOFTWARE = 0x41
"""Generator of what a tool reports: system management software (IPMI 2.0, table 5-4)."""


def _get_reading(blade: Blade, request: SensorNumber) -> SensorReading:
    sensor = _sensor(blade, request.sensor)
    raw, states = sensor.raw(), sensor.state_bits()
    threshold = sensor.reading_type is ReadingType.THRESHOLD
    return SensorReading(
        reading=raw or 0,
        flags=_enables(sensor) | (_UNAVAILABLE if raw is None else 0),
        states=states & 0xFF | (_RESERVED_WITH_THRESHOLDS if threshold else 0),
        more_states=states >> 8 | _RESERVED_WITH_STATES,
    )


def _get_thresholds(blade: Blade, request: SensorNumber) -> Thresholds:
    thresholds = _analog(blade, request.sensor).thresholds
    return Thresholds(
        present=mask(thresholds), values=bytes(thresholds.get(threshold, 0) for threshold in sorted(Threshold))
    )


def _set_thresholds(blade: Blade, request: SetThresholds) -> Nothing:
    sensor = _analog(blade, request.sensor)
    wanted = {threshold: request.values[threshold] for threshold in Threshold if request.present & 1 << threshold}
    if request.present & ~_ALL_THRESHOLDS or not sensor.set_thresholds(wanted):
        raise RefusedError(CompletionCode.INVALID_FIELD)
    blade.sensors.look_again()
    return Nothing()


def _get_hysteresis(blade: Blade, request: HysteresisQuery) -> Hysteresis:
    sensor = _analog(blade, request.sensor)
    return Hysteresis(rise=sensor.rise_hysteresis, fall=sensor.fall_hysteresis)


def _set_hysteresis(blade: Blade, request: SetHysteresis) -> Nothing:
    sensor = _analog(blade, request.sensor)
    sensor.rise_hysteresis, sensor.fall_hysteresis = request.rise, request.fall
    return Nothing()


def _set_event_enable(blade: Blade, request: SetEventEnable) -> Nothing:
    sensor = _sensor(blade, request.sensor)
    if request.enables & _SINGLE_EVENTS:
        raise RefusedError(CompletionCode.INVALID_FIELD)
    sensor.events_enabled = bool(request.enables & _EVENTS_ENABLED)
    sensor.scanning_enabled = bool(request.enables & _SCANNING_ENABLED)
    return Nothing()


def _get_event_enable(blade: Blade, request: SensorNumber) -> EventEnable:
    sensor = _sensor(blade, request.sensor)
    asserted, deasserted = sensor.event_masks
    return EventEnable(enables=_enables(sensor), asserted=asserted, deasserted=deasserted)


def _get_type(blade: Blade, request: SensorNumber) -> SensorType:
    sensor = _sensor(blade, request.sensor)
    return SensorType(sensor.kind, sensor.reading_type)


def _platform_event(blade: Blade, request: PlatformEvent) -> Nothing:
    if request.revision not in _REVISIONS:
        raise RefusedError(CompletionCode.INVALID_FIELD)
    if blade.log.logging_enabled and blade.log.note(request.event, generator=_SOFTWARE) is None:
        raise RefusedError(CompletionCode.OUT_OF_SPACE)
    return Nothing()


def _enables(sensor: Sensor) -> int:
    return sensor.events_enabled * _EVENTS_ENABLED | sensor.scanning_enabled * _SCANNING_ENABLED


def _sensor(blade: Blade, number: int) -> Sensor:
    sensor = blade.sensors.by_number.get(number)
    if sensor is None:
        raise RefusedError(CompletionCode.NO_SUCH_DEVICE)
    return sensor


def _analog(blade: Blade, number: int) -> ThresholdSensor:
    sensor = _sensor(blade, number)
    if not isinstance(sensor, ThresholdSensor):
        raise RefusedError(CompletionCode.INVALID_FIELD)
    return sensor


SENSOR_COMMANDS = CommandModule(
    dict(
        (
            answering(PLATFORM_EVENT, _platform_event),
            answering(SET_SENSOR_HYSTERESIS, _set_hysteresis),
            answering(GET_SENSOR_HYSTERESIS, _get_hysteresis),
            answering(SET_SENSOR_THRESHOLDS, _set_thresholds),
            answering(GET_SENSOR_THRESHOLDS, _get_thresholds),
            answering(SET_SENSOR_EVENT_ENABLE, _set_event_enable),
            answering(GET_SENSOR_EVENT_ENABLE, _get_event_enable),
            answering(GET_SENSOR_READING, _get_reading),
            answering(GET_SENSOR_TYPE, _get_type),
        )
    ),
    device_support=0x31,
)
