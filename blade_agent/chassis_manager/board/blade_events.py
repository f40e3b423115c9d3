"""Requests that come from blades: their events, for the chassis' log (IPMI 2.0, 29.3; PICMG 3.0, 3.5). No I/O."""

from collections import Counter
from enum import Enum
from typing import Final

from msgspec import Struct

from blade_agent.backplane.layout import InvalidField, WrongLength
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response
from blade_agent.backplane.messages.sensor import PLATFORM_EVENT
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.event_log import EventLog

_REPEATED_WITHIN_S: Final = 30.0


class EventFault(Enum):
    """Why a request from a blade was not answered."""

    NOT_FOR_US = "is not for the chassis manager, or not from the blade of that slot"
    LOG_FULL = "the event log is full"


class _Taken(Struct, frozen=True):
    """The last event of a blade: a repetition is answered once more and not noted once more."""

    sequence: int
    data: bytes
    at: float


class BladeEvents:
    """What blades ask of the chassis manager. Only events are: a blade has nothing to order."""

    def __init__(self, log: EventLog) -> None:
        self.faults: Counter[EventFault] = Counter()
        self._log = log
        self._taken: dict[int, _Taken] = {}

    def answer(self, slot: int, request: Request, now: float) -> Response | None:
        """Take a request from a slot's line; None if it gets no answer."""
        if request.responder != CHASSIS_MANAGER_ADDRESS or request.requester != SlotAddress(slot).ipmb_address:
            self.faults[EventFault.NOT_FOR_US] += 1
            return None
        return request.respond(self._take(slot, request, now))

    def _take(self, slot: int, request: Request, now: float) -> int:
        if (request.net_fn, request.command) != (PLATFORM_EVENT.code.net_fn, PLATFORM_EVENT.code.number):
            return CompletionCode.INVALID_COMMAND
        if request.responder_lun:
            return CompletionCode.INVALID_LUN
        try:
            body = PLATFORM_EVENT.read_request(request.data)
        except WrongLength:
            return CompletionCode.WRONG_LENGTH
        except InvalidField:
            return CompletionCode.INVALID_FIELD
        taken = self._taken.get(slot)
        if (
            taken is not None
            and (taken.sequence, taken.data) == (request.sequence, request.data)
            and now - taken.at <= _REPEATED_WITHIN_S
        ):
            return CompletionCode.OK
        if self._log.note(body.event, generator=SlotAddress(slot).ipmb_address) is None:
            # The blade keeps its own log: it is not to repeat what there is no room for here.
            self.faults[EventFault.LOG_FULL] += 1
        self._taken[slot] = _Taken(request.sequence, request.data, now)
        return CompletionCode.OK
