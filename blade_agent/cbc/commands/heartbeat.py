"""OEM commands: what a blade reports of itself, over and over: its heartbeat, and what it measures."""

from msgspec.structs import asdict

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.messages.blade_facts import GET_READINGS, READINGS_A_MESSAGE, Readings, ReadingsFrom
from blade_agent.backplane.messages.heartbeat import (
    GET_BLADE_STATUS,
    GET_HEARTBEAT,
    PROTOCOL_VERSION,
    BladeStatus,
    Heartbeat,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, answering
from blade_agent.cbc.commands.sensor import reading_flags

_COUNTER = (1 << 32) - 1
_MOST_STREAMS = (1 << 16) - 1
_NO_SENSOR = (0, 0)


def _get_blade_status(blade: Blade, _request: Nothing) -> BladeStatus:
    main_board = blade.main_board.status()
    return BladeStatus(
        protocol_version=PROTOCOL_VERSION,
        hot_swap=blade.hot_swap.state,
        main_board=main_board.state,
        role=blade.post.held.role,
        epoch=blade.post.held.epoch,
        assignment_digest=blade.post.digest,
        address=main_board.address,
        boot_id=blade.boot_id,
        frame_faults=blade.frame_faults & _COUNTER,
        message_faults=blade.message_faults & _COUNTER,
    )


def _get_heartbeat(blade: Blade, request: Nothing) -> Heartbeat:
    return Heartbeat(
        **asdict(_get_blade_status(blade, request)),
        streams=min(blade.main_board.status().streams, _MOST_STREAMS),
        facts_digest=blade.facts_digest,
    )


def _get_readings(blade: Blade, request: ReadingsFrom) -> Readings:
    sensors = blade.sensors.by_number
    last = min(request.first + READINGS_A_MESSAGE - 1, max(sensors, default=-1))
    pairs = (
        _NO_SENSOR if (sensor := sensors.get(number)) is None else (sensor.raw() or 0, reading_flags(sensor))
        for number in range(request.first, last + 1)
    )
    return Readings(bytes(octet for pair in pairs for octet in pair))


HEARTBEAT_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_BLADE_STATUS, _get_blade_status),
            answering(GET_HEARTBEAT, _get_heartbeat),
            answering(GET_READINGS, _get_readings),
        )
    )
)
