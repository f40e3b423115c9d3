"""Asking a blade what it has, once for each start of its agent. A conversation without I/O: questions out, answers in.

What a blade refuses it does not have. What it answers is not trusted to end: every walk is bounded.
"""

from collections.abc import Generator
from itertools import pairwise
from typing import Any, Final

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.messages.board import (
    GET_FAN_SPEED_PROPERTIES,
    GET_POWER_LEVEL,
    PowerKind,
    PowerLevelsReply,
    PowerQuery,
    WhichFru,
)
from blade_agent.backplane.messages.record import (
    GET_DEVICE_SDR,
    LONGEST_PIECE_BYTES,
    RESERVE_DEVICE_SDR_REPOSITORY,
    RecordPiece,
)
from blade_agent.chassis_manager.slots.blade_facts import BladeFacts, PowerLevelFacts, read_sensor_record
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion

_BLADE_FRU: Final = 0
_FIRST_RECORD: Final = 0
_NO_MORE_RECORDS: Final = 0xFFFF
_HEADER_BYTES: Final = 5
_MOST_RECORDS: Final = 128

Conversation = Generator[SlotQuestion, Any, None]
"""Gives questions, takes the reply of each; None for one that was refused."""


class BladeSurvey:
    """One conversation with one blade."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.question: SlotQuestion | None = next(conversation, None)
        """What is to be asked next; None when all has been."""

    def take(self, answered: Answered) -> None:
        """Go on. A question that stayed without an answer is asked once more when the blade is heard again."""
        if answered.outcome is AnswerOutcome.UNANSWERED:
            return
        try:
            self.question = self._conversation.send(answered.reply)
        except StopIteration:
            self.question = None


def ask_power(facts: BladeFacts) -> Conversation:
    """Find out what the blade draws. It is asked before it is brought into service."""
    levels: PowerLevelsReply | None = yield SlotQuestion(
        GET_POWER_LEVEL, PowerQuery(_BLADE_FRU, PowerKind.DESIRED_STEADY)
    )
    if levels is not None and 1 <= levels.level <= len(levels.draws):
        now: PowerLevelsReply | None = yield SlotQuestion(GET_POWER_LEVEL, PowerQuery(_BLADE_FRU, PowerKind.STEADY))
        watts = tuple(draw * levels.multiplier / 10 for draw in levels.draws)
        at_first = 0 if now is None else min(now.level, len(watts))
        if all(lower < higher for lower, higher in pairwise((0.0, *watts))):
            facts.power = PowerLevelFacts(levels_w=watts, desired=levels.level, at_first=at_first)
    facts.power_known = True


def ask_sensors(facts: BladeFacts) -> Conversation:
    """Find out about its fan, then its sensors."""
    facts.fan = yield SlotQuestion(GET_FAN_SPEED_PROPERTIES, WhichFru(_BLADE_FRU))
    reserved = yield SlotQuestion(RESERVE_DEVICE_SDR_REPOSITORY, Nothing())
    if reserved is not None:
        yield from _walk(facts, reserved.reservation)
    facts.surveyed = True


def _walk(facts: BladeFacts, reservation: int) -> Conversation:
    record = _FIRST_RECORD
    for _ in range(_MOST_RECORDS):
        octets, wanted_bytes = b"", _HEADER_BYTES
        following = _NO_MORE_RECORDS
        while len(octets) < wanted_bytes:
            piece = yield _piece(reservation, record, len(octets))
            if piece is None or not piece.octets:
                return
            octets += piece.octets
            following = piece.next_record
            if len(octets) >= _HEADER_BYTES:
                wanted_bytes = _HEADER_BYTES + octets[_HEADER_BYTES - 1]
        sensor = read_sensor_record(octets)
        if sensor is not None:
            facts.sensors[sensor.number] = sensor
        if following == _NO_MORE_RECORDS:
            return
        record = following


def _piece(reservation: int, record: int, offset: int) -> SlotQuestion:
    wanted = RecordPiece(reservation=reservation, record=record, offset=offset, length_bytes=LONGEST_PIECE_BYTES)
    return SlotQuestion(GET_DEVICE_SDR, wanted)
