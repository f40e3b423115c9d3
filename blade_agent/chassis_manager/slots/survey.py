"""Asking a blade what it has, once for each start of its agent. A conversation without I/O: questions out, answers in.

What a blade refuses it does not have. What it answers is not trusted to end: every walk is bounded.
"""

import logging
from collections.abc import Callable, Generator
from itertools import pairwise
from typing import Any, Final

from blade_agent.backplane.fru_format import read_fru
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.messages.blade_facts import facts_digest
from blade_agent.backplane.messages.board import (
    GET_FAN_SPEED_PROPERTIES,
    GET_POWER_LEVEL,
    FanProperties,
    PowerKind,
    PowerLevelsReply,
    PowerQuery,
    WhichFru,
)
from blade_agent.backplane.messages.fru import (
    GET_FRU_INVENTORY_AREA_INFO,
    READ_FRU_INVENTORY_DATA,
    FruArea,
    FruDevice,
    FruPiece,
    ReadFru,
)
from blade_agent.backplane.messages.fru import LONGEST_PIECE_BYTES as LONGEST_FRU_PIECE_BYTES
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
_MOST_READ: Final = 5
_MOST_ASKED: Final = 8
_LONGEST_INVENTORY_BYTES: Final = 2048

logger = logging.getLogger(__name__)

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
    levels: PowerLevelsReply | None = yield from _agreed(
        SlotQuestion(GET_POWER_LEVEL, PowerQuery(_BLADE_FRU, PowerKind.DESIRED_STEADY))
    )
    if levels is not None and 1 <= levels.level <= len(levels.draws):
        now: PowerLevelsReply | None = yield from _agreed(
            SlotQuestion(GET_POWER_LEVEL, PowerQuery(_BLADE_FRU, PowerKind.STEADY))
        )
        watts = tuple(draw * levels.multiplier / 10 for draw in levels.draws)
        at_first = 0 if now is None else min(now.level, len(watts))
        if all(lower < higher for lower, higher in pairwise((0.0, *watts))):
            facts.power = PowerLevelFacts(levels_w=watts, desired=levels.level, at_first=at_first)
    facts.power_known = True


def ask_facts(facts: BladeFacts, digest: Callable[[], int | None]) -> Conversation:
    """Find out about its fan, its sensors, and what its board is.

    `digest` gives what the blade says that names all of it: what was read counts once it is what the digest names, for
    records and inventory carry no check of their own. None of a blade that does not say.
    """
    fan: FanProperties | None = yield from _agreed(SlotQuestion(GET_FAN_SPEED_PROPERTIES, WhichFru(_BLADE_FRU)))
    for attempt in range(_MOST_READ):
        records = yield from _ask_records()
        inventory = yield from _ask_inventory()
        found, said = facts_digest(records, inventory), digest()
        if said in (None, found):
            break
        logger.info("what a blade says of itself was read wrong, %d of %d times", attempt + 1, _MOST_READ)
    sensors = (read_sensor_record(octets) for octets in records)
    facts.fan = fan
    facts.sensors = {sensor.number: sensor for sensor in sensors if sensor is not None}
    facts.records = tuple(records)
    facts.board = read_fru(inventory)
    # What cannot be read as it is named is better than nothing: blades are cooled by it.
    facts.digest = found if said is None else said
    facts.surveyed = True


def _agreed(question: SlotQuestion) -> Generator[SlotQuestion, Any, Any]:
    """Ask until two answers in a row are the same: what is kept for as long as a blade runs has only the 8-bit sum."""
    answer = yield question
    for _ in range(_MOST_ASKED):
        before, answer = answer, (yield question)
        if answer == before:
            break
    return answer


def _ask_records() -> Generator[SlotQuestion, Any, list[bytes]]:
    """Read the sensor data records, as far as the blade gives them."""
    reserved = yield SlotQuestion(RESERVE_DEVICE_SDR_REPOSITORY, Nothing())
    records: list[bytes] = []
    record = _FIRST_RECORD
    while reserved is not None and record != _NO_MORE_RECORDS and len(records) < _MOST_RECORDS:
        octets, wanted_bytes = b"", _HEADER_BYTES
        following = _NO_MORE_RECORDS
        while len(octets) < wanted_bytes:
            piece = yield _piece(reserved.reservation, record, len(octets))
            if piece is None or not piece.octets:
                return records
            octets += piece.octets
            following = piece.next_record
            if len(octets) >= _HEADER_BYTES:
                wanted_bytes = _HEADER_BYTES + octets[_HEADER_BYTES - 1]
        records.append(octets)
        record = following
    return records


def _ask_inventory() -> Generator[SlotQuestion, Any, bytes]:
    """Read the FRU inventory, as far as the blade gives it."""
    area: FruArea | None = yield SlotQuestion(GET_FRU_INVENTORY_AREA_INFO, FruDevice(_BLADE_FRU))
    length_bytes = 0 if area is None else min(area.length_bytes, _LONGEST_INVENTORY_BYTES)
    octets = b""
    while len(octets) < length_bytes:
        count = min(length_bytes - len(octets), LONGEST_FRU_PIECE_BYTES)
        piece: FruPiece | None = yield SlotQuestion(
            READ_FRU_INVENTORY_DATA, ReadFru(fru=_BLADE_FRU, offset=len(octets), count=count)
        )
        if piece is None or not piece.octets:
            break
        octets += piece.octets
    return octets


def _piece(reservation: int, record: int, offset: int) -> SlotQuestion:
    wanted = RecordPiece(reservation=reservation, record=record, offset=offset, length_bytes=LONGEST_PIECE_BYTES)
    return SlotQuestion(GET_DEVICE_SDR, wanted)
