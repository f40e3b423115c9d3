"""DCMI: what is drawn, where that is measured."""

from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.dcmi import (
    GET_DCMI_CAPABILITIES_INFO,
    GET_POWER_READING,
    Capabilities,
    CapabilitiesQuery,
    PowerStatistics,
    PowerStatisticsQuery,
)
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.event_log import CAPACITY
from blade_agent.cbc.management_controller import ManagementController

_MAJOR, _MINOR, _REVISION = 1, 5, 2
_SYSTEM_STATISTICS = 0x01
_MEASURED = 0x40
_MOST_W = 0xFFFF
_MOST_MS = 0xFFFFFFFF
_POWER_MANAGEMENT = 0x01
_NO_CHANNEL = 0xFF
_SUPPORTED = 1
_MANDATORY = 2
_OPTIONAL = 3
_ACCESS = 4
_STATISTICS = 5


def _get_capabilities(controller: ManagementController, request: CapabilitiesQuery) -> Capabilities:
    """By table 6-3 of DCMI: what is supported, the log, who measures power, over which channels, averages."""
    channel = controller.lan_channel
    data = {
        _SUPPORTED: bytes((0, _POWER_MANAGEMENT if controller.power_meter.now_w is not None else 0, 0)),
        _MANDATORY: CAPACITY.to_bytes(2, "little") + bytes(3),
        _OPTIONAL: bytes((controller.ipmb_address, 0)),
        _STATISTICS: bytes((0,)),
        _ACCESS: bytes((_NO_CHANNEL if channel is None else channel, _NO_CHANNEL, _NO_CHANNEL)),
    }.get(request.parameter)
    if data is None:
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return Capabilities(major=_MAJOR, minor=_MINOR, revision=_REVISION, data=data)


def _get_power(controller: ManagementController, request: PowerStatisticsQuery) -> PowerStatistics:
    meter = controller.power_meter
    if request.mode != _SYSTEM_STATISTICS:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if meter.now_w is None:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return PowerStatistics(
        now_w=_whole(meter.now_w),
        least_w=_whole(meter.least_w),
        most_w=_whole(meter.most_w),
        average_w=_whole(meter.average_w),
        at=controller.log.time,
        period_ms=min(round(meter.period_s * 1000), _MOST_MS),
        state=_MEASURED,
    )


def _whole(watts: float) -> int:
    return min(max(round(watts), 0), _MOST_W)


DCMI_COMMANDS = CommandModule(
    dict((answering(GET_DCMI_CAPABILITIES_INFO, _get_capabilities), answering(GET_POWER_READING, _get_power)))
)
