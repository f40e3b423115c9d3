"""What is written to the board's files: off the event loop, only the latest of a place, and nothing twice."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from blade_agent.hardware.reading import Unknown
from media_network.callback import do_nothing

Write: TypeAlias = Callable[[], Unknown | None]
"""Blocks for some files; None when the driver took it."""

logger = logging.getLogger(__name__)


class _Wanted(Struct, eq=False):
    value: object
    write: Write
    ended: Callable[[], None]


class Writes:
    """Writes that wait, one a place, and the task that carries them out."""

    def __init__(self) -> None:
        self._wanted: dict[str, _Wanted] = {}
        self._written: dict[str, object] = {}
        self._failing: set[str] = set()
        self._wake = asyncio.Event()

    def put(self, place: str, value: object, write: Write, ended: Callable[[], None] | None = None) -> None:
        """Have `value` written to a place, unless it was the last one written there; `ended` is called then."""
        if place not in self._wanted and self._written.get(place) == value:
            return
        self._wanted[place] = _Wanted(value, write, ended or do_nothing)
        self._wake.set()

    def forget(self, place: str) -> None:
        """Write there again, even the same: somebody else may have."""
        self._written.pop(place, None)

    async def run(self) -> None:
        """Write until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._wanted = self._wanted, {}
            for place in batch:
                self.forget(place)  # until it is written, nobody knows what is there
            outcomes = await loop.run_in_executor(None, _write_all, list(batch.values()))
            for (place, wanted), outcome in zip(batch.items(), outcomes, strict=True):
                self._note(place, wanted, outcome)
                wanted.ended()

    def _note(self, place: str, wanted: _Wanted, outcome: Unknown | None) -> None:
        if outcome is None:
            self._written[place] = wanted.value
            self._failing.discard(place)
            return
        self.forget(place)
        if place not in self._failing:
            self._failing.add(place)
            logger.warning("%s cannot be set: %s (%s)", place, outcome.detail, outcome.why.value)


def _write_all(wanted: list[_Wanted]) -> list[Unknown | None]:
    return [one.write() for one in wanted]
