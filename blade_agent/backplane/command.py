"""A command as both ends know it: where it stands in the command space and how its bodies lie on the wire."""

from typing import Final, Generic, TypeVar

from msgspec import Struct

from blade_agent.backplane.layout import InvalidField, Layout, WrongLength
from blade_agent.backplane.message import Completion, CompletionCode, Request
from blade_agent.backplane.seal import SEAL_BYTES, seal, unseal

RequestT = TypeVar("RequestT", bound=Struct)
ReplyT = TypeVar("ReplyT", bound=Struct)

NET_FN_CHASSIS: Final = 0x00
NET_FN_SENSOR: Final = 0x04
NET_FN_APPLICATION: Final = 0x06
NET_FN_STORAGE: Final = 0x0A
NET_FN_TRANSPORT: Final = 0x0C
NET_FN_GROUP: Final = 0x2C
NET_FN_OEM: Final = 0x2E

GROUP_BYTES: Final = {NET_FN_GROUP: 1, NET_FN_OEM: 3}
"""Octets that begin the data of a net function shared by several bodies (IPMI 2.0, table 5-1)."""

PICMG: Final = b"\x00"
"""The body that defines the PICMG 3.0 commands."""

DCMI: Final = b"\xdc"
"""The body that defines the DCMI commands."""

ENTERPRISE_NUMBER: Final = 8072
"""Whose OEM commands these are: net-snmp's number, a placeholder until one is assigned to this project."""
MEDIA_STATION: Final = ENTERPRISE_NUMBER.to_bytes(3, "little")


class CommandCode(Struct, frozen=True):
    """Where a command stands: net function of the request, defining body, number."""

    net_fn: int
    group: bytes
    number: int


def code_of(request: Request) -> CommandCode:
    """Give where the command of a request stands."""
    return CommandCode(request.net_fn, request.data[: GROUP_BYTES.get(request.net_fn, 0)], request.command)


def media_station(number: int) -> CommandCode:
    """Give where a command of our own stands."""
    return CommandCode(NET_FN_OEM, MEDIA_STATION, number)


class Command(Generic[RequestT, ReplyT]):
    """A command of the backplane."""

    def __init__(
        self,
        name: str,
        code: CommandCode,
        *,
        request: Layout[RequestT],
        reply: Layout[ReplyT],
        completions: type[Completion] | None = None,
        sealed: bool = False,
    ) -> None:
        """`completions` are those that mean something with this command only.

        `sealed`: request and response carry a CRC-32 of their own (`blade_agent.backplane.seal`).
        """
        self.name = name
        self.code = code
        self._request = request
        self._reply = reply
        self._completions = completions
        self.sealed = sealed

    def request_data(self, body: RequestT) -> bytes:
        """Give the data of a request: the defining body, then the fields, then the seal if it has one."""
        data = self.code.group + self._request.pack(body)
        return seal(self._request_head, data) if self.sealed else data

    def reply_data(self, body: ReplyT) -> bytes:
        """Give the data of a response that went well, completion code aside."""
        data = self.code.group + self._reply.pack(body)
        return seal(self._response_head(CompletionCode.OK), data) if self.sealed else data

    def refusal_data(self, completion: int) -> bytes:
        """Give the data of a response that did not: none, but of a sealed command the defining body and the seal."""
        return seal(self._response_head(completion), self.code.group) if self.sealed else b""

    def read_request(self, fields: bytes) -> RequestT:
        """Read a request's data from which the defining body was taken off.

        Raises as `Layout.unpack` does, and BrokenSeal.
        """
        if self.sealed:
            if len(fields) < SEAL_BYTES:
                raise WrongLength(len(fields))
            fields = unseal(self._request_head, self.code.group + fields)[len(self.code.group) :]
        return self._request.unpack(fields)

    def read_reply(self, data: bytes) -> ReplyT:
        """Read the data of a response that went well. Raises as `Layout.unpack` does, and BrokenSeal."""
        if not data.startswith(self.code.group):
            message = f"the response to {self.name} is of another defining body"
            raise InvalidField(message)
        if self.sealed:
            data = unseal(self._response_head(CompletionCode.OK), data)
        return self._reply.unpack(data.removeprefix(self.code.group))

    @property
    def _request_head(self) -> bytes:
        return bytes((self.code.net_fn, self.code.number))

    def _response_head(self, completion: int) -> bytes:
        return bytes((self.code.net_fn | 1, self.code.number, completion))

    def completion(self, code: int) -> Completion:
        """Give a completion code as it is meant with this command. Raises ValueError for one without a meaning."""
        if self._completions is not None and code in list(self._completions):
            return self._completions(code)
        return CompletionCode(code)

    def completion_text(self, code: int) -> str:
        """Give a completion code, and what it means with this command, for a person."""
        try:
            return self.completion(code).text
        except ValueError:
            return f"{code:02X}h"
