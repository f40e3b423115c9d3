"""The sysfs tree of an emulated management board: what its profile names of the chassis, with what the physics says."""

from collections.abc import Iterator
from pathlib import Path

from blade_agent.hardware.profile import HardwareProfile, HwmonChannel
from blade_agent.hardware.reading import Quantity
from chassis_emulator.physics.attributes import Attributes
from chassis_emulator.physics.chassis import MeasuredChassis


class ChassisTree:
    """The tree of one management board: air and supplies. Calls block for some small files."""

    def __init__(self, root: Path, profile: HardwareProfile) -> None:
        self._profile = profile
        self._attributes = Attributes(root)

    def write(self, state: MeasuredChassis) -> None:
        """Let the sensors measure this."""
        for channel, quantity, value in self._measured(state):
            chip = self._attributes.chip(channel.chip, channel.device)
            self._attributes.measure(chip / f"{channel.channel}_input", quantity, value)

    def _measured(self, state: MeasuredChassis) -> Iterator[tuple[HwmonChannel, Quantity, float]]:
        for sensor in self._profile.sensors:
            if sensor.entity == "air_inlet" and sensor.hwmon:
                yield sensor.hwmon, Quantity.TEMPERATURE, state.inlet_c
        # A chassis may be emulated with fewer supplies than its management board has inputs for.
        for facts, supply in zip(self._profile.supplies, state.supplies, strict=False):
            if facts.voltage:
                yield facts.voltage, Quantity.VOLTAGE, supply.voltage_v
            if facts.power:
                yield facts.power, Quantity.POWER, supply.power_w
