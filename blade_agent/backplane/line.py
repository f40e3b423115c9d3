"""A line: a wire with one peer, and the messages on it."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from blade_agent.backplane.basic_mode import FrameFault
from blade_agent.backplane.message import BadMessage, MessageFault, Request, Response, decode

logger = logging.getLogger(__name__)


class Line(Protocol):
    """A wire with one peer, in the running event loop: a serial port, a UDP association, or memory."""

    def attach(self, receive: Callable[[bytes], None]) -> None:
        """Hand what arrives to `receive` from now on: any pieces of a byte stream, or one datagram at a time."""
        ...

    def write(self, data: bytes) -> None:
        """Send without waiting. A line that does not take it drops it: the requester asks again."""
        ...

    def close(self) -> None:
        """Give the wire back. Nothing is received afterwards."""
        ...

    @property
    def usable(self) -> bool:
        """Whether the wire works as far as this end can tell."""
        ...


class Framing(Protocol):
    """How messages are told apart on a line."""

    acknowledgement: bytes
    faults: Counter[FrameFault]

    def encode(self, message: bytes) -> bytes:
        """Give the bytes that carry a message."""
        ...

    def receive(self, data: bytes) -> list[bytes]:
        """Take what arrived and give the messages that are whole."""
        ...


class MessageLine:
    """The messages of one line. What is no message is counted and goes no further."""

    def __init__(self, line: Line, framing: Framing, receive: Callable[[Request | Response], None]) -> None:
        self._line = line
        self._framing = framing
        self._receive = receive
        self.faults: Counter[MessageFault] = Counter()
        line.attach(self._arrived)

    def send(self, message: Request | Response) -> None:
        """Send one message without waiting."""
        self._line.write(self._framing.encode(message.encode()))

    def acknowledge(self) -> None:
        """Tell the peer that there is room for its next frame, where the framing has a word for it."""
        if self._framing.acknowledgement:
            self._line.write(self._framing.acknowledgement)

    def answer(self, response: Response) -> None:
        """Do both, acknowledge and send, in one: the peer is woken once."""
        self._line.write(self._framing.acknowledgement + self._framing.encode(response.encode()))

    def close(self) -> None:
        """Give the wire back."""
        self._line.close()

    @property
    def usable(self) -> bool:
        """Whether the wire works as far as this end can tell."""
        return self._line.usable

    @property
    def frame_faults(self) -> Counter[FrameFault]:
        """What arrived and was no frame, counted."""
        return self._framing.faults

    def _arrived(self, data: bytes) -> None:
        for octets in self._framing.receive(data):
            try:
                message = decode(octets)
            except BadMessage as error:
                self.faults[error.fault] += 1
                logger.debug("dropped: %s", error)
            else:
                self._receive(message)
