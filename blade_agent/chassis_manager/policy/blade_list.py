"""Which blades are the station's, told to its director: all of it once at the start of a term, then changes. No I/O.

The manager is wired to its slots, so it is the one who knows. The director hears of a blade before that blade is told
to go to it.
"""

import logging
from collections.abc import Mapping

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.station_blades import BLADES_A_MESSAGE, NOTE_BLADES, NoteBlades, SlotBlade
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot
from media_network.address import Address

logger = logging.getLogger(__name__)

_S = HotSwapState
_OF_THE_STATION = frozenset(
    {
        _S.M3_ACTIVATION_IN_PROGRESS,
        _S.M4_ACTIVE,
        _S.M5_DEACTIVATION_REQUEST,
        _S.M6_DEACTIVATION_IN_PROGRESS,
        _S.M7_COMMUNICATION_LOST,
    }
)
"""A blade that the backplane has lost may go on serving. One that is out of service has nothing to say."""


class BladeList:
    """What the director has been told."""

    def __init__(self, slots: Mapping[int, Slot]) -> None:
        self._slots = slots
        self._told: dict[int, Address | None] = {}
        self._term: tuple[int, int, int] | None = None

    def tell(self, director: Slot) -> bool:
        """See that a director that has its role knows the blades; tell whether it does."""
        status = director.status
        if status is None:
            return False
        term = (director.number, status.boot_id, status.assignment_digest)
        if term != self._term:
            self._term, self._told = term, {}
        news = [SlotBlade(number, where) for number, where in self._blades() if not self._knows(number, where)]
        if news and director.free:
            director.ask(*(self._question(tuple(part), term) for part in _parts(news)))
        return not news

    def _blades(self) -> list[tuple[int, Address | None]]:
        return [(number, address_of(slot)) for number, slot in self._slots.items()]

    def _knows(self, number: int, where: Address | None) -> bool:
        return number in self._told and self._told[number] == where

    def _question(self, blades: tuple[SlotBlade, ...], term: tuple[int, int, int]) -> SlotQuestion:
        def ended(answered: Answered) -> None:
            if answered.outcome is AnswerOutcome.UNANSWERED or term != self._term:
                return
            if answered.outcome is AnswerOutcome.REFUSED:
                logger.warning("slot %d: the director does not take which blades are its station's", term[0])
            self._told.update({blade.slot: blade.address for blade in blades})

        return SlotQuestion(NOTE_BLADES, NoteBlades(blades), ended=ended)


def address_of(slot: Slot) -> Address | None:
    """Give where machines speak to the blade of a slot; None if it is none of the station's."""
    status = slot.status
    if status is None or slot.hot_swap not in _OF_THE_STATION or slot.outdated:
        return None
    return status.address


def _parts(news: list[SlotBlade]) -> list[list[SlotBlade]]:
    return [news[at : at + BLADES_A_MESSAGE] for at in range(0, len(news), BLADES_A_MESSAGE)]
