"""One slot's requests: one at a time on the wire, repeated until answered, given up in bounded time. No I/O."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from msgspec import Struct

from blade_agent.backplane.command import GROUP_BYTES, NET_FN_OEM, Command
from blade_agent.backplane.layout import InvalidField, WrongLength
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response
from blade_agent.backplane.seal import holds
from blade_agent.chassis_manager.request_counters import RequestCounters
from blade_agent.chassis_manager.settings import Timing

_SEQUENCES = 64

MAX_RELAYS = 8
"""Somebody else's requests that may wait for one slot; whoever sends more is told that it is busy."""


class SlotQuestion(Struct, frozen=True):
    """A command and the body of its request."""

    command: Command[Any, Any]
    body: Struct
    ended: "Callable[[Answered], None] | None" = None
    """Called once with how it ended; also when it was never asked, because the blade was lost before."""


class Relay(Struct, frozen=True, kw_only=True, eq=False):
    """Somebody else's request, to be passed on as it is."""

    net_fn: int
    command: int
    data: bytes
    lun: int = 0
    ended: Callable[[Response | None], None]
    """Called once, with the device's response, or None when there is none."""

    def read(self, command: Command[Any, Any]) -> Any:
        """Read its body; None if it is another command, or not one that can be carried out."""
        code = command.code
        group_bytes = GROUP_BYTES.get(self.net_fn, 0)
        if (self.net_fn, self.command, self.data[:group_bytes]) != (code.net_fn, code.number, code.group):
            return None
        try:
            return command.read_request(self.data[group_bytes:])
        except (WrongLength, InvalidField):
            return None


class AnswerOutcome(Enum):
    """How a question ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Answered(Struct, frozen=True, kw_only=True):
    """The end of a question."""

    question: SlotQuestion
    outcome: AnswerOutcome
    reply: Any = None
    """Body of the reply, of the command's type; None unless answered."""
    completion: int = CompletionCode.OK
    """Why it was refused."""


class ResponseFault(Enum):
    """Why a message on the line was not taken for an answer."""

    UNEXPECTED = "answers nothing that was asked"
    UNREADABLE = "has a body that the command does not have, or a broken seal"


class _Outstanding(Struct):
    question: SlotQuestion | Relay
    request: Request
    attempts: int = 0
    due: float = 0.0


