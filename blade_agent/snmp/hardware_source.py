"""A board's figures for SNMP, out of its profile and what was measured last."""

from blade_agent.hardware.board import LedReading
from blade_agent.hardware.fan import FanReading
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.profiled_board.measurements import FAN_DUTY, FAN_SPEED, SENSOR, Measurements
from blade_agent.snmp.sources import HardwareFigures, sensor_of


def measured_hardware(
    profile: HardwareProfile,
    measurements: Measurements,
    *,
    serial_number: str = "",
    firmware: str = "",
    uuid: bytes = b"",
    leds: tuple[LedReading, ...] = (),
) -> HardwareFigures:
    """Give the figures of now; reads memory only. Supplies are the chassis manager's to tell."""
    return HardwareFigures(
        title=profile.title,
        serial_number=serial_number,
        firmware=firmware,
        sensors=tuple(
            sensor_of(fact.name, fact.measures, measurements.reading(SENSOR, fact.name), fact.entity, fact.thresholds)
            for fact in profile.sensors
        ),
        fans=tuple(
            FanReading(fact.name, measurements.reading(FAN_SPEED, fact.name), measurements.reading(FAN_DUTY, fact.name))
            for fact in profile.fans
        ),
        leds=leds,
        uuid=uuid,
    )
