"""What an open page is told: the whole picture first, then every field of a component or alarm that is another now."""

import asyncio

import msgspec

from distribution_center.network_management.alarms import AlarmState
from distribution_center.network_management.change_log import ChangeLog
from distribution_center.network_management.network import Network
from distribution_center.network_management.showing import show_alarm
from media_network.pages.events import News, ServerSentEvent

_AT_MOST_EVERY_S = 0.5
_ALL = -1


class Live:
    """The page's news. What changed is drawn once for all who look."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._drawn = asyncio.Event()
        """Set, and replaced, when a new version is drawn."""
        self._pending = asyncio.Event()
        self._version = 0
        self._components = ChangeLog[str]("component")
        self._alarms = ChangeLog[int]("number")
        self._watchers = 0

    def changed(self) -> None:
        """Something may be another."""
        self._pending.set()

    async def run(self) -> None:
        """Draw what changed when somebody looks, a few times a second at most."""
        while True:
            await self._pending.wait()
            self._pending.clear()
            if self._watchers:
                self.draw()
            await asyncio.sleep(_AT_MOST_EVERY_S)

    def whole(self) -> bytes:
        """All there is, as JSON."""
        self.draw()
        return self._document(_ALL)

    async def news(self) -> News:
        """What one who looks is told: `network` with all there is, then `changes` with what is another."""
        self._watchers += 1
        try:
            self.draw()
            told = self._network_event()
            while True:
                seen = self._version
                yield [told]
                while self._version == seen:
                    await self._drawn.wait()
                told = self._changes(seen) if self._is_known_since(seen) else self._network_event()
        finally:
            self._watchers -= 1

    def draw(self) -> None:
        """Take in what is another since the last time."""
        version = self._version + 1
        changes = self._network.take_changes()
        news = [self._components.put(name, fields, version) for name, fields in changes.components.items()]
        news += [self._components.drop(name, version) for name in changes.gone]
        for alarm in changes.alarms:
            if alarm.state is AlarmState.CLEARED:
                news.append(self._alarms.drop(alarm.number, version))
            else:
                news.append(self._alarms.put(alarm.number, show_alarm(alarm), version))
        if any(news):
            self._version = version
            self._drawn.set()
            self._drawn = asyncio.Event()

    def _is_known_since(self, seen: int) -> bool:
        """Whether all that changed since a version is still known."""
        return seen >= max(self._components.complete_after, self._alarms.complete_after)

    def _network_event(self) -> ServerSentEvent:
        return ServerSentEvent("network", self._document(_ALL))

    def _changes(self, seen: int) -> ServerSentEvent:
        return ServerSentEvent("changes", self._document(seen))

    def _document(self, after: int) -> bytes:
        """What became another after a version."""
        gone = [] if after == _ALL else self._components.gone_after(after)
        cleared = [] if after == _ALL else self._alarms.gone_after(after)
        parts = {
            b"components": self._components.after(after),
            b"alarms": self._alarms.after(after),
            b"gone": msgspec.json.encode(gone),
            b"cleared": msgspec.json.encode(cleared),
        }
        return b"{" + b",".join(b'"' + name + b'":' + part for name, part in parts.items()) + b"}"
