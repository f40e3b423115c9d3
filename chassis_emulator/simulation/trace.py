"""The trace of a run: a digest of all that happened, and the last of it in words."""

import hashlib
from collections import deque
from typing import NamedTuple

from chassis_emulator.simulation.hosts import Endpoint

_SHOWN_BYTES = 48


class Record(NamedTuple):
    """Something that happened."""

    at_s: float
    what: str
    source: str
    sink: str
    length_bytes: int
    beginning: bytes

    def __str__(self) -> str:
        arrow = f"{self.source} > {self.sink}" if self.sink else self.source
        text = f"{self.at_s:12.6f}  {self.what:<11} {arrow}"
        return f"{text}  {self.length_bytes} bytes {self.beginning!r}" if self.length_bytes else text


class Trace:
    """All that happened, in order. Two runs with the same digest are the same run."""

    def __init__(self, tail_records: int = 200) -> None:
        self._digest = hashlib.blake2b(digest_size=16)
        self._tail: deque[tuple[float, str, str, str, bytes]] = deque(maxlen=tail_records)
        self.records = 0

    def add(self, at_s: float, what: str, source: str, sink: str = "", content: bytes = b"") -> None:
        """Something happened: on the network `source` and `sink` are host:port."""
        self.records += 1
        self._digest.update(f"{at_s!r} {what} {source} {sink} {len(content)}\n".encode() + content)
        self._tail.append((at_s, what, source, sink, content))

    @property
    def hash(self) -> str:
        """Digest (BLAKE2b) of everything so far, in hexadecimal."""
        return self._digest.hexdigest()

    def tail(self) -> list[str]:
        """The last things that happened, a line each."""
        return [
            str(Record(at_s, what, source, sink, len(content), content[:_SHOWN_BYTES]))
            for at_s, what, source, sink, content in self._tail
        ]


def name(endpoint: Endpoint) -> str:
    """Host and port as the trace writes them."""
    return f"{endpoint[0]}:{endpoint[1]}"
