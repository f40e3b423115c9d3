"""The log of a process: one line for each thing that an operator asks about, and no way for anybody to fill the disk.

Whatever a stranger says or a storm does, lines of one kind come once a second in the long run, and lines of all kinds
three times. What was left out is counted, and said with the next line of that kind.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

_KIND_BURST = 100
_KIND_PER_S = 1.0
_ALL_BURST = 400
_ALL_PER_S = 3.0
_KINDS_MAX = 1000
_LINE_MAX = 2000
_TRACEBACK_LINES_MAX = 200
_FORMAT = "%(levelname)s %(name)s: %(message)s"


def begin_logging(stream: TextIO | None = None, *, dated: bool = False) -> None:
    """Log to a stream (standard error without one) from now on; with the time where nobody else writes it."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine(f"%(asctime)s {_FORMAT}" if dated else _FORMAT))
    handler.addFilter(LogRate())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class OneLine(logging.Formatter):
    """A line a record, of bounded length, whoever has written what is in it; a traceback is indented below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the name is logging's
        """See `logging.Formatter`."""
        line = _as_a_line(super().formatMessage(record))
        left_out = getattr(record, "left_out", 0)
        return f"{line} (and {left_out} more lines of this kind, which are left out)" if left_out else line

    def formatException(self, ei: object) -> str:  # noqa: N802 -- as above
        """See `logging.Formatter`."""
        lines = super().formatException(ei).split("\n")  # type: ignore[arg-type] # logging's own
        return "\n".join(f"  {_as_a_line(line)}" for line in lines[-_TRACEBACK_LINES_MAX:])


def _as_a_line(text: str) -> str:
    """Of bounded length, with nothing in it that a terminal obeys."""
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    return text if len(text) <= _LINE_MAX else f"{text[:_LINE_MAX]}..."


@dataclass
class _Bucket:
    """So many at once, and so many a second in the long run."""

    burst: float
    per_s: float
    left: float
    at_s: float
    left_out: int = field(default=0)

    def take(self, now_s: float) -> bool:
        self.left = min(self.burst, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.left < 1:
            return False
        self.left -= 1
        return True


class LogRate(logging.Filter):
    """Lets through what there is room for; a kind is what one line of the program writes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._all = _Bucket(_ALL_BURST, _ALL_PER_S, _ALL_BURST, now())
        self._kinds: dict[tuple[str, int], _Bucket] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        now_s = self._now()
        bucket = self._bucket((record.pathname, record.lineno), now_s)
        # Of errors a few more are worth their room: they are counted by kind alone.
        if not bucket.take(now_s) or (record.levelno < logging.ERROR and not self._all.take(now_s)):
            bucket.left_out += 1
            return False
        if bucket.left_out:
            # What the record says stays as it is for other handlers: the line says this, and `OneLine` makes lines.
            record.left_out = bucket.left_out
            bucket.left_out = 0
        return True

    def _bucket(self, kind: tuple[str, int], now_s: float) -> _Bucket:
        bucket = self._kinds.get(kind)
        if bucket is None:
            if len(self._kinds) >= _KINDS_MAX:
                self._kinds.clear()
            bucket = self._kinds[kind] = _Bucket(_KIND_BURST, _KIND_PER_S, _KIND_BURST, now_s)
        return bucket
