"""The commands of the management controller at 20h: who may ask what, how long it is, and who answers."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from blade_agent.backplane.command import GROUP_BYTES, CommandCode, code_of
from blade_agent.backplane.message import Completion, CompletionCode, Request, Response
from blade_agent.chassis_manager.lan.session import LanSession
from blade_agent.chassis_manager.lan.users import Privilege

LAN_CHANNEL = 1
_THIS_CHANNEL = 0x0E
_CHANNEL_MASK = 0x0F


def channel_of(octet: int) -> int:
    """Give the channel that a request names: commands of this room come in over the LAN's."""
    channel = octet & _CHANNEL_MASK
    return LAN_CHANNEL if channel == _THIS_CHANNEL else channel


class CommandRefused(Exception):
    """A command that is not carried out."""

    def __init__(self, completion: Completion) -> None:
        super().__init__(f"refused with completion code {completion.text}")
        self.completion = completion


class Asked(Struct, frozen=True):
    """A request as its answer sees it."""

    fields: bytes
    """Its data; a defining body is taken off."""
    session: LanSession | None
    now: float

    @property
    def within(self) -> LanSession:
        """The session, for commands that are only carried out in one."""
        if self.session is None:
            raise CommandRefused(CompletionCode.INSUFFICIENT_PRIVILEGE)
        return self.session


Answer: TypeAlias = Callable[[Asked], bytes]
"""From a request to the data of the response. Raises CommandRefused."""


class Entry(Struct, frozen=True, kw_only=True):
    """A command."""

    name: str
    code: CommandCode
    lengths_bytes: tuple[int, ...]
    """Lengths that its fields may have."""
    privilege: Privilege | None
    """What it takes; None for a command that is answered outside a session, too."""
    answer: Answer


class CommandTable:
    """All commands, by net function, defining body and number."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.code: entry for entry in entries}

    @property
    def entries(self) -> Mapping[CommandCode, Entry]:
        """All of them, by where they stand."""
        return self._entries

    @property
    def codes(self) -> frozenset[CommandCode]:
        """Every command that is known."""
        return frozenset(self._entries)

    def knows(self, request: Request) -> bool:
        """Tell whether a request is one of these."""
        return code_of(request) in self._entries

    def answer(self, request: Request, session: LanSession | None, now: float) -> Response:
        """Carry a request out and answer it."""
        prefix_bytes = GROUP_BYTES.get(request.net_fn, 0)
        group, fields = request.data[:prefix_bytes], request.data[prefix_bytes:]
        try:
            data = self._carry_out(request, Asked(fields, session, now))
        except CommandRefused as error:
            return request.respond(error.completion)
        return request.respond(CompletionCode.OK, group + data)

    def _carry_out(self, request: Request, asked: Asked) -> bytes:
        entry = self._entries.get(code_of(request))
        refusal = _refusal(request, entry, asked)
        if refusal is not None or entry is None:
            raise CommandRefused(refusal or CompletionCode.INVALID_COMMAND)
        return entry.answer(asked)


def _refusal(request: Request, entry: Entry | None, asked: Asked) -> Completion | None:
    """Give why a request is not even looked at. Outside a session nobody is told what exists."""
    if asked.session is None and (entry is None or entry.privilege is not None):
        return CompletionCode.INSUFFICIENT_PRIVILEGE
    if request.responder_lun:
        return CompletionCode.INVALID_LUN
    if entry is None:
        return CompletionCode.INVALID_COMMAND
    if asked.session is not None and entry.privilege is not None and asked.session.privilege < entry.privilege:
        return CompletionCode.INSUFFICIENT_PRIVILEGE
    if len(asked.fields) not in entry.lengths_bytes:
        return CompletionCode.WRONG_LENGTH
    return None
