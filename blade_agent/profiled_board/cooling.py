"""The board's fan: driven by temperature, where that is the agent's to do, and no slower than somebody says."""

import math
from typing import Final

from blade_agent.cbc.hardware import FanRange
from blade_agent.hardware.board import Board
from blade_agent.hardware.profile import FanFacts, HardwareProfile, SensorProfile
from blade_agent.profiled_board.measurements import FAN_DUTY, SENSOR, Measurements
from blade_agent.profiled_board.writes import Writes

FULL_LEVEL: Final = 100
LEAST_LEVEL: Final = 20
"""What an own control leaves running: still air tells nothing of the inlet."""
NORMAL_LEVEL: Final = 40
_STEP: Final = 5
_COOL_BELOW_LIMIT_K: Final = 30.0
"""So far below its first upper threshold the board needs no more than the least level."""
_HOT_BELOW_LIMIT_K: Final = 5.0
"""From here on it needs all there is: the threshold is there to say that this was not enough."""


def level_for(temperature_c: float | None, limit_c: float) -> int:
    """Give the level, in steps of 5, that a temperature needs; one that is not known needs all there is."""
    if temperature_c is None:
        return FULL_LEVEL
    share = (temperature_c - limit_c + _COOL_BELOW_LIMIT_K) / (_COOL_BELOW_LIMIT_K - _HOT_BELOW_LIMIT_K)
    level = LEAST_LEVEL + min(max(share, 0.0), 1.0) * (FULL_LEVEL - LEAST_LEVEL)
    return math.ceil(level / _STEP) * _STEP


class CooledFan:
    """The first fan of a profile that can be driven."""

    range = FanRange(lowest=0, highest=FULL_LEVEL, normal=NORMAL_LEVEL)

    def __init__(self, board: Board, facts: FanFacts, measurements: Measurements, writes: Writes) -> None:
        self._board = board
        self._facts = facts
        self._measurements = measurements
        self._writes = writes
        self._sensor = governing_sensor(board.profile) if facts.control == "agent" else None
        self._limit_c = self._sensor.thresholds.upper[0] if self._sensor and self._sensor.thresholds else 0.0
        self._local_level = FULL_LEVEL
        self._override: int | None = None

    def level(self) -> int | None:
        """See `Fan`: what the own control says, or, where that is the kernel's, what the fan is driven at."""
        if self._sensor:
            return self._local_level
        duty = self._measurements.value(FAN_DUTY, self._facts.name)
        return None if duty is None else round(duty * FULL_LEVEL)

    def override(self, level: int | None) -> None:
        """See `Fan`."""
        self._override = level
        self._drive()

    def follow(self) -> None:
        """Look at the temperature. Faster at once, slower only by two steps: a fan that hunts is heard."""
        if self._sensor:
            needed = level_for(self._measurements.value(SENSOR, self._sensor.name), self._limit_c)
            if not self._local_level - 2 * _STEP < needed <= self._local_level:
                self._local_level = needed
        self._drive()

    def _drive(self) -> None:
        level = self._wanted()
        if level is None:
            return
        place, duty = f"fan {self._facts.name}", level / FULL_LEVEL
        if self._sensor is None or self._slower_than(duty):
            self._writes.forget(place)
        self._writes.put(place, level, lambda: self._board.drive_fan(self._facts.name, duty))

    def _wanted(self) -> int | None:
        """The level to set; None where the kernel's own is enough."""
        if self._sensor:
            return max(self._local_level, self._override or 0)
        present = self.level()
        if self._override is None or (present is not None and present >= self._override):
            return None
        return self._override

    def _slower_than(self, duty: float) -> bool:
        """Whether somebody else has set the fan back."""
        present = self._measurements.value(FAN_DUTY, self._facts.name)
        return present is not None and present < duty - _STEP / FULL_LEVEL


def driven_fan(profile: HardwareProfile) -> FanFacts | None:
    """Give the fan that the agent can drive, if there is one."""
    return next((fan for fan in profile.fans if fan.pwm), None)


def governing_sensor(profile: HardwareProfile) -> SensorProfile | None:
    """Give the sensor that the agent's own control goes by: the first of the processor with an upper threshold."""
    sensors = (sensor for sensor in profile.sensors if sensor.entity == "processor")
    return next((sensor for sensor in sensors if sensor.thresholds and sensor.thresholds.upper), None)
