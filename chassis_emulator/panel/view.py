"""What everybody who looks at the panel sees: one picture and one event log, looked up for all of them together."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chassis_emulator.panel.model import PanelEvent, PanelSource
from chassis_emulator.panel.patch import Patch, difference

LOOK_AGAIN_S = 0.5
_EVENTS_KEPT = 500


@dataclass(frozen=True)
class Edition:
    """What there was to see at one moment."""

    number: int
    picture: dict[str, Any]
    """A `Picture`, as JSON."""
    events: tuple[PanelEvent, ...]
    """The newest, the oldest first."""


@dataclass
class Reader:
    """How far one who looks has come; what was in between is left out for one who reads slowly."""

    _edition: Edition | None = field(default=None, init=False)

    def catch_up(self, edition: Edition) -> list[tuple[str, bytes]]:
        """What is to be told, as names and JSON: `picture` or `patch` if that changed, `log` if there are events."""
        seen, self._edition = self._edition, edition
        if seen is None or seen.picture["boot"] != edition.picture["boot"]:
            return [("picture", msgspec.json.encode(edition.picture)), ("log", msgspec.json.encode(edition.events))]
        told: list[tuple[str, bytes]] = []
        patch: Patch | None = difference(seen.picture, edition.picture)
        if patch is not None:
            told.append(("patch", msgspec.json.encode(patch)))
        last = seen.events[-1].id if seen.events else 0
        if fresh := [event for event in edition.events if event.id > last]:
            told.append(("log", msgspec.json.encode(fresh)))
        return told


class View:
    """Looks at most twice a second, and only while somebody waits for something newer."""

    def __init__(self, source: PanelSource) -> None:
        self._source = source
        self._looking = asyncio.Lock()
        self._edition: Edition | None = None
        self._events: deque[PanelEvent] = deque(maxlen=_EVENTS_KEPT)
        self._looked_at = -LOOK_AGAIN_S
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed.set()

    async def newest(self) -> Edition:
        """The newest edition, no older than half a second."""
        async with self._looking:
            if self._edition is None or self._wait_s <= 0:
                await self._look()
            return self._seen

    async def newer(self, than: Edition | None, *, patience_s: float) -> Edition | None:
        """An edition after `than`, as soon as there is one; `than` itself when nothing changes for that long.

        None when the view is closed.
        """
        give_up_at = asyncio.get_running_loop().time() + patience_s
        # Whoever comes first looks for all: the others find a newer edition as soon as it is their turn.
        async with self._looking:
            while self._edition is None or self._edition is than:
                if self._edition is not None and asyncio.get_running_loop().time() >= give_up_at:
                    break
                if await self._closes_within(self._wait_s):
                    return None
                await self._look()
            return self._seen

    async def _closes_within(self, duration_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, duration_s)):
                await self._closed.wait()
        return self._closed.is_set()

    @property
    def _seen(self) -> Edition:
        if self._edition is None:
            raise RuntimeError("nobody has looked yet")
        return self._edition

    @property
    def _wait_s(self) -> float:
        return self._looked_at + LOOK_AGAIN_S - asyncio.get_running_loop().time()

    async def _look(self) -> None:
        picture = msgspec.to_builtins(await self._source.picture())
        before = self._edition
        if before is not None and before.picture["boot"] != picture["boot"]:
            self._events.clear()
        last = self._events[-1].id if self._events else 0
        fresh = await self._source.events(last)
        self._events.extend(fresh)
        self._looked_at = asyncio.get_running_loop().time()
        if before is None or fresh or before.picture != picture:
            self._edition = Edition((before.number if before else 0) + 1, picture, tuple(self._events))
