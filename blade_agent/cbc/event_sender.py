"""Events on their way to the event receiver: one at a time, in order, repeated until acknowledged. No I/O.

IPMI 2.0, 29.3 (Platform Event) and 6.4 (event messages over IPMB): the sender may repeat a message that it has no
answer to; the receiver knows the repetition by its sequence number.
"""

from collections import Counter, deque
from enum import Enum
from typing import Final

from msgspec import Struct

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response
from blade_agent.backplane.messages.sensor import PLATFORM_EVENT, PlatformEvent

MOST_WAITING: Final = 64
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
_SEQUENCES: Final = 64
_NOT_NOW: Final = frozenset({CompletionCode.NODE_BUSY, CompletionCode.TIMED_OUT})


class EventReceiver(Struct, frozen=True):
    """Who is told of events."""

    address: int = CHASSIS_MANAGER_ADDRESS
    lun: int = 0


class EventLoss(Enum):
    """Why an event did not reach the receiver. It is in the blade's own log all the same."""

    TOO_MANY = "too many waited"
    REFUSED = "the receiver did not take it"


class EventSender:
    """The events of one CBC that wait to be sent, and the one that is under way."""

    def __init__(self, own_address: int) -> None:
        self._own_address = own_address
        self._waiting: deque[SensorEvent] = deque()
        self._outstanding: Request | None = None
        self._sequence = 0
        self._pause_s = FIRST_PAUSE_S
        self._due_s = 0.0
        self.receiver: EventReceiver | None = EventReceiver()
        """None: events are not sent."""
        self.losses: Counter[EventLoss] = Counter()
        self.sent = 0
        """Events that were acknowledged."""

    def set_receiver(self, receiver: EventReceiver | None) -> None:
        """Send to this one from now on; what is under way to another one goes to it too."""
        self.receiver = receiver
        if receiver is None:
            self._waiting.clear()
            self._outstanding = None
        elif self._outstanding is not None:
            self._outstanding = self._address(self._outstanding, receiver)
            self._due_s = 0.0

    def put(self, event: SensorEvent) -> None:
        """Have an event sent after those that wait. Too many, and the oldest goes: the newest says how it is now."""
        if self.receiver is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.losses[EventLoss.TOO_MANY] += 1
        self._waiting.append(event)

    @property
    def due_s(self) -> float | None:
        """When `tick` has something to send; None while there is nothing."""
        if self._outstanding is not None:
            return self._due_s
        return 0.0 if self._waiting else None

    def tick(self, now_s: float) -> Request | None:
        """Give the message that is due, if one is."""
        if self._outstanding is None:
            if self.receiver is None or not self._waiting:
                return None
            self._outstanding = self._begin(self._waiting.popleft(), self.receiver)
            self._pause_s = FIRST_PAUSE_S
        elif now_s < self._due_s:
            return None
        self._due_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return self._outstanding

    def receive(self, response: Response) -> bool:
        """Take a response; tell whether it is one to the message under way."""
        request = self._outstanding
        if request is None or not _answers(request, response):
            return False
        if response.completion in _NOT_NOW:
            return True
        if response.completion == CompletionCode.OK:
            self.sent += 1
        else:
            self.losses[EventLoss.REFUSED] += 1
        self._outstanding = None
        return True

    def _begin(self, event: SensorEvent, receiver: EventReceiver) -> Request:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        return self._message(PLATFORM_EVENT.request_data(PlatformEvent.of(event)), receiver)

    def _address(self, request: Request, receiver: EventReceiver) -> Request:
        return self._message(request.data, receiver)

    def _message(self, data: bytes, receiver: EventReceiver) -> Request:
        return Request(
            responder=receiver.address,
            requester=self._own_address,
            net_fn=PLATFORM_EVENT.code.net_fn,
            command=PLATFORM_EVENT.code.number,
            sequence=self._sequence,
            data=data,
            responder_lun=receiver.lun,
        )


def _answers(request: Request, response: Response) -> bool:
    return (
        response.sequence == request.sequence
        and response.command == request.command
        and response.net_fn == request.net_fn | 1
        and response.responder == request.responder
        and response.requester == request.requester
    )
