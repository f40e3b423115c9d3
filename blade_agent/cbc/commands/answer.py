"""How a CBC's answer to a command stands in the command table."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from blade_agent.backplane.command import Command, CommandCode, ReplyT, RequestT
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.refusal import RefusedError

__all__ = ["Answer", "CommandModule", "RefusedError", "answering"]

Answer: TypeAlias = Callable[[Blade, bytes], bytes]
"""From a request's fields to a response's data. Raises `RefusedError`, or as `Layout.unpack` does."""


class CommandModule(Struct, frozen=True):
    """A group of commands that belong together."""

    answers: Mapping[CommandCode, Answer]
    device_support: int = 0
    """What the group adds to the device support of Get Device ID."""


def answering(
    command: Command[RequestT, ReplyT], carry_out: Callable[[Blade, RequestT], ReplyT]
) -> tuple[CommandCode, Answer]:
    """Give the table's entry for a command and the function that carries it out on typed bodies."""

    def answer(blade: Blade, fields: bytes) -> bytes:
        return command.reply_data(carry_out(blade, command.read_request(fields)))

    return command.code, answer
