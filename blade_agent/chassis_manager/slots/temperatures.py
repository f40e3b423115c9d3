"""How warm a blade is, by the sensors of its controller: which are asked, and how often. No I/O."""

from collections.abc import Iterator
from typing import Final

from blade_agent.backplane.messages.sensor import GET_SENSOR_READING, SensorNumber, SensorReadingReply
from blade_agent.chassis_manager.slots.blade_facts import BladeFacts, SeenSensor
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion

_MOST_ASKED: Final = 4
_NO_READING: Final = 0x20
_SCANNED: Final = 0x40

FAR_C: Final = 25.0
"""A blade that is so far from all its limits is asked half as often. It tells itself when it comes to one."""


class Temperatures:
    """Last readings of one start of a blade's agent."""

    def __init__(self, facts: BladeFacts) -> None:
        self._facts = facts
        self.readings: dict[int, float | None] = {}
        """By number of the sensor, in degrees Celsius; None when there was none to be had."""

    def questions(self) -> Iterator[SlotQuestion]:
        """Give what to ask the blade, each for itself: one that is refused says nothing of the others."""
        for sensor in self._asked:
            yield SlotQuestion(GET_SENSOR_READING, SensorNumber(sensor.number), ended=self._take)

    def pause_s(self, interval_s: float) -> float:
        """Give how long to wait for the next reading, where a blade near its limits is asked every `interval_s`."""
        return interval_s if self._near_a_limit else 2 * interval_s

    @property
    def measured(self) -> list[tuple[SeenSensor, float]]:
        """Those that could be read."""
        readings = ((sensor, self.readings.get(sensor.number)) for sensor in self._asked)
        return [(sensor, celsius) for sensor, celsius in readings if celsius is not None]

    @property
    def _asked(self) -> tuple[SeenSensor, ...]:
        return self._facts.temperatures[:_MOST_ASKED]

    @property
    def _near_a_limit(self) -> bool:
        """Whether any is, or is not known to be far from its own."""
        far = [sensor for sensor, celsius in self.measured if celsius <= min(sensor.upper.values()) - FAR_C]
        return len(far) < len(self._asked)

    def _take(self, answered: Answered) -> None:
        if not isinstance(answered.question.body, SensorNumber):
            return
        number = answered.question.body.sensor
        reply: SensorReadingReply | None = answered.reply
        sensor = self._facts.sensors.get(number)
        if answered.outcome is AnswerOutcome.UNANSWERED or sensor is None:
            return
        readable = reply is not None and reply.flags & (_NO_READING | _SCANNED) == _SCANNED
        self.readings[number] = sensor.reading(reply.reading) if reply is not None and readable else None
