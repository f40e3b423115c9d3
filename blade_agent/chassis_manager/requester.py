"""One slot's requests: one at a time on the wire, repeated until answered, given up in bounded time. No I/O."""

from collections import Counter, deque
from enum import Enum
from typing import Any

from msgspec import Struct

from blade_agent.cbc.command import Command
from blade_agent.cbc.layout import InvalidFieldError, WrongLengthError
from blade_agent.cbc.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response
from blade_agent.chassis_manager.settings import Timing

_SEQUENCES = 64


class Question(Struct, frozen=True):
    """A command and the body of its request."""

    command: Command[Any, Any]
    body: Struct


class Outcome(Enum):
    """How a question ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Answered(Struct, frozen=True, kw_only=True):
    """The end of a question."""

    question: Question
    outcome: Outcome
    reply: Any = None
    """Body of the reply, of the command's type; None unless answered."""
    completion: int = CompletionCode.OK
    """Why it was refused."""


class ResponseFault(Enum):
    """Why a message on the line was not taken for an answer."""

    UNEXPECTED = "answers nothing that was asked"
    UNREADABLE = "has a body that the command does not have"


class _Outstanding(Struct):
    question: Question
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
        self._waiting: deque[Question] = deque()
        self._outstanding: _Outstanding | None = None
        self.faults: Counter[ResponseFault] = Counter()

    @property
    def idle(self) -> bool:
        """Whether nothing is asked or waits to be."""
        return self._outstanding is None and not self._waiting

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        if self._outstanding is not None:
            return self._outstanding.due
        return 0.0 if self._waiting else None

    def ask(self, *questions: Question) -> None:
        """Ask these, in order, after what is being asked."""
        self._waiting.extend(questions)

    def forget(self) -> None:
        """Ask nothing that still waits."""
        self._waiting.clear()

    def receive(self, message: Request | Response) -> Answered | None:
        """Take what the line brought; give the end of the question that it answers."""
        outstanding = self._outstanding
        if outstanding is None or not isinstance(message, Response) or not _answers(outstanding.request, message):
            self.faults[ResponseFault.UNEXPECTED] += 1
            return None
        question = outstanding.question
        if message.completion != CompletionCode.OK:
            self._outstanding = None
            return Answered(question=question, outcome=Outcome.REFUSED, completion=message.completion)
        try:
            reply = question.command.read_reply(message.data)
        except (WrongLengthError, InvalidFieldError):
            self.faults[ResponseFault.UNREADABLE] += 1
            return None
        self._outstanding = None
        return Answered(question=question, outcome=Outcome.ANSWERED, reply=reply)

    def tick(self, now: float) -> Request | Answered | None:
        """Give what is due: a request to send, or the end of one that stayed without an answer."""
        if self._outstanding is None:
            if not self._waiting:
                return None
            self._outstanding = self._begin(self._waiting.popleft())
        outstanding = self._outstanding
        if now < outstanding.due:
            return None
        if outstanding.attempts == self._timing.attempts:
            self._outstanding = None
            return Answered(question=outstanding.question, outcome=Outcome.UNANSWERED)
        outstanding.attempts += 1
        outstanding.due = now + self._timing.timeout_s
        return outstanding.request

    def _begin(self, question: Question) -> _Outstanding:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        code = question.command.code
        request = Request(
            responder=self._device_address,
            requester=CHASSIS_MANAGER_ADDRESS,
            net_fn=code.net_fn,
            command=code.number,
            sequence=self._sequence,
            data=question.command.request_data(question.body),
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
