"""The keys of whoever watches at a terminal: space pauses, arrows seek and change the speed."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

_READ_BYTES = 64


class Key(Enum):
    """What is understood."""

    TOGGLE = auto()
    FORWARD = auto()
    BACK = auto()
    FASTER = auto()
    SLOWER = auto()


_KEYS = {
    b" ": Key.TOGGLE,
    b"\x1b[C": Key.FORWARD,
    b"\x1bOC": Key.FORWARD,
    b"\x1b[D": Key.BACK,
    b"\x1bOD": Key.BACK,
    b"\x1b[A": Key.FASTER,
    b"\x1bOA": Key.FASTER,
    b"\x1b[B": Key.SLOWER,
    b"\x1bOB": Key.SLOWER,
}
"""As terminals send them (ECMA-48, 8.3.18 and 8.3.20; with O where cursor keys are in application mode)."""


class KeyReader:
    """Octets of a terminal in, keys out; what is no key of these is passed over."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, octets: bytes) -> list[Key]:
        """The keys that end in these octets: a sequence may come in parts."""
        keys = []
        for octet in octets:
            self._begun += bytes((octet,))
            while self._begun and not any(sequence.startswith(self._begun) for sequence in _KEYS):
                self._begun = self._begun[1:]
            if key := _KEYS.get(self._begun):
                keys.append(key)
                self._begun = b""
        return keys


@contextmanager
def keys_pressed(pressed: Callable[[Key], None]) -> Iterator[None]:
    """Call `pressed` with each key, while the context is open; without a terminal never.

    The terminal gives each key at once and shows none; Ctrl-C and Ctrl-Z mean what they always do.
    """
    if not _is_ours():
        yield
        return
    terminal, reader = sys.stdin.fileno(), KeyReader()
    loop, before = asyncio.get_running_loop(), termios.tcgetattr(terminal)

    def read() -> None:
        octets = os.read(terminal, _READ_BYTES)
        if not octets:
            loop.remove_reader(terminal)  # the terminal has gone
        for key in reader.feed(octets):
            pressed(key)

    tty.setcbreak(terminal, termios.TCSADRAIN)
    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _is_ours() -> bool:
    """Whether a person can press keys: to a job in the background the terminal is somebody else's."""
    if not sys.stdin.isatty():
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False
