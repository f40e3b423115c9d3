"""What an open page is told: the whole picture first, then every component and alarm that is another now."""

import asyncio
from typing import Any

import msgspec

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.network import Network
from media_network.pages.events import News, ServerSentEvent

_AT_MOST_EVERY_S = 0.5


class Live:
    """The page's news. The picture is drawn once for all who look."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._drawn = asyncio.Event()
        """Set, and replaced, when a new version is drawn."""
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
            if self._watchers:
                self._draw()
            await asyncio.sleep(_AT_MOST_EVERY_S)

    def whole(self) -> bytes:
        """All there is, as JSON."""
        self._draw()
        return self._document(-1)

    async def news(self) -> News:
        """What one who looks is told: `network` with all there is, then `changes` with what is another."""
        self._watchers += 1
        try:
            told = ServerSentEvent("network", self.whole())
            while True:
                seen = self._version
                yield [told]
                while self._version == seen:
                    await self._drawn.wait()
                whole = self._gone_in > seen
                told = ServerSentEvent("network" if whole else "changes", self._document(-1 if whole else seen))
        finally:
            self._watchers -= 1

    def _draw(self) -> None:
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
        if changed:
            self._version = version
            self._drawn.set()
            self._drawn = asyncio.Event()

    def _document(self, after: int) -> bytes:
        """What became another after a version."""
        components = b",".join(encoded for version, encoded in self._components.values() if version > after)
        alarms = b',"alarms":' + self._alarms[1] if self._alarms[0] > after else b""
        return b'{"components":[' + components + b"]" + alarms + b"}"


def show_alarm(alarm: NetworkAlarm) -> dict[str, Any]:
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
