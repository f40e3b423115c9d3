"""A controller's answers to commands: how one stands in the command table, and the table."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from blade_agent.backplane.command import GROUP_BYTES, Command, CommandCode, ReplyT, RequestT, code_of
from blade_agent.backplane.layout import InvalidField, WrongLength
from blade_agent.backplane.message import CompletionCode, Request, Response
from blade_agent.backplane.seal import BrokenSeal
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.refusal import NotCarriedOut

__all__ = ["AnswerTable", "CommandModule", "NotCarriedOut", "answering"]

AskedT = TypeVar("AskedT", bound=ManagementController)
"""Which controller a command needs: any management controller, or a blade."""
AskedT_contra = TypeVar("AskedT_contra", bound=ManagementController, contravariant=True)


class CommandModule(Struct, Generic[AskedT_contra], frozen=True):
    """A group of commands that belong together."""

    answers: Mapping[CommandCode, Callable[[AskedT_contra, bytes], bytes]]
    """From the controller and a request's fields to a response's data. Raise `NotCarriedOut`, or as `Layout.unpack`."""
    device_support: int = 0
    """What the group adds to the device support of Get Device ID."""


def answering(
    command: Command[RequestT, ReplyT], carry_out: Callable[[AskedT, RequestT], ReplyT]
) -> tuple[CommandCode, Callable[[AskedT, bytes], bytes]]:
    """Give the table's entry for a command and the function that carries it out on typed bodies.

    A refusal of a sealed command is sealed, if the request was: whoever asked believes no other.
    """

    def answer(asked: AskedT, fields: bytes) -> bytes:
        request = command.read_request(fields)
        try:
            return command.reply_data(carry_out(asked, request))
        except NotCarriedOut as error:
            raise NotCarriedOut(error.code, command.refusal_data(error.code)) from error

    return command.code, answer


class AnswerTable(Generic[AskedT_contra]):
    """All commands that a controller answers."""

    def __init__(self, modules: Iterable[CommandModule[AskedT_contra]]) -> None:
        self._answers: dict[CommandCode, Callable[[AskedT_contra, bytes], bytes]] = {}
        self.device_support = 0
        """What they are together, for Get Device ID."""
        for module in modules:
            self._answers.update(module.answers)
            self.device_support |= module.device_support

    @property
    def codes(self) -> frozenset[CommandCode]:
        """Every command that is known."""
        return frozenset(self._answers)

    def knows(self, request: Request) -> bool:
        """Tell whether a request is one of these."""
        return code_of(request) in self._answers

    def answer(self, controller: AskedT_contra, request: Request) -> Response:
        """Let a controller carry a request out and answer it."""
        try:
            data = self._carry_out(controller, request)
        except NotCarriedOut as error:
            return request.respond(error.code, error.data)
        except BrokenSeal:
            controller.broken_seals += 1
            return request.respond(CompletionCode.INVALID_FIELD)
        except WrongLength:
            return request.respond(CompletionCode.WRONG_LENGTH)
        except InvalidField:
            return request.respond(CompletionCode.INVALID_FIELD)
        return request.respond(CompletionCode.OK, data)

    def _carry_out(self, controller: AskedT_contra, request: Request) -> bytes:
        if request.responder_lun:
            raise NotCarriedOut(CompletionCode.INVALID_LUN)
        prefix_bytes = GROUP_BYTES.get(request.net_fn, 0)
        if len(request.data) < prefix_bytes:
            raise NotCarriedOut(CompletionCode.WRONG_LENGTH)
        fields = request.data[prefix_bytes:]
        answer = self._answers.get(code_of(request))
        if answer is None:
            raise NotCarriedOut(CompletionCode.INVALID_COMMAND)
        controller.settle()
        return answer(controller, fields)
