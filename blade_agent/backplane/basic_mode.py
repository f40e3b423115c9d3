"""IPMI serial Basic Mode: messages framed on a line of bytes (IPMI 2.0, 14.4).

Bytes in, whole messages out; what is no frame is counted, and the next good frame is always read: an unescaped start
byte begins a frame wherever it stands.
"""

import re
from collections import Counter
from enum import Enum, IntEnum

from blade_agent.backplane.message import MAX_MESSAGE_BYTES


class Reserved(IntEnum):
    """Bytes with a meaning of their own on the line (IPMI 2.0, table 14-7)."""

    START = 0xA0
    STOP = 0xA5
    HANDSHAKE = 0xA6
    """The receiver took a frame out of its buffer and has room for the next."""
    ESCAPE = 0xAA
    """The next byte stands for a reserved one."""
    TERMINAL_ESCAPE = 0x1B
    """Switches a shared line to Terminal Mode; never sent bare, taken as data when it comes bare."""


_ESCAPED = {
    Reserved.START: 0xB0,
    Reserved.STOP: 0xB5,
    Reserved.HANDSHAKE: 0xB6,
    Reserved.ESCAPE: 0xBA,
    Reserved.TERMINAL_ESCAPE: 0x3B,
}
_UNESCAPED = {code: reserved.value for reserved, code in _ESCAPED.items()}
_STUFFING = {bytes((reserved,)): bytes((Reserved.ESCAPE, code)) for reserved, code in _ESCAPED.items()}
_RESERVED = re.compile(b"[" + re.escape(bytes(Reserved)) + b"]")
_START, _STOP = bytes([Reserved.START]), bytes([Reserved.STOP])
_INSIDE = re.compile(b"[^" + re.escape(bytes(set(Reserved) - {Reserved.TERMINAL_ESCAPE})) + b"]+")
"""What stands for itself within a frame."""
_PLAIN = re.compile(
    bytes([Reserved.HANDSHAKE])
    + b"*"
    + _START
    + b"([^"
    + re.escape(bytes(set(Reserved) - {Reserved.TERMINAL_ESCAPE}))
    + b"]{0,%d})" % MAX_MESSAGE_BYTES
    + _STOP,
    re.DOTALL,
)


class FrameFault(Enum):
    """What the line carried that was no frame."""

    STRAY = "bytes outside a frame"
    CUT_SHORT = "a start before the stop"
    TOO_LONG = "a frame longer than any message"
    BAD_ESCAPE = "an escape of nothing reserved"
    HANDSHAKE_INSIDE = "a handshake inside a frame"
    NOT_RMCP = "a datagram that is no IPMI message"


class BasicMode:
    """Both directions of one line. `faults` counts what was dropped: stray bytes one by one, frames one by one."""

    acknowledgement = bytes([Reserved.HANDSHAKE])
    """Sent for every frame that was taken."""

    def __init__(self) -> None:
        self.faults: Counter[FrameFault] = Counter()
        self._frame: bytearray | None = None
        self._escaped = False

    @staticmethod
    def encode(message: bytes) -> bytes:
        """Frame one message."""
        return _START + _RESERVED.sub(lambda found: _STUFFING[found[0]], message) + _STOP

    def receive(self, data: bytes) -> list[bytes]:
        """Take any number of bytes from the line and give the messages that are whole now."""
        if self._frame is None and (frame := _PLAIN.fullmatch(data)):
            # What nearly always comes: one whole frame with nothing escaped, perhaps after a handshake.
            return [frame[1]]
        messages = []
        at, end = 0, len(data)
        while at < end:
            if self._frame is not None and not self._escaped and (run := _INSIDE.match(data, at)):
                at += self._extend(self._frame, run[0])
                continue
            if (message := self._take(data[at])) is not None:
                messages.append(message)
            at += 1
        return messages

    def _take(self, octet: int) -> bytes | None:
        if octet == Reserved.START:
            self._begin()
        elif self._frame is None:
            self._outside(octet)
        elif self._escaped:
            self._unescape(self._frame, octet)
        elif octet == Reserved.STOP:
            return self._end(self._frame)
        elif octet == Reserved.ESCAPE:
            self._escaped = True
        else:
            self._drop(FrameFault.HANDSHAKE_INSIDE)
        return None

    def _begin(self) -> None:
        if self._frame is not None:
            self.faults[FrameFault.CUT_SHORT] += 1
        self._frame = bytearray()
        self._escaped = False

    def _outside(self, octet: int) -> None:
        if octet != Reserved.HANDSHAKE:
            self.faults[FrameFault.STRAY] += 1

    def _unescape(self, frame: bytearray, octet: int) -> None:
        self._escaped = False
        if octet in _UNESCAPED:
            self._extend(frame, bytes([_UNESCAPED[octet]]))
        else:
            self._drop(FrameFault.BAD_ESCAPE)

    def _extend(self, frame: bytearray, octets: bytes) -> int:
        """Take octets into the frame, and give how many were taken: all, or those up to one that it has no room for."""
        room = MAX_MESSAGE_BYTES - len(frame)
        if len(octets) > room:
            self._drop(FrameFault.TOO_LONG)
            return room + 1
        frame += octets
        return len(octets)

    def _end(self, frame: bytearray) -> bytes:
        self._frame = None
        return bytes(frame)

    def _drop(self, fault: FrameFault) -> None:
        self.faults[fault] += 1
        self._frame = None
        self._escaped = False
