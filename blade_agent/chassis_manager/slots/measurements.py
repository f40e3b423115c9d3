"""What a blade measures, by the sensors of its controller: what is asked, and how often. No I/O.

All readings come in one sealed answer. A blade of version 1 is asked for its temperatures one by one.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from blade_agent.backplane.messages.blade_facts import GET_READINGS, READINGS_A_MESSAGE, Readings, ReadingsFrom
from blade_agent.backplane.messages.sensor import GET_SENSOR_READING, SensorNumber, SensorReadingReply
from blade_agent.chassis_manager.slots.blade_facts import BladeFacts, SeenSensor
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion

_MOST_WATCHED: Final = 4
_NO_READING: Final = 0x20
_SCANNED: Final = 0x40

FAR_C: Final = 25.0
"""A blade that is so far from all its limits is asked half as often. It tells itself when it comes to one."""


class BladeMeasurements:
    """Last readings of one start of a blade's agent."""

    def __init__(self, facts: BladeFacts) -> None:
        self._facts = facts
        self.readings: dict[int, float | None] = {}
        """By number of the sensor, in its unit; None when there was none to be had."""

    def questions(self, *, one_by_one: bool) -> Iterator[SlotQuestion]:
        """Give what to ask the blade, each for itself: one that is refused says nothing of the others."""
        if one_by_one:
            for sensor in self._watched:
                yield SlotQuestion(GET_SENSOR_READING, SensorNumber(sensor.number), ended=self._take_one)
            return
        for first in _beginnings(sorted(sensor.number for sensor in self._facts.analog)):
            yield SlotQuestion(GET_READINGS, ReadingsFrom(first), ended=self._take)

    def pause_s(self, interval_s: float) -> float:
        """Give how long to wait for the next reading, where a blade near its limits is asked every `interval_s`."""
        return interval_s if self._near_a_limit else 2 * interval_s

    @property
    def temperatures(self) -> list[tuple[SeenSensor, float]]:
        """The temperatures that have limits, and could be read."""
        readings = ((sensor, self.readings.get(sensor.number)) for sensor in self._watched)
        return [(sensor, celsius) for sensor, celsius in readings if celsius is not None]

    @property
    def _watched(self) -> tuple[SeenSensor, ...]:
        return self._facts.temperatures[:_MOST_WATCHED]

    @property
    def _near_a_limit(self) -> bool:
        """Whether any is, or is not known to be far from its own."""
        far = [sensor for sensor, celsius in self.temperatures if celsius <= min(sensor.upper.values()) - FAR_C]
        return len(far) < len(self._watched)

    def _take(self, answered: Answered) -> None:
        if answered.outcome is AnswerOutcome.UNANSWERED or not isinstance(answered.question.body, ReadingsFrom):
            return
        first = answered.question.body.first
        readings: Readings = answered.reply or Readings(b"")
        for sensor in self._facts.analog:
            if first <= sensor.number < first + READINGS_A_MESSAGE:
                self._note(sensor, *readings.of(sensor.number - first))

    def _take_one(self, answered: Answered) -> None:
        if answered.outcome is AnswerOutcome.UNANSWERED or not isinstance(answered.question.body, SensorNumber):
            return
        reply: SensorReadingReply | None = answered.reply
        sensor = self._facts.sensors.get(answered.question.body.sensor)
        if sensor is not None:
            self._note(sensor, *((0, 0) if reply is None else (reply.reading, reply.flags)))

    def _note(self, sensor: SeenSensor, raw: int, flags: int) -> None:
        readable = flags & (_NO_READING | _SCANNED) == _SCANNED
        self.readings[sensor.number] = sensor.reading(raw) if readable else None


def _beginnings(numbers: Sequence[int]) -> Iterator[int]:
    """Give the sensors from which on to ask, so that no number is left out."""
    covered = -1
    for number in numbers:
        if number > covered:
            covered = number + READINGS_A_MESSAGE - 1
            yield number