class Requester:
    """Asks one device."""

    def __init__(self, device_address: int, first_sequence: int, timing: Timing) -> None:
        """Start with a sequence number drawn at random: late answers to a manager before this one do not match."""
        self._device_address = device_address
        self._sequence = first_sequence % _SEQUENCES
        self._timing = timing
        self._conversation: deque[SlotQuestion] = deque()
        self._waiting: deque[tuple[SlotQuestion, ...]] = deque()
        self._relays: deque[Relay] = deque()
        self._parked: _Outstanding | None = None
        """A relay that was sent and not answered, and waits for the manager's own questions before it is repeated."""
        self._outstanding: _Outstanding | None = None
        self._read_last: tuple[Command[Any, Any], bytes, Any] | None = None
        self.attempts = timing.attempts
        """How often a request is sent before it counts as unanswered."""
        self.faults: Counter[ResponseFault] = Counter()
        self.counters = RequestCounters()

    @property
    def idle(self) -> bool:
        """Whether nothing of the manager's own is asked or waits to be."""
        return not self._own_waits and (self._outstanding is None or isinstance(self._outstanding.question, Relay))

    @property
    def _own_waits(self) -> bool:
        return bool(self._conversation or self._waiting)

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        if self._outstanding is not None:
            return self._outstanding.due
        return 0.0 if self._own_waits or self._relays or self._parked else None

    def ask(self, *questions: SlotQuestion) -> None:
        """Ask these, in order, after what is being asked. If one is refused, those after it are not asked."""
        self._waiting.append(questions)

    @property
    def busy(self) -> bool:
        """Whether too many requests wait to be passed on for one more."""
        return len(self._relays) + (self._parked is not None) >= MAX_RELAYS

    def relay(self, relay: Relay) -> bool:
        """Pass a request on when nothing of the manager's own waits; False if too many wait already."""
        if self.busy:
            return False
        self._relays.append(relay)
        return True

    def forget(self) -> None:
        """Ask nothing that still waits: each question ends unanswered."""
        unasked = [*self._conversation, *(question for questions in self._waiting for question in questions)]
        self._waiting.clear()
        self._drop(unasked)

    def _drop(self, questions: Iterable[SlotQuestion]) -> None:
        self._conversation.clear()
        for question in questions:
            if question.ended is not None:
                question.ended(Answered(question=question, outcome=AnswerOutcome.UNANSWERED))

    def forget_relays(self) -> None:
        """Pass on nothing that still waits: each ends without a response."""
        relays = list(self._relays)
        if self._parked is not None and isinstance(self._parked.question, Relay):
            relays.insert(0, self._parked.question)
        self._parked = None
        self._relays.clear()
        for relay in relays:
            relay.ended(None)

    def receive(self, message: Request | Response) -> Answered | None:
        """Take what the line brought; give the end of the question that it answers."""
        outstanding = self._answered_by(message)
        if outstanding is None or not isinstance(message, Response):
            self.faults[ResponseFault.UNEXPECTED] += 1
            return None
        question = outstanding.question
        if not _sealed_as_asked(outstanding.request, message):
            self.faults[ResponseFault.UNREADABLE] += 1
            return None
        if isinstance(question, Relay):
            if outstanding is self._parked:
                self._parked = None
            else:
                self._outstanding = None
            question.ended(message)
            return None
        return self._answered(question, message)

    def _answered_by(self, message: Request | Response) -> "_Outstanding | None":
        """Give what a message answers: what is being asked, or a relay that waits for its turn."""
        asked = (self._outstanding, self._parked)
        if not isinstance(message, Response):
            return None
        return next((each for each in asked if each is not None and _answers(each.request, message)), None)

    def _answered(self, question: SlotQuestion, message: Response) -> Answered | None:
        if message.completion != CompletionCode.OK:
            self._outstanding = None
            self._drop(list(self._conversation))
            return Answered(question=question, outcome=AnswerOutcome.REFUSED, completion=message.completion)
        try:
            reply = self._read(question.command, message.data)
        except (WrongLength, InvalidField):
            self.faults[ResponseFault.UNREADABLE] += 1
            return None
        self._outstanding = None
        return Answered(question=question, outcome=AnswerOutcome.ANSWERED, reply=reply)

    def tick(self, now: float) -> Request | Answered | None:
        """Give what is due: a request to send, or the end of one that stayed without an answer."""
        outstanding = self._outstanding or self._begin_next()
        if outstanding is None or now < outstanding.due:
            return None
        question = outstanding.question
        if outstanding.attempts >= self.attempts:
            self._outstanding = None
            self.counters.unanswered += 1
            if not isinstance(question, Relay):
                return Answered(question=question, outcome=AnswerOutcome.UNANSWERED)
            question.ended(None)
            return self.tick(now)
        if isinstance(question, Relay) and outstanding.attempts and self._own_waits:
            # A heartbeat must not wait for a stranger: the relay is repeated after the manager's own questions.
            self._outstanding, self._parked = None, outstanding
            return self.tick(now)
        if outstanding.attempts:
            self.counters.repeats += 1
        else:
            self.counters.requests += 1
        outstanding.due = now + (self._timing.repeat_s if outstanding.attempts else self._timing.timeout_s)
        outstanding.attempts += 1
        return outstanding.request

    def _read(self, command: Command[Any, Any], data: bytes) -> Any:
        """Read a reply, but not what came just so before: nearly every heartbeat is the same."""
        before = self._read_last
        if before is not None and before[0] is command and before[1] == data:
            return before[2]
        reply = command.read_reply(data)
        self._read_last = (command, data, reply)
        return reply

    def _begin_next(self) -> _Outstanding | None:
        if not self._conversation and self._waiting:
            self._conversation.extend(self._waiting.popleft())
        if self._conversation:
            self._outstanding = self._begin(self._conversation.popleft())
        elif self._parked is not None:
            self._outstanding, self._parked = self._parked, None
        elif self._relays:
            self._outstanding = self._begin(self._relays.popleft())
        return self._outstanding

    def _begin(self, question: SlotQuestion | Relay) -> _Outstanding:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        if self._parked is not None and self._parked.request.sequence == self._sequence:
            self._sequence = (self._sequence + 1) % _SEQUENCES
        if isinstance(question, Relay):
            net_fn, command, data, lun = question.net_fn, question.command, question.data, question.lun
        else:
            code = question.command.code
            net_fn, command, data, lun = code.net_fn, code.number, question.command.request_data(question.body), 0
        request = Request(
            responder=self._device_address,
            requester=CHASSIS_MANAGER_ADDRESS,
            net_fn=net_fn,
            command=command,
            sequence=self._sequence,
            data=data,
            responder_lun=lun,
        )
        return _Outstanding(question, request)


def _answers(request: Request, response: Response) -> bool:
    return (
        response.sequence == request.sequence
        and response.command == request.command
        and response.net_fn == request.net_fn | 1
        and response.responder == request.responder
        and response.requester == request.requester
    )


def _sealed_as_asked(request: Request, response: Response) -> bool:
    """What was asked with a seal is answered with one, a refusal too; who asks without is told what comes of that.

    A device that does not know the command cannot seal its answer.
    """
    if request.net_fn != NET_FN_OEM or not holds(bytes((request.net_fn, request.command)), request.data):
        return True
    if response.completion == CompletionCode.INVALID_COMMAND and not response.data:
        return True
    return holds(bytes((response.net_fn, response.command, response.completion)), response.data)
