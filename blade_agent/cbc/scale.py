"""A sensor's scale: from a reading to the byte it travels as, and the factors that lead back (IPMI 2.0, 36.3)."""

import math
from typing import Final

from msgspec import Struct

from blade_agent.cbc.hardware import SensorFacts

HIGHEST_RAW: Final = 0xFF
_ROUNDING: Final = 1e-6


class Scale(Struct, frozen=True, kw_only=True):
    """reading = (factor x raw + offset x 10^offset_exponent) x 10^exponent, raw from 0 to 255."""

    factor: int
    """10 to 100: a step has two significant digits."""
    offset: int
    """-512 to 511."""
    offset_exponent: int
    exponent: int

    def raw(self, reading: float) -> int:
        """Give the nearest step to a reading; one beyond the scale is at its end."""
        return min(max(round((reading - self._lowest) / self._step), 0), HIGHEST_RAW)

    def reading(self, raw: int) -> float:
        """Give the reading that a step stands for."""
        return raw * self._step + self._lowest

    def steps(self, difference: float) -> int:
        """Give how many steps a difference is, at most 255."""
        return min(round(difference / self._step), HIGHEST_RAW)

    @property
    def _step(self) -> float:
        return self.factor * 10.0**self.exponent

    @property
    def _lowest(self) -> float:
        return self.offset * 10.0 ** (self.offset_exponent + self.exponent)


def scale_of(facts: SensorFacts) -> Scale:
    """Make the finest scale with steps of two significant digits that reaches from lowest to highest.

    Its lower end has two or three significant digits: one that must be rounded down makes the steps a little wider.

    Raises ValueError: highest is not above lowest, or the scale is beyond what a record has room for.
    """
    span = facts.highest - facts.lowest
    while 0 < span < math.inf:
        scale = _scale(facts.lowest, span / HIGHEST_RAW)
        if not all(-8 <= power <= 7 for power in (scale.exponent, scale.offset_exponent)):
            break
        if scale.reading(HIGHEST_RAW) >= facts.highest - span * _ROUNDING:
            return scale
        span += facts.lowest - scale.reading(0)
    message = f"no scale shows sensor {facts.name} from {facts.lowest} to {facts.highest}"
    raise ValueError(message)


def _scale(lowest: float, step: float) -> Scale:
    exponent = math.floor(math.log10(step)) - 1
    offset, offset_exponent = _decimal(lowest, exponent)
    return Scale(
        factor=math.ceil(round(step / 10.0**exponent, 6)),
        offset=offset,
        offset_exponent=offset_exponent,
        exponent=exponent,
    )


def _decimal(value: float, exponent: int) -> tuple[int, int]:
    """Write value / 10^exponent as a number of at most 511 times a power of ten, rounded down."""
    rest = round(value / 10.0**exponent, 6)
    power = 0
    while abs(rest) > 511:
        rest, power = rest / 10, power + 1
    return math.floor(rest), power
