"""The sensors of a controller by number, and what they notice."""

from collections.abc import Callable, Sequence
from typing import Final

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.sensor_codes import SensorKind, Threshold
from blade_agent.cbc.clock import Clock
from blade_agent.cbc.hardware import AnalogSensor
from blade_agent.cbc.sensor import Sensor, ThresholdSensor

FIRST_BOARD_SENSOR: Final = 2
SCAN_INTERVAL_S: Final = 0.5
"""Board sensors are looked at no more often than that, however often the controller is asked."""

_CRITICAL: Final = frozenset(Threshold) - {Threshold.LOWER_NON_CRITICAL, Threshold.UPPER_NON_CRITICAL}


def board_sensors(sources: Sequence[AnalogSensor], first: int = FIRST_BOARD_SENSOR) -> Sequence[ThresholdSensor]:
    """Give a board's sensors their numbers. Raises ValueError for one that no scale fits."""
    return [ThresholdSensor(first + index, source) for index, source in enumerate(sources)]


class SensorBank:
    """All sensors of a controller. Those that measure its board are scanned, the others are told."""

    def __init__(
        self,
        clock: Clock,
        note: Callable[[SensorEvent], None],
        sensors: Sequence[Sensor],
    ) -> None:
        """`note` is told every event."""
        self._clock = clock
        self._note = note
        self._board = [sensor for sensor in sensors if isinstance(sensor, ThresholdSensor)]
        self.by_number = {sensor.number: sensor for sensor in sensors}
        self._scanned_at_s: float | None = None

    def scan(self) -> bool:
        """Look at the board's sensors, if the last look is long enough ago, and note what happened; tell whether."""
        if not self._board:
            return False
        now_s = self._clock.now_s()
        if self._scanned_at_s is not None and now_s - self._scanned_at_s < SCAN_INTERVAL_S:
            return False
        self._scanned_at_s = now_s
        for sensor in self._board:
            for event in sensor.scan():
                if sensor.gives(event):
                    self._note(event)
        return True

    def look_again(self) -> None:
        """Let the next scan look at once: what counts as an event has changed."""
        self._scanned_at_s = None

    def standing(self) -> list[SensorEvent]:
        """Give once more the events of all that still holds."""
        sensors = self.by_number.values()
        return [event for sensor in sensors for event in sensor.standing() if sensor.gives(event)]

    @property
    def critical(self) -> bool:
        """Whether a board sensor is beyond a critical threshold, as far as the last look showed."""
        return any(sensor.passed & _CRITICAL for sensor in self._board)

    def is_critical(self, kind: SensorKind) -> bool:
        """Tell whether a board sensor of a kind is beyond a critical threshold: a fan that stands, a voltage gone."""
        return any(sensor.passed & _CRITICAL for sensor in self._board if sensor.kind is kind)

    def reset(self) -> None:
        """Put every sensor back to what holds after power-up."""
        for sensor in self.by_number.values():
            sensor.reset()
