"""One message a UDP datagram: RMCP, then an IPMI 1.5 session header without authentication (IPMI 2.0, 13.1.3, 13.6).

For backplanes that are a switched network: like the wires of a chassis, it is trusted by being out of reach.
"""

from collections import Counter

import construct

from blade_agent.backplane.basic_mode import FrameFault
from blade_agent.backplane.message import MAX_MESSAGE_BYTES

PORT = 623
"""RMCP's registered port."""

_HEADER = construct.Struct(
    "version" / construct.Const(6, construct.Int8ub),
    "reserved" / construct.Int8ub,
    "sequence" / construct.Const(0xFF, construct.Int8ub),  # no RMCP acknowledgement is asked for
    "message_class" / construct.Const(7, construct.Int8ub),  # IPMI
    "authentication" / construct.Const(0, construct.Int8ub),  # none
    "session_sequence" / construct.Int32ul,
    "session" / construct.Int32ul,
    "length" / construct.Int8ub,
)
_HEADER_BYTES: int = _HEADER.sizeof()
_OUTSIDE_SESSION = {"reserved": 0, "session_sequence": 0, "session": 0}


class Rmcp:
    """Both directions of one association. `faults` counts the datagrams that were dropped."""

    acknowledgement = b""
    """Nothing is sent for a datagram that was taken."""

    def __init__(self) -> None:
        self.faults: Counter[FrameFault] = Counter()

    @staticmethod
    def encode(message: bytes) -> bytes:
        """Give the datagram of one message."""
        header: bytes = _HEADER.build({**_OUTSIDE_SESSION, "length": len(message)})
        return header + message

    def receive(self, data: bytes) -> list[bytes]:
        """Take one datagram and give the message in it, or none."""
        message = data[_HEADER_BYTES:]
        if not _is_header_of(message, data[:_HEADER_BYTES]):
            self.faults[FrameFault.NOT_RMCP] += 1
            return []
        return [message]


def _is_header_of(message: bytes, octets: bytes) -> bool:
    try:
        header = _HEADER.parse(octets)
    except construct.ConstructError:
        return False
    return bool(header.length == len(message) <= MAX_MESSAGE_BYTES)
