"""What is known of stations only while they speak."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, takewhile

from media_network.messages.registry import RegisterStation

_SILENT_MAX_S = 365 * 24 * 3600.0
"""Who was never heard was heard a year ago."""


@dataclass(frozen=True, kw_only=True)
class Presence:
    """A station that has spoken since the start. Times are the event loop's, in seconds."""

    heard_at: float
    first_heard_at: float
    """Since the center's start."""
    lease_s: float
    """So long what it said holds."""
    engines: int
    staying: int
    """Engines that take copies."""
    zone: str
    load: float
    free_bps: int
    free_bytes: int | None = None
    stored_bytes: int | None = None
    """Of its engines together; None: it has not said."""
    high_percent: float = 100.0
    """From where on it makes room, of both together."""

    def silent_s(self, now: float) -> float:
        """How long ago it spoke: it may have since `now`, while a store was asked."""
        return min(max(0.0, now - self.heard_at), _SILENT_MAX_S)

    def room_bytes(self, surplus_percent: float) -> int:
        """What it may take in, have so much of its storage free yet, and stay below its high-water mark; less than
        nothing: it has too much already."""
        if self.free_bytes is None:
            return 0
        stored_bytes = self.stored_bytes or 0
        whole_bytes = self.free_bytes + stored_bytes
        at_most_bytes = whole_bytes * min(100 - surplus_percent, self.high_percent) / 100
        return int(at_most_bytes - stored_bytes)

    def is_stale(self, now: float) -> bool:
        """Whether what it said holds no more."""
        return self.silent_s(now) > self.lease_s


_NEVER = Presence(
    heard_at=float("-inf"),
    first_heard_at=float("-inf"),
    lease_s=0.0,
    engines=0,
    staying=0,
    zone="",
    load=1.0,
    free_bps=0,
)


class Presences:
    """The stations that have spoken since the start, by name and by zone."""

    def __init__(self) -> None:
        self._of: dict[str, Presence] = {}
        self._in: defaultdict[str, list[str]] = defaultdict(list)
        self._missed: dict[str, float] = {}
        """Stations of before the start that have yet to speak, and since when that is missed."""

    def __len__(self) -> int:
        return len(self._of)

    def hear(self, message: RegisterStation, now: float) -> Presence | None:
        """Take a registration; gives what was known before."""
        self._missed.pop(message.station, None)
        before = self._of.get(message.station)
        if before is None or before.zone != message.zone:
            if before:
                self._in[before.zone].remove(message.station)
            self._in[message.zone].append(message.station)
        # Who is heard goes to the end: the first are those that were silent for longest.
        self._of.pop(message.station, None)
        self._of[message.station] = Presence(
            heard_at=now,
            first_heard_at=before.first_heard_at if before else now,
            lease_s=message.lease_ms / 1000,
            engines=message.engines,
            staying=message.engines if message.staying is None else message.staying,
            zone=message.zone,
            load=message.load,
            free_bps=message.free_bps,
            free_bytes=message.free_bytes,
            stored_bytes=message.stored_bytes,
            high_percent=message.high_percent,
        )
        return before

    def get(self, station: str) -> Presence | None:
        """What a station said last; None: nothing since the start."""
        return self._of.get(station)

    def known(self, station: str) -> Presence:
        """What a station said last; of one that has said nothing, nothing good."""
        return self._of.get(station, _NEVER)

    def miss(self, stations: Iterable[str], since: float) -> None:
        """Some were known before the start: those that have not spoken yet are silent since then."""
        self._missed |= {station: since for station in stations if station not in self._of}

    def silent_s(self, station: str, now: float) -> float | None:
        """How long one was not heard; None: nobody has missed it so far."""
        if presence := self._of.get(station):
            return presence.silent_s(now)
        since = self._missed.get(station)
        return None if since is None else now - since

    def silent(self, now: float, for_s: float) -> Iterator[str]:
        """Those that were not heard for so long; of those that have spoken no others are looked at."""
        of_long = takewhile(lambda known: known[1].silent_s(now) > for_s, self._of.items())
        missed = (station for station, since in self._missed.items() if now - since > for_s)
        return chain(missed, (station for station, _ in of_long))

    def first_heard_after(self, moment: float) -> list[str]:
        """Those that spoke for the first time after a moment; only who spoke after it at all is looked at."""
        lately = takewhile(lambda known: known[1].heard_at > moment, reversed(self._of.items()))
        return [station for station, presence in lately if presence.first_heard_at > moment]

    def all(self) -> Iterator[tuple[str, Presence]]:
        """Every station with what it said last."""
        return iter(self._of.items())

    def near(self, zone: str, start: int, limit: int) -> list[str]:
        """Some stations of a zone, all if they are no more than `limit`; which of many, `start` decides."""
        there = self._in.get(zone, [])
        first = start % len(there) if there else 0
        to_the_end = there[first : first + limit]
        return to_the_end + there[: min(first, limit - len(to_the_end))]
