"""An IPMI message in IPMB form: the language of the backplane (IPMB 1.0, 2.11; IPMI 2.0, 13.8 and 14.4.4).

    request    rsAddr  netFn/rsLUN  checksum 1  rqAddr  rqSeq/rqLUN  cmd       data  checksum 2
    response   rqAddr  netFn/rqLUN  checksum 1  rsAddr  rqSeq/rsLUN  cmd  cc  data  checksum 2

The same octets travel in Basic Mode frames and in RMCP datagrams. The header is single bytes, which every message pays
for: they are taken as they are, without construct.
"""

from enum import Enum, IntEnum, unique

from msgspec import Struct

MAX_DATA_BYTES = 255
"""Longest data of a message that is read. Ours stay under 50; what is longer than its command is answered as such."""

CHASSIS_MANAGER_ADDRESS = 0x20
"""Where the chassis manager stands on the backplane, and what a client on a service port calls the CBC."""

_HEADER_BYTES = 6
_SHORTEST_BYTES = _HEADER_BYTES + 1
_LONGEST_BYTES = _SHORTEST_BYTES + 1 + MAX_DATA_BYTES
MAX_MESSAGE_BYTES = _LONGEST_BYTES
"""Longest message on any wire: a framing drops what grows beyond it."""


class Completion(IntEnum):
    """First byte of every response's data (IPMI 2.0, table 5-2). 80h to BEh mean something else with every command."""

    @property
    def text(self) -> str:
        """How a person reads it."""
        return f"{self:02X}h, {self.name.lower().replace('_', ' ')}"


@unique
class CompletionCode(Completion):
    """Those that mean the same with every command. A command's own stand beside its layout."""

    OK = 0x00
    NODE_BUSY = 0xC0
    INVALID_COMMAND = 0xC1
    INVALID_LUN = 0xC2
    TIMED_OUT = 0xC3
    OUT_OF_SPACE = 0xC4
    RESERVATION_CANCELLED = 0xC5
    WRONG_LENGTH = 0xC7
    PARAMETER_OUT_OF_RANGE = 0xC9
    TOO_MANY_BYTES_REQUESTED = 0xCA
    NO_SUCH_DEVICE = 0xCB
    INVALID_FIELD = 0xCC
    INSUFFICIENT_PRIVILEGE = 0xD4
    WRONG_STATE = 0xD5
    UNSPECIFIED = 0xFF


@unique
class ParameterCompletion(Completion):
    """Why a parameter is not given, or not set, of LAN, SOL, boot options and system info alike.

    IPMI 2.0, 22.14a, 23.1, 26.2 and 28.12.
    """

    NOT_SUPPORTED = 0x80
    SET_IN_PROGRESS = 0x81
    READ_ONLY = 0x82


class MessageFault(Enum):
    """Why octets were not taken for a message."""

    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    HEADER_CHECKSUM = "header checksum"
    BODY_CHECKSUM = "body checksum"


class BadMessage(Exception):
    """Octets that are no message."""

    def __init__(self, fault: MessageFault, length_bytes: int) -> None:
        super().__init__(f"{length_bytes} bytes are no IPMI message: {fault.value}")
        self.fault = fault
        self.length_bytes = length_bytes


class Request(Struct, frozen=True, kw_only=True):
    """A question to the device at `responder`; net function even."""

    responder: int
    requester: int
    net_fn: int
    command: int
    sequence: int
    """0 to 63, chosen by the requester."""
    data: bytes = b""
    responder_lun: int = 0
    requester_lun: int = 0

    def respond(self, completion: int, data: bytes = b"") -> "Response":
        """Address the answer to this request back to who asked."""
        return Response(
            requester=self.requester,
            responder=self.responder,
            net_fn=self.net_fn | 1,
            command=self.command,
            sequence=self.sequence,
            completion=completion,
            data=data,
            responder_lun=self.responder_lun,
            requester_lun=self.requester_lun,
        )

    def encode(self) -> bytes:
        """Give the octets, checksums included."""
        return _seal(
            to=self.responder,
            net_fn_lun=self.net_fn << 2 | self.responder_lun,
            origin=self.requester,
            sequence_lun=self.sequence << 2 | self.requester_lun,
            command=self.command,
            data=self.data,
        )


class Response(Struct, frozen=True, kw_only=True):
    """The answer of the device at `responder`; net function odd. `completion` may be a command's own."""

    requester: int
    responder: int
    net_fn: int
    command: int
    sequence: int
    completion: int
    data: bytes = b""
    responder_lun: int = 0
    requester_lun: int = 0

    def encode(self) -> bytes:
        """Give the octets, checksums included."""
        return _seal(
            to=self.requester,
            net_fn_lun=self.net_fn << 2 | self.requester_lun,
            origin=self.responder,
            sequence_lun=self.sequence << 2 | self.responder_lun,
            command=self.command,
            data=bytes([self.completion]) + self.data,
        )


def checksum(octets: bytes) -> int:
    """Two's complement of the sum: octets and checksum together add up to 0 (IPMB 1.0, 2.11)."""
    return -sum(octets) & 0xFF


def decode(octets: bytes, longest_bytes: int = MAX_MESSAGE_BYTES) -> Request | Response:
    """Read a message.

    Raises BadMessage: too short or long, or a checksum does not match.
    """
    if len(octets) < _SHORTEST_BYTES:
        raise BadMessage(MessageFault.TOO_SHORT, len(octets))
    if len(octets) > longest_bytes:
        raise BadMessage(MessageFault.TOO_LONG, len(octets))
    if checksum(octets[:3]):
        raise BadMessage(MessageFault.HEADER_CHECKSUM, len(octets))
    if checksum(octets[3:]):
        raise BadMessage(MessageFault.BODY_CHECKSUM, len(octets))
    to, net_fn_lun, _, origin, sequence_lun, command = octets[:_HEADER_BYTES]
    net_fn, target_lun = divmod(net_fn_lun, 4)
    sequence, origin_lun = divmod(sequence_lun, 4)
    body = octets[_HEADER_BYTES:-1]
    if net_fn % 2 == 0:
        return Request(
            responder=to,
            requester=origin,
            net_fn=net_fn,
            command=command,
            sequence=sequence,
            data=body,
            responder_lun=target_lun,
            requester_lun=origin_lun,
        )
    if not body:
        raise BadMessage(MessageFault.TOO_SHORT, len(octets))
    return Response(
        requester=to,
        responder=origin,
        net_fn=net_fn,
        command=command,
        sequence=sequence,
        completion=body[0],
        data=body[1:],
        requester_lun=target_lun,
        responder_lun=origin_lun,
    )


def _seal(*, to: int, net_fn_lun: int, origin: int, sequence_lun: int, command: int, data: bytes) -> bytes:
    head = bytes((to, net_fn_lun))
    body = bytes((origin, sequence_lun, command)) + data
    return head + bytes((checksum(head),)) + body + bytes((checksum(body),))
