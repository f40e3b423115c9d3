"""The one place where a run is cut off from the process it runs in.

Our own code takes time from the loop and randomness from a `random.Random` it was given. Libraries do not all: aiohttp
puts `time.time` in its Date header, ages its connection pool by `time.monotonic`, shuffles its waiting requests with
the global `random` and makes multipart boundaries and WebSocket keys from `os.urandom`; SQLite draws what marks a
journal from its default VFS. While a simulation runs, those
follow its clock and its seed, and cyclic garbage is collected at moments the run decides, because a finalizer may act.
(`datetime.now` asks the operating system past `time.time`: it cannot be replaced, and nothing that is sent may use it.)
"""

import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import aiohttp.connector
import apsw

EPOCH_S = 1_767_225_600.0
"""What the wall clock shows when a run begins: 2026-01-01T00:00:00Z."""


@contextmanager
def isolated(now_s: Callable[[], float], rng: random.Random) -> Iterator[None]:
    """Give the libraries the clock `now_s` and the randomness of `rng`; put everything back at the end."""
    with ExitStack() as undo:
        for module, attribute, value in _replacements(now_s, rng):
            undo.callback(setattr, module, attribute, getattr(module, attribute))
            setattr(module, attribute, value)
        undo.callback(random.setstate, random.getstate())
        random.seed(rng.getrandbits(64))
        undo.enter_context(_seeded_sqlite(rng))
        if gc.isenabled():
            gc.disable()
            undo.callback(gc.enable)
        yield


class _SeededVfs(apsw.VFS):
    """The default, but for what SQLite seeds its randomness with."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__("seeded", apsw.vfs_names()[0], makedefault=True)
        self._rng = rng

    def xRandomness(self, numbytes: int) -> bytes:  # noqa: N802 -- SQLite's name
        """From the run's seed. SQLite's own is asked too: it notes for which process, and a file opened in another has
        a seed drawn anew.
        """
        super().xRandomness(numbytes)
        return self._rng.randbytes(numbytes)


@contextmanager
def _seeded_sqlite(rng: random.Random) -> Iterator[None]:
    """It is the default only while SQLite draws its seed: what is opened meanwhile may outlive the run."""
    seeded = _SeededVfs(rng)
    apsw.randomness(0)  # which has a new seed drawn
    apsw.randomness(1)
    seeded.unregister()
    try:
        yield
    finally:
        apsw.randomness(0)


def _replacements(now_s: Callable[[], float], rng: random.Random) -> list[tuple[object, str, object]]:
    def wall_clock_s() -> float:
        return EPOCH_S + now_s()

    return [
        (time, "time", wall_clock_s),
        (time, "time_ns", lambda: int(wall_clock_s() * 1e9)),
        (time, "monotonic", now_s),
        (aiohttp.connector, "monotonic", now_s),
        (os, "urandom", rng.randbytes),
        (random, "_urandom", rng.randbytes),  # what `secrets` and `SystemRandom` draw from
    ]
