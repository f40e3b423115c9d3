"""One direction of a simulated stream: what is under way, in order, and what holds it up."""

import errno
import random
from collections import deque
from enum import Enum, auto
from typing import NamedTuple, Protocol

from chassis_emulator.simulation.hosts import Boot, Death
from chassis_emulator.simulation.links import Links
from chassis_emulator.simulation.sockets import os_error

CHUNK_BYTES = 64 * 1024
"""The most that travels at once."""

WINDOW_BYTES = 512 * 1024
"""The most that may be under way or unread in one direction."""

_HEADER_BYTES = 66


class ItemKind(Enum):
    """What travels in a pipe."""

    ESTABLISHED = auto()
    DATA = auto()
    END = auto()
    RESET = auto()


class _Item(NamedTuple):
    arrival_s: float
    sent_s: float
    kind: ItemKind
    content: bytes


class PipeEnd(Protocol):
    """One end of a connection: where a pipe begins, and where the other one ends."""

    boot: Boot
    name: str
    out: "Pipe"
    """To the other end."""

    def takes(self) -> bool:
        """Whether what arrives can be handed over now."""

    def is_gone(self) -> bool:
        """Whether nobody is there to hear what arrives."""

    def receive(self, kind: ItemKind, content: bytes) -> None:
        """Something arrived."""

    def make_room(self) -> None:
        """The other end took something."""

    def lose(self, error: OSError | None) -> None:
        """The connection is over."""


class Pipe:
    """One direction of a connection: what is under way from `source` to `sink`, in order."""

    def __init__(self, links: Links, source: PipeEnd, sink: PipeEnd, rng: random.Random) -> None:
        self.source = source
        self.sink = sink
        self.unread_bytes = 0
        self._links = links
        self._rng = rng
        self._items: deque[_Item] = deque()
        self._waiting_for_event = False
        self._stalled_since_s: float | None = None
        self._through_s = 0.0
        """When what was sent so far has come through, where that is slow."""

    def send(self, kind: ItemKind, content: bytes = b"") -> None:
        """Put something on the way."""
        self.unread_bytes += len(content)
        conditions = self._links.conditions(self.source.boot.host, self.sink.boot.host)
        if conditions.splitting and len(content) > 1 and self._rng.random() < conditions.splitting:
            cut = self._rng.randrange(1, len(content))
            self._put(kind, content[:cut], conditions.stream_latency(self._rng))
            content = content[cut:]
        elif kind is ItemKind.DATA and self._joins_last(content):
            return
        self._put(kind, content, conditions.stream_latency(self._rng))

    def _joins_last(self, content: bytes) -> bool:
        """What is written at one instant travels as one chunk."""
        if not self._items:
            return False
        last = self._items[-1]
        fits = len(last.content) + len(content) <= CHUNK_BYTES
        if last.kind is not ItemKind.DATA or last.sent_s != self._links.now_s or not fits:
            return False
        self._items[-1] = last._replace(content=last.content + content)
        self._links.departure(self.source.boot.host, self.sink.boot.host, len(content))
        return True

    def _put(self, kind: ItemKind, content: bytes, latency_s: float) -> None:
        source, sink = self.source.boot.host, self.sink.boot.host
        arrival_s = self._links.departure(source, sink, _HEADER_BYTES + len(content)) + latency_s
        if stream_bps := self._links.conditions(source, sink).stream_bps:
            arrival_s = self._through_s = max(arrival_s, self._through_s) + len(content) * 8 / stream_bps
        if self._items:
            arrival_s = max(arrival_s, self._items[-1].arrival_s)
        self._items.append(_Item(arrival_s, self._links.now_s, kind, content))
        if len(self._items) == 1:
            self._expect(arrival_s)

    def _expect(self, at_s: float) -> None:
        if not self._waiting_for_event:
            self._waiting_for_event = True
            self._links.at(at_s, self._arrive)

    def _arrive(self) -> None:
        self._waiting_for_event = False
        while self._items and self._items[0].arrival_s <= self._links.now_s:
            if self._is_held_up():
                self._stall()
                return
            self._stalled_since_s = None
            if not self.sink.takes():
                return  # `Stream.resume_reading` calls `go_on`
            item = self._items.popleft()
            self._hand_over(item.kind, item.content)
        if self._items:
            self._expect(self._items[0].arrival_s)

    def _hand_over(self, kind: ItemKind, content: bytes) -> None:
        self._links.trace(kind.name.lower(), self.source.name, self.sink.name, content)
        for tap in self._links.stream_taps:
            tap(content)
        self.unread_bytes -= len(content)
        if self.sink.is_gone():
            if kind in (ItemKind.DATA, ItemKind.ESTABLISHED):
                self.sink.out.send(ItemKind.RESET)  # RFC 9293, 3.5.2: data for a connection that is not there
            return
        self.sink.receive(kind, content)
        if content:
            self.source.make_room()

    def _is_held_up(self) -> bool:
        """Whether it cannot reach the sink's host now. A host that was switched off answers nothing until it is up."""
        source, sink = self.source.boot, self.sink.boot
        if self._links.is_cut(source.host, sink.host) or self._links.is_cut(sink.host, source.host):
            return True
        return sink.death is Death.POWER_CUT and sink.host.boot is None

    def _stall(self) -> None:
        if self._stalled_since_s is None:
            self._stalled_since_s = self._links.now_s
            self._links.at(self._links.now_s + self._links.stream_timeout_s, self._give_up, self._stalled_since_s)
        self._links.stalled[self] = None

    def _give_up(self, stalled_since_s: float) -> None:
        if self._stalled_since_s == stalled_since_s:
            self._items.clear()
            self._links.stalled.pop(self, None)
            self.source.lose(os_error(errno.ETIMEDOUT))

    def retry(self) -> None:
        """Something has healed: a retransmission finds out whether it was this."""
        conditions = self._links.conditions(self.source.boot.host, self.sink.boot.host)
        self._expect(self._links.now_s + self._rng.uniform(*conditions.retransmission_s))

    def go_on(self) -> None:
        """The sink takes again."""
        if self._items and self not in self._links.stalled:
            self._expect(max(self._links.now_s, self._items[0].arrival_s))
