"""The `up` that started a daemon, as the daemon sees it: it gives an order, is told once, and is a lifeline until then.

Whatever ends that `up` before it was told (Ctrl-C, a kill, a terminal that is closed) closes the pipe to the daemon's
standard input, and so ends a network that nobody would know of.
"""

import asyncio
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from chassis_emulator.network.start_report import Started, StartFailed, StartOrder

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2


class Starter:
    """At the other ends of standard input and output."""

    def read_order(self) -> StartOrder | None:
        """What is to be started; None if it has ended before it said so."""
        line = sys.stdin.buffer.readline()
        return msgspec.json.decode(line, type=StartOrder) if line.endswith(b"\n") else None

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        poll = select.poll()
        poll.register(_INPUT, 0)  # an end that is closed is always told
        return bool(poll.poll(0))

    @contextmanager
    def watched(self, on_end: Callable[[], None]) -> Iterator[None]:
        """Call `on_end`, once, if it ends in the meantime."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(_INPUT)
            on_end()

        loop.add_reader(_INPUT, ended)
        try:
            yield
        finally:
            loop.remove_reader(_INPUT)

    def tell(self, report: Started | StartFailed) -> None:
        """Tell it how that went. What is printed from here on goes to the log."""
        with suppress(BrokenPipeError):
            sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
            sys.stdout.flush()
        self.forget()

    def forget(self) -> None:
        """Let go of its end: it must see that nobody is left to report, if that is so."""
        os.dup2(_ERRORS, _OUTPUT)
