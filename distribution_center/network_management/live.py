"""What an open page is told: the whole picture first, then every component and alarm that is another now."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from distribution_center.network_management.alarms import Alarm
from distribution_center.network_management.network import Network

_AT_MOST_EVERY_S = 0.5
_STILL_HERE_S = 15.0


class Live:
    """The page's source of server-sent events. The picture is drawn once for all who look."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._changes = asyncio.Condition()
        self._pending = asyncio.Event()
        self._version = 0
        self._components: dict[str, tuple[int, bytes]] = {}
        """Encoded, with the version in which it became so."""
        self._alarms: tuple[int, bytes] = (0, b"[]")
        self._gone_in = 0
        self._watchers = 0

    def changed(self) -> None:
        """Something may be another."""
        self._pending.set()

    async def run(self) -> None:
        """Draw the picture anew when something changed and somebody looks, a few times a second at most."""
        while True:
            await self._pending.wait()
            self._pending.clear()
            if self._watchers and self._draw():
                async with self._changes:
                    self._changes.notify_all()
            await asyncio.sleep(_AT_MOST_EVERY_S)

    def whole(self) -> bytes:
        """All there is, as JSON."""
        self._draw()
        return self._document(-1)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events: `network` with all there is, `changes` with what is another, a comment now and then."""
        self._watchers += 1
        try:
            async with aclosing(self._changes_after(self.whole())) as events:
                async for event in events:
                    yield event
        finally:
            self._watchers -= 1

    async def _changes_after(self, whole_picture: bytes) -> AsyncGenerator[bytes, None]:
        yield _event("network", whole_picture)
        seen = self._version
        while True:
            try:
                async with asyncio.timeout(_STILL_HERE_S), self._changes:
                    await self._changes.wait_for(lambda: self._version > seen)  # noqa: B023 -- waited for right here
            except TimeoutError:
                yield b": still here\n\n"
                continue
            whole = self._gone_in > seen
            yield _event("network" if whole else "changes", self._document(-1 if whole else seen))
            seen = self._version

    def _draw(self) -> bool:
        version = self._version + 1
        shown = {name: msgspec.json.encode(each) for name, each in self._network.picture().items()}
        changed = False
        for name, encoded in shown.items():
            if name not in self._components or self._components[name][1] != encoded:
                self._components[name] = version, encoded
                changed = True
        if gone := self._components.keys() - shown.keys():
            for name in gone:
                del self._components[name]
            self._gone_in = version
            changed = True
        alarms = msgspec.json.encode([show_alarm(alarm) for alarm in self._network.alarms])
        if alarms != self._alarms[1]:
            self._alarms = version, alarms
            changed = True
        self._version += changed
        return changed

    def _document(self, after: int) -> bytes:
        """What became another after a version."""
        components = b",".join(encoded for version, encoded in self._components.values() if version > after)
        alarms = b',"alarms":' + self._alarms[1] if self._alarms[0] > after else b""
        return b'{"components":[' + components + b"]" + alarms + b"}"


def show_alarm(alarm: Alarm) -> dict[str, Any]:
    """An alarm as the page shows it."""
    return {
        "number": alarm.number,
        "component": alarm.cause.component,
        "kind": alarm.cause.kind,
        "severity": alarm.cause.severity.name.lower(),
        "resource": alarm.cause.resource,
        "text": alarm.cause.text,
        "state": alarm.state,
        "flapping": alarm.flapping,
        "raised_at": alarm.raised_at,
        "acknowledged_by": alarm.acknowledged_by,
    }


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
