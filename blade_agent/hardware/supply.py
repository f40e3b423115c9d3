"""A power supply of the chassis: what it gives, as the management board's chips measure it."""

from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.hwmon import read_channel
from blade_agent.hardware.profile import HwmonChannel, SupplyFacts
from blade_agent.hardware.reading import KnownReading, Quantity, Reading, Unknown, Why


class SupplyReading(Struct, frozen=True):
    """How a supply is."""

    name: str
    voltage: Reading
    """At its output, in volts."""
    power: Reading
    """What it gives, in watts."""
    works: bool | None
    """Its voltage is what it must be; None where that is not known."""


def read_supply(root: Path, supply: SupplyFacts) -> SupplyReading:
    """Measure a supply."""
    voltage = _channel(root, Quantity.VOLTAGE, supply.voltage)
    works = None
    if isinstance(voltage, KnownReading) and supply.voltage_min_v is not None:
        works = voltage.value >= supply.voltage_min_v
    return SupplyReading(supply.name, voltage, _channel(root, Quantity.POWER, supply.power), works)


def _channel(root: Path, quantity: Quantity, channel: HwmonChannel | None) -> Reading:
    if channel is None:
        return Unknown(Why.ABSENT, "the profile does not say where it is read")
    return read_channel(root, quantity, channel)
