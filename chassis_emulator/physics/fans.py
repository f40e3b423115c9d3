"""Fans that take time to change speed, that fail, and whose air neighbours share."""

import math
from collections.abc import Sequence

from chassis_emulator.physics.parameters import FanParameters


class EmulatedFan:
    """A fan behind a slot."""

    def __init__(self, parameters: FanParameters, duty: float) -> None:
        self._parameters = parameters
        self.duty = duty
        """Share of full drive that it is told to run at."""
        self.failed = False
        """A failed fan runs down, whatever it is told."""
        self.speed_rpm = self._target_rpm()

    @property
    def flow(self) -> float:
        """Share of the air it moves at full speed; in proportion to the speed (affinity laws)."""
        return self.speed_rpm / self._parameters.speed_max_rpm

    @property
    def power_w(self) -> float:
        """What it draws."""
        return self._parameters.power_max_w * self.flow**3

    def run(self, duration_s: float) -> None:
        """Let time pass: the speed nears its target exponentially."""
        target_rpm = self._target_rpm()
        self.speed_rpm = target_rpm + (self.speed_rpm - target_rpm) * math.exp(-duration_s / self._parameters.lag_s)

    def _target_rpm(self) -> float:
        stands = self.failed or self.duty < self._parameters.start_duty
        return 0.0 if stands else self.duty * self._parameters.speed_max_rpm


def air_of_slots(flows: Sequence[float], to_neighbour: float) -> list[float]:
    """Air that reaches each slot, of a fan's at full speed. No air is lost: at an end, the own slot keeps the rest."""
    air = [0.0] * len(flows)
    for slot, flow in enumerate(flows):
        beside = [other for other in (slot - 1, slot + 1) if 0 <= other < len(flows)]
        for other in beside:
            air[other] += to_neighbour * flow
        air[slot] += (1 - to_neighbour * len(beside)) * flow
    return air
