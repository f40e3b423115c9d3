"""Serial over LAN, one console in one session: what is sent, acknowledged and sent again (IPMI 2.0, 15.9). No I/O."""

from typing import Final, Protocol

from msgspec import Struct

LONGEST_TEXT_BYTES: Final = 200
"""Of a console in one packet."""
_LOOK_S: Final = 0.2
"""From one look at the console to the next."""
_REPEAT_S: Final = 0.3
_MOST_SENT: Final = 8
_HEADER_BYTES: Final = 4
_SEQUENCES: Final = 15
_SEQUENCE_BITS: Final = 0x0F
_NOT_TAKEN: Final = 0x40


class Console(Protocol):
    """Where the text of a slot comes from."""

    def read(self, most_bytes: int) -> bytes:
        """Give what is new, without waiting."""
        ...

    def close(self) -> None:
        """Read no more."""
        ...


class _Sent(Struct):
    sequence: int
    text: bytes
    at: float
    times: int = 1


class SolStream:
    """One console as one session reads it. What the session says to the console is taken, and goes nowhere."""

    def __init__(self, session: int, console: Console, now: float) -> None:
        self.session = session
        """The session's id on this side."""
        self._console = console
        self._sequence = 0
        self._sent: _Sent | None = None
        self._rest = b""
        self._look_at = now

    @property
    def due(self) -> float:
        """When `tick` has something to do."""
        return self._look_at if self._sent is None else self._sent.at + _REPEAT_S

    def tick(self, now: float) -> bytes | None:
        """Give the payload that is due: new text, or the last one once more. What nobody takes is given up."""
        if now < self.due:
            return None
        sent = self._sent
        if sent is None:
            return self._send_next(now)
        if sent.times >= _MOST_SENT:
            self._sent = None
            return self._send_next(now)
        sent.times += 1
        sent.at = now
        return _payload(sent.sequence, sent.text)

    def receive(self, payload: bytes, now: float) -> list[bytes]:
        """Take a payload of the session; give those that answer it and follow it."""
        if len(payload) < _HEADER_BYTES:
            return []
        sequence, acknowledged, taken, status = payload[:_HEADER_BYTES]
        answers = []
        if sequence & _SEQUENCE_BITS:
            length_bytes = min(len(payload) - _HEADER_BYTES, 0xFF)
            answers.append(bytes((0, sequence & _SEQUENCE_BITS, length_bytes, 0)))
        sent = self._sent
        if sent is not None and acknowledged & _SEQUENCE_BITS == sent.sequence:
            self._rest = sent.text[taken:] if status & _NOT_TAKEN or taken < len(sent.text) else b""
            self._sent = None
            following = None if status & _NOT_TAKEN else self._send_next(now)
            if status & _NOT_TAKEN:
                self._look_at = now + _REPEAT_S
            if following is not None:
                answers.append(following)
        return answers

    def close(self) -> None:
        """End it."""
        self._console.close()

    def _send_next(self, now: float) -> bytes | None:
        self._look_at = now + _LOOK_S
        text, self._rest = self._rest or self._console.read(LONGEST_TEXT_BYTES), b""
        if not text:
            return None
        self._sequence = self._sequence % _SEQUENCES + 1
        self._sent = _Sent(self._sequence, text, now)
        return _payload(self._sequence, text)


def _payload(sequence: int, text: bytes) -> bytes:
    return bytes((sequence, 0, 0, 0)) + text
