"""Ctrl-C at a command: while it is imported it ends without a word, and later as the command says.

Whatever starts a command imports this first, and what is slow to import inside `ending_silently`.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED_STATUS = 130
"""With which a command ends that was interrupted: 128 and the number of SIGINT, as shells have it."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_silently() -> Iterator[None]:
    """End by the signal itself at Ctrl-C, since nothing has begun: Python would print where in an import it was.

    Where SIGINT is ignored, as in the background of a shell, it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def putting_off_interrupts() -> Iterator[None]:
    """Let Ctrl-C, and what is taken like it, wait until the context is left. For what must not be half done."""
    told: list[int] = []
    heeded = [number for number in _ENDING if signal.getsignal(number) is signal.default_int_handler]
    for number in heeded:
        signal.signal(number, lambda told_now, _: told.append(told_now))
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.default_int_handler)
        if told:
            raise KeyboardInterrupt


@contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Let SIGTERM and SIGHUP be as Ctrl-C: for a command that has something to end before it ends."""
    before = {number: signal.getsignal(number) for number in _ENDING if number != signal.SIGINT}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
