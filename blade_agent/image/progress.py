"""How far a long piece of work is, for a person at a terminal: one line that is written anew, and nothing elsewhere."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

_EVERY_S = 0.2
_BAR = 24
_CLEAR = "\r\033[K"
"""To the begin of the line, and clear it (ECMA-48)."""


class Progress:
    """A context, and the line while it is open."""

    def __init__(self, verb: str, whole_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._verb = verb
        self._whole = whole_bytes
        self._clock = clock
        self._began_s = self._shown_s = clock()
        self._shows = sys.stderr.isatty()
        self.done_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._shows:
            sys.stderr.write(_CLEAR)

    def add(self, more_bytes: int) -> None:
        """Note what has been done, and show it now and then."""
        self.done_bytes += more_bytes
        now = self._clock()
        if self._shows and now - self._shown_s >= _EVERY_S:
            self._shown_s = now
            sys.stderr.write(f"{_CLEAR}{self.line(now)}")
            sys.stderr.flush()

    def line(self, now_s: float) -> str:
        """Such as `written  [####    ]  50 %  412 of 824 MB  21.3 MB/s  0:19 left`."""
        share = min(1.0, self.done_bytes / self._whole) if self._whole else 1.0
        passed_s = now_s - self._began_s
        rate = self.done_bytes / passed_s if passed_s > 0 else 0.0
        left_s = (self._whole - self.done_bytes) / rate if rate else 0.0
        bar = ("#" * int(share * _BAR)).ljust(_BAR)
        done = f"{self.done_bytes / 1e6:.0f} of {self._whole / 1e6:.0f} MB"
        left = f"{int(left_s) // 60}:{int(left_s) % 60:02} left" if rate else "?"
        return f"{self._verb}  [{bar}]  {share:4.0%}  {done}  {rate / 1e6:.1f} MB/s  {left}"
