"""What a person sees of a reception at a terminal: how much there is, where it is, and what came of the last key."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from chassis_emulator.media_console.keys import Key, keys_pressed
from chassis_emulator.media_console.remote import Remote
from media_network.refusal import Refused

SKIP_MS = 10_000
"""What an arrow is worth."""
_RECEIVING = "receiving"


class Bar(Protocol):
    """What is needed of click's progress bar."""

    length: int | None
    label: str
    pos: int

    def update(self, n_steps: int) -> None:
        """Go on by so much, and show it now and then."""

    def render_progress(self) -> None:
        """Show it now."""


class Screen:
    """A bar on the standard error output, if that is a terminal; elsewhere nothing."""

    def __init__(self, bar: Bar | None, remote: Remote) -> None:
        self._bar = bar
        self._remote = remote
        self._orders: asyncio.Queue[Key] = asyncio.Queue()

    def show(self, done: int, whole: int) -> None:
        """See `Progress`."""
        bar = self._bar
        if bar is None:
            return
        bar.length = whole
        bar.label = self._label()
        if done < bar.pos:
            bar.pos = done
            bar.render_progress()
        else:
            bar.update(done - bar.pos)

    @contextmanager
    def keys(self) -> Iterator[None]:
        """Carry out what keys order, while the context is open."""
        with keys_pressed(self._orders.put_nowait):
            obeying = asyncio.create_task(self._obey(), name="keys")
            try:
                yield
            finally:
                obeying.cancel()

    async def _obey(self) -> None:
        while True:
            match await self._orders.get():
                case Key.TOGGLE:
                    answer = await self._remote.toggle()
                case Key.FORWARD:
                    answer = await self._remote.skip(SKIP_MS)
                case Key.BACK:
                    answer = await self._remote.skip(-SKIP_MS)
                case Key.FASTER:
                    answer = await self._remote.change_speed(1)
                case Key.SLOWER:
                    answer = await self._remote.change_speed(-1)
            if self._bar:
                self._bar.label = str(answer) if isinstance(answer, Refused) else self._label()
                self._bar.render_progress()

    def _label(self) -> str:
        stream = self._remote.stream
        if stream is None or not stream.duration_ms:
            return _RECEIVING
        how = "paused at " if stream.is_paused else f"{stream.scale} x, at " if stream.scale != 1 else ""
        return f"{how}{clock(stream.position_ms)} of {clock(stream.duration_ms)}"


def clock(ms: int) -> str:
    """Minutes and seconds, and hours if there are any."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@contextmanager
def opened_screen(remote: Remote) -> Iterator[Screen]:
    """While it is open, a person at a terminal sees it."""
    if not sys.stderr.isatty():
        yield Screen(None, remote)
        return
    with click.progressbar(length=1, file=sys.stderr, label=_RECEIVING, show_pos=False) as bar:
        yield Screen(bar, remote)
