"""What everybody who looks at the panel sees: one picture and one event log, looked up for all of them together."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chassis_emulator.panel.model import PanelEvent, PanelSource
from chassis_emulator.panel.patch import Patch, difference
from media_network.pages.events import News, ServerSentEvent

LOOK_AGAIN_S = 0.5
_EVENTS_KEPT = 500


@dataclass(frozen=True)
class Edition:
    """What there was to see at one moment."""

    picture: dict[str, Any]
    """A `Picture`, as JSON."""
    events: tuple[PanelEvent, ...]
    """The newest, the oldest first."""


@dataclass
class Reader:
    """How far one who looks has come; what was in between is left out for one who reads slowly."""

    edition: Edition | None = field(default=None, init=False)

    def catch_up(self, edition: Edition) -> list[ServerSentEvent]:
        """What is to be told: `picture` or `patch` if that changed, `log` if there are events."""
        seen, self.edition = self.edition, edition
        if seen is None or seen.picture["boot"] != edition.picture["boot"]:
            return [_event("picture", edition.picture), _event("log", edition.events)]
        told: list[ServerSentEvent] = []
        patch: Patch | None = difference(seen.picture, edition.picture)
        if patch is not None:
            told.append(_event("patch", patch))
        last = seen.events[-1].id if seen.events else 0
        if fresh := [event for event in edition.events if event.id > last]:
            told.append(_event("log", fresh))
        return told


def _event(name: str, value: object) -> ServerSentEvent:
    return ServerSentEvent(name, msgspec.json.encode(value))


class PictureView:
    """Looks at most twice a second, and only while somebody waits for something newer."""

    def __init__(self, source: PanelSource) -> None:
        self._source = source
        self._looking = asyncio.Lock()
        self._looks = 0
        self._edition: Edition | None = None
        self._events: deque[PanelEvent] = deque(maxlen=_EVENTS_KEPT)
        self._looked_at = -LOOK_AGAIN_S

    async def news(self) -> News:
        """What one who looks is told, for as long as they do."""
        reader = Reader()
        while True:
            edition = await self._newer(reader.edition)
            yield reader.catch_up(edition)

    async def newest(self) -> Edition:
        """The newest edition, no older than half a second."""
        if self._edition is None or self._wait_s <= 0:
            return await self._look_again()
        return self._edition

    async def _newer(self, than: Edition | None) -> Edition:
        """An edition after `than`, as soon as there is one."""
        edition = self._edition
        while edition is None or edition is than:
            edition = await self._look_again()
        return edition

    async def _look_again(self) -> Edition:
        """Look, or wait for whoever does: one look is for all who want one."""
        looks = self._looks
        async with self._looking:
            if self._edition is None or self._looks == looks:
                await asyncio.sleep(max(0.0, self._wait_s))
                self._edition = await self._look()
                self._looks += 1
            return self._edition

    @property
    def _wait_s(self) -> float:
        return self._looked_at + LOOK_AGAIN_S - asyncio.get_running_loop().time()

    async def _look(self) -> Edition:
        picture = msgspec.to_builtins(await self._source.picture())
        before = self._edition
        if before is not None and before.picture["boot"] != picture["boot"]:
            self._events.clear()
        last = self._events[-1].id if self._events else 0
        fresh = await self._source.events(last)
        self._events.extend(fresh)
        self._looked_at = asyncio.get_running_loop().time()
        if before is None or fresh or before.picture != picture:
            return Edition(picture, tuple(self._events))
        return before
