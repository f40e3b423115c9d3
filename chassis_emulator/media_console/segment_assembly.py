"""One segment from the answers of one engine or several: every byte once, in order."""

import re
from hashlib import sha256

from chassis_emulator.media_console.errors import ForeignBytes
from chassis_emulator.media_console.reception import ReceivedSegment
from media_network.segment_table import Segment

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)


class SegmentAssembly:
    """Takes up each answer where the one before it broke off."""

    def __init__(self, number: int, expected: Segment | None = None) -> None:
        self.number = number
        self.received = 0
        self._expected = expected
        self._length = expected.length_bytes if expected else None
        self._digest = sha256()
        self._engines: list[str] = []
        self._repeated = sha256()
        self._repeated_bytes_left = 0

    @property
    def is_complete(self) -> bool:
        """Whether every byte is there, as far as anybody has said how many there are."""
        return self.received == self._length

    def begin(self, engine: str, *, content_range: str | None, length: int | None) -> None:
        """An engine answers: with a part, whose Content-Range says which, or from the first byte on.

        `length` is of what it sends. Raises ForeignBytes if that cannot be this segment.
        """
        first, whole = 0, length
        if content_range is not None:
            found = _CONTENT_RANGE.fullmatch(content_range)
            if not found:
                raise ForeignBytes(self.number, engine)
            first, whole = int(found[1]), int(found[3])
        if first not in (0, self.received) or (None not in (whole, self._length) and whole != self._length):
            raise ForeignBytes(self.number, engine)
        self._length = whole if self._length is None else self._length
        self._repeated_bytes_left = self.received - first
        self._repeated = sha256()
        if engine not in self._engines[-1:]:
            self._engines.append(engine)

    def feed(self, data: bytes) -> bytes:
        """Bytes of the answer in; those that are new out. Raises ForeignBytes."""
        repeated, new = data[: self._repeated_bytes_left], data[self._repeated_bytes_left :]
        if repeated:
            self._compare(repeated)
        if self._length is not None and self.received + len(new) > self._length:
            raise ForeignBytes(self.number, self._engines[-1])
        self._digest.update(new)
        self.received += len(new)
        return new

    def _compare(self, repeated: bytes) -> None:
        """What an answer from the first byte on repeats has been written already, and must be the same."""
        self._repeated.update(repeated)
        self._repeated_bytes_left -= len(repeated)
        if not self._repeated_bytes_left and self._repeated.digest() != self._digest.digest():
            raise ForeignBytes(self.number, self._engines[-1])

    def end(self) -> None:
        """The answer ended as it should: where nobody said how long the segment is, this is its end."""
        if self._length is None and not self._repeated_bytes_left:
            self._length = self.received

    def result(self) -> ReceivedSegment:
        """The segment as it is."""
        digest = self._digest.hexdigest()
        return ReceivedSegment(
            number=self.number,
            engine=self._engines[-1] if self._engines else "",
            bytes=self.received,
            sha256=digest,
            intact=digest == self._expected.sha256 if self._expected else None,
            earlier=tuple(dict.fromkeys(self._engines[:-1])),
        )
