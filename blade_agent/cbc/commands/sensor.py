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
    SensorReadingReply,
    SensorType,
    SetEventEnable,
    SetHysteresis,
    SetThresholds,
    ThresholdsReply,
)
from blade_agent.backplane.sensor_codes import ReadingType, Threshold
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.sensor import Sensor, ThresholdSensor, mask

_EVENTS_ENABLED = 0x80
_SCANNING_ENABLED = 0x40
_UNAVAILABLE = 0x20
_RESERVED_WITH_THRESHOLDS = 0xC0
_RESERVED_WITH_STATES = 0x80
_SINGLE_EVENTS = 0x30
_EVENTS_ON = 0x10
_REVISIONS = {0x03, EVENT_MESSAGE_REVISION}
_SOFTWARE = 0x41
"""Generator of what a tool reports: system management software (IPMI 2.0, table 5-4)."""


def _get_reading(controller: ManagementController, request: SensorNumber) -> SensorReadingReply:
    sensor = _sensor(controller, request.sensor)
    raw, states = sensor.raw(), sensor.state_bits()
    threshold = sensor.reading_type is ReadingType.THRESHOLD
    return SensorReadingReply(
        reading=raw or 0,
        flags=reading_flags(sensor),
        states=states & 0xFF | (_RESERVED_WITH_THRESHOLDS if threshold else 0),
        more_states=states >> 8 | _RESERVED_WITH_STATES,
    )


def reading_flags(sensor: Sensor) -> int:
    """Give the flags of a reading: whether the sensor gives events, is scanned, has no reading now."""
    return _enables(sensor) | (_UNAVAILABLE if sensor.raw() is None else 0)


def _get_thresholds(controller: ManagementController, request: SensorNumber) -> ThresholdsReply:
    thresholds = _analog(controller, request.sensor).thresholds
    return ThresholdsReply(
        present=mask(thresholds), values=bytes(thresholds.get(threshold, 0) for threshold in sorted(Threshold))
    )


def _set_thresholds(controller: ManagementController, request: SetThresholds) -> Nothing:
    sensor = _analog(controller, request.sensor)
    wanted = {threshold: request.values[threshold] for threshold in Threshold if request.present & 1 << threshold}
    if not sensor.set_thresholds(wanted):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    controller.sensors.look_again()
    return Nothing()


def _get_hysteresis(controller: ManagementController, request: HysteresisQuery) -> Hysteresis:
    sensor = _analog(controller, request.sensor)
    return Hysteresis(rise=sensor.rise_hysteresis, fall=sensor.fall_hysteresis)


def _set_hysteresis(controller: ManagementController, request: SetHysteresis) -> Nothing:
    sensor = _analog(controller, request.sensor)
    sensor.rise_hysteresis, sensor.fall_hysteresis = request.rise, request.fall
    return Nothing()


def _set_event_enable(controller: ManagementController, request: SetEventEnable) -> Nothing:
    sensor = _sensor(controller, request.sensor)
    choice = request.enables & _SINGLE_EVENTS
    if choice == _SINGLE_EVENTS:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if choice:
        sensor.choose_events(request.asserted or 0, request.deasserted or 0, given=choice == _EVENTS_ON)
    sensor.events_enabled = bool(request.enables & _EVENTS_ENABLED)
    sensor.scanning_enabled = bool(request.enables & _SCANNING_ENABLED)
    return Nothing()


def _get_event_enable(controller: ManagementController, request: SensorNumber) -> EventEnable:
    sensor = _sensor(controller, request.sensor)
    asserted, deasserted = sensor.chosen_events
    return EventEnable(enables=_enables(sensor), asserted=asserted, deasserted=deasserted)


def _get_type(controller: ManagementController, request: SensorNumber) -> SensorType:
    sensor = _sensor(controller, request.sensor)
    return SensorType(sensor.kind, sensor.reading_type)


def _platform_event(controller: ManagementController, request: PlatformEvent) -> Nothing:
    if request.revision not in _REVISIONS:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if controller.log.logging_enabled and controller.log.note(request.event, generator=_SOFTWARE) is None:
        raise NotCarriedOut(CompletionCode.OUT_OF_SPACE)
    return Nothing()


def _enables(sensor: Sensor) -> int:
    return sensor.events_enabled * _EVENTS_ENABLED | sensor.scanning_enabled * _SCANNING_ENABLED


def _sensor(controller: ManagementController, number: int) -> Sensor:
    sensor = controller.sensors.by_number.get(number)
    if sensor is None:
        raise NotCarriedOut(CompletionCode.NO_SUCH_DEVICE)
    return sensor


def _analog(controller: ManagementController, number: int) -> ThresholdSensor:
    sensor = _sensor(controller, number)
    if not isinstance(sensor, ThresholdSensor):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
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
    device_support=0x01,
)
