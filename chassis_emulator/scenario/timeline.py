"""A scenario as time passes: now in, the steps that are due out. Does no I/O; times are seconds from its start."""

from chassis_emulator.scenario.steps import AnyStep, Scenario


class Timeline:
    """One playing of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._steps = sorted(scenario.steps, key=lambda step: step.at)
        self._passed = 0

    @property
    def next_at(self) -> float | None:
        """When the next step is due; None after the last."""
        return None if self._passed == len(self._steps) else self._steps[self._passed].at

    @property
    def next_step(self) -> AnyStep | None:
        """What comes next."""
        return None if self._passed == len(self._steps) else self._steps[self._passed]

    def due(self, now_s: float) -> tuple[AnyStep, ...]:
        """The steps up to now that were not given before; those of one moment in the order of the file."""
        first = self._passed
        while self._passed < len(self._steps) and self._steps[self._passed].at <= now_s:
            self._passed += 1
        return tuple(self._steps[first : self._passed])
