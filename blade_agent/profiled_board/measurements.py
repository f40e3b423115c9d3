"""What the board measured last, in memory. What is too old is no reading."""

from collections.abc import Callable
from typing import Final

from blade_agent.hardware.board import Board
from blade_agent.hardware.reading import KnownReading, Reading, Unknown, Why

FRESH_S: Final = 5.0
"""A reading older than this is none: whatever holds its driver up, a number from before says nothing of now."""

_NOT_YET = Unknown(Why.TOO_EARLY, "it was not measured yet")
_STALE = Unknown(Why.FAILED, f"the last reading is older than {FRESH_S:g} s")

SENSOR: Final = "sensor"
FAN_SPEED: Final = "speed"
FAN_DUTY: Final = "duty"


class Measurements:
    """Readings by kind and name: of a sensor, and of a fan its speed and its duty."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._readings: dict[tuple[str, str], Reading] = {}
        self._taken_s: float | None = None

    def take(self, readings: dict[tuple[str, str], Reading]) -> None:
        """Put new readings in the place of the former ones."""
        self._readings = readings
        self._taken_s = self._now_s()

    def reading(self, kind: str, name: str) -> Reading:
        """What was read, and why nothing if it was not."""
        if self._taken_s is None:
            return _NOT_YET
        if self._now_s() - self._taken_s > FRESH_S:
            return _STALE
        return self._readings.get((kind, name), _NOT_YET)

    def value(self, kind: str, name: str) -> float | None:
        """The number, if there is one."""
        reading = self.reading(kind, name)
        return reading.value if isinstance(reading, KnownReading) else None


def measure(board: Board) -> dict[tuple[str, str], Reading]:
    """Measure all that changes by itself. Blocks for some files."""
    readings: dict[tuple[str, str], Reading] = {}
    for sensor in board.profile.sensors:
        readings[SENSOR, sensor.name] = board.read_sensor(sensor).reading
    for fan in board.profile.fans:
        found = board.read_fan(fan)
        readings[FAN_SPEED, fan.name], readings[FAN_DUTY, fan.name] = found.speed, found.duty
    return readings
