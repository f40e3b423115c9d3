"""The power supplies of a chassis as its management board measures them."""

from msgspec import Struct

from blade_agent.hardware.reading import KnownReading, Reading
from blade_agent.hardware.supply import SupplyReading


class Supply(Struct, kw_only=True):
    """A supply. Until something is known against it, it works."""

    name: str
    capacity_w: float
    lowest_v: float | None = None
    """At its output: below this it does not count as working."""
    works: bool = True
    volts: float | None = None
    watts: float | None = None


class Supplies:
    """All supplies of a chassis."""

    def __init__(self, supplies: tuple[Supply, ...]) -> None:
        self.all = supplies

    @property
    def capacity_w(self) -> float | None:
        """What those that work can give together; None for a chassis that does not know its supplies."""
        return sum(supply.capacity_w for supply in self.all if supply.works) if self.all else None

    @property
    def watts(self) -> float | None:
        """What they give together, as far as it is measured."""
        measured = [supply.watts for supply in self.all if supply.watts is not None]
        return sum(measured) if measured else None

    def take(self, readings: tuple[SupplyReading, ...]) -> list[tuple[int, bool]]:
        """Take what was measured; give the supplies, by their place from 0, that fail now, or work again.

        A supply that cannot be measured just now is as it was.
        """
        changes = []
        for index, (supply, reading) in enumerate(zip(self.all, readings, strict=True)):
            supply.volts, supply.watts = _value(reading.voltage), _value(reading.power)
            if reading.works is not None and reading.works != supply.works:
                supply.works = reading.works
                changes.append((index, reading.works))
        return changes


def _value(reading: Reading) -> float | None:
    return reading.value if isinstance(reading, KnownReading) else None
