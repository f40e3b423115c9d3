"""The media location registry (MLR): knows the location of all media content in all stations (claim 1)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from distribution_center.center_figures import CenterCounters
from distribution_center.registry.recalling import Recalling
from distribution_center.registry.repository import RegisteredStation, Repository, Stamp, Verdict, all_programs
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.http.server import HandlerTable
from media_network.messages import registry as messages
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.segment_set import parse_segments
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_REFUSALS = {
    Verdict.OLD_EPOCH: Reason.STALE_EPOCH,
    # A director whose inventory is out of step registers again and makes a new one.
    Verdict.OLD_GENERATION: Reason.UNKNOWN_STATION,
    Verdict.NO_INVENTORY: Reason.UNKNOWN_STATION,
    Verdict.UNKNOWN_STATION: Reason.UNKNOWN_STATION,
    Verdict.UNKNOWN_PROGRAM: Reason.UNKNOWN_PROGRAM,
    Verdict.NO_SUCH_SEGMENT: Reason.BAD_MESSAGE,
    Verdict.CONFLICT: Reason.BAD_MESSAGE,
}
_STALE = frozenset({Verdict.OLD_EPOCH, Verdict.OLD_GENERATION})


_SILENT_MAX_S = 365 * 24 * 3600.0
_NUMBERS_MAX = 2_000_000
"""Segments of a page, each as often as it is counted. A director says a twentieth of that."""
_RENUMBERED_BY_MAX = 10**9
"""More changes than that no registry has made: who says to have heard of them is not believed."""


@dataclass
class Presence:
    """What is known of a station only while it speaks."""

    heard_at: float
    engines: int
    staying: int
    """Engines that take copies."""


class Heard(NamedTuple):
    """A station that has spoken since the start."""

    engines: int
    silent_ms: int


class MediaLocationRegistry:
    """The registry as directors see it, over a durable `Repository`."""

    def __init__(
        self,
        repository: Repository,
        home: str,
        media: Address,
        counters: CenterCounters,
        recalling: Recalling | None = None,
    ) -> None:
        """`media` is the center's media address. With `recalling`, programs that are not known are asked for."""
        self._repository = repository
        self._recalling = recalling
        if recalling:
            recalling.recalled = self._report_again
        self._home = home
        self._media = media
        self._present: dict[str, Presence] = {}
        self._to_reopen: set[str] = set()
        """Stations that have other engines than before, which the orders have yet to hear."""
        self._report_due: set[str] = set()
        """Stations that are to say once more what they hold."""
        self._counters = counters
        self.moved = asyncio.Event()
        """Set whenever a location or a director changed."""

    def answer(self, table: HandlerTable) -> None:
        """Enter the registry's verbs into a table."""
        table.verb(messages.REGISTER_STATION, self._register)
        table.verb(messages.REPORT_LOCATIONS, self._report_locations)
        table.verb(messages.ADD_LOCATIONS, self._add_locations)
        table.verb(messages.REMOVE_LOCATIONS, self._remove_locations)
        table.verb(messages.LIST_STATIONS, self._list_stations)
        table.verb(messages.LIST_DOORS, self._list_doors)

    def present(self) -> dict[str, Heard]:
        """The stations that have spoken since the start."""
        now = asyncio.get_running_loop().time()
        return {
            station: Heard(presence.engines, int((now - presence.heard_at) * 1000))
            for station, presence in self._present.items()
        }

    async def director(self, station: str) -> Address | None:
        """Where the station's director answers, as last heard."""
        found = await self._repository.station(station)
        return Address.parse(found.director) if found else None

    async def whole_at(self, program: ProgramId) -> list[str]:
        """The stations that hold every segment of a program, by name."""
        known = await self._repository.program(program)
        if known is None:
            return []
        held = await self._repository.held(program)
        return [station for station, count in held.items() if count == known.segments]

    def staying(self, station: str) -> int | None:
        """How many engines of a station take copies; None: it has not spoken since the start."""
        presence = self._present.get(station)
        return presence.staying if presence else None

    async def _register(self, message: messages.RegisterStation) -> messages.StationRegistered | Refused:
        try:
            Address.parse(message.director)
            Address.parse(message.media)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        known = await self._repository.station(message.station)
        generation = known.stamp.generation if known and known.stamp.epoch == message.epoch else 0
        station = RegisteredStation(
            station=message.station,
            director=message.director,
            media=message.media,
            stamp=Stamp(message.epoch, generation),
        )
        if station != known:
            verdict = await self._repository.see_station(station)
            if verdict in _REFUSALS:
                return self._refuse(verdict, message.station)
            self.moved.set()
            if known is None or known.stamp.epoch != message.epoch or known.director != message.director:
                said = (message.station, message.director, message.epoch, message.engines)
                logger.info("station %s is directed by %s at epoch %d, with %d engines", *said)
        if message.station in self._report_due:
            # Who hears that less is known than it has said reports everything.
            self._report_due.discard(message.station)
            generation = 0
        self._counters.registrations += 1
        before = self.staying(message.station)
        staying = message.engines if message.staying is None else message.staying
        self._present[message.station] = Presence(asyncio.get_running_loop().time(), message.engines, staying)
        if before != staying or message.station in self._to_reopen:
            # Only now: an order that is noted as carried out meanwhile counts these engines already.
            self._to_reopen.add(message.station)
            await self._repository.reopen_short_orders(message.station, staying)
            self._to_reopen.discard(message.station)
            self.moved.set()
        return messages.StationRegistered(
            media=str(self._media),
            newest=await self._newest_above(message.heard),
            now_ms=now_ms(),
            generation=generation,
        )

    async def _newest_above(self, heard: int) -> int:
        """Number of the newest change: not below what a station has heard, for that was lost here since."""
        newest = await self._repository.newest_version()
        if newest < heard <= newest + _RENUMBERED_BY_MAX:
            logger.warning("stations have heard of change %d, and %d is the newest that is known here", heard, newest)
            await self._repository.renumber_above(heard)
            newest = await self._repository.newest_version()
        return newest

    async def _report_locations(self, message: messages.ReportLocations) -> Done | Refused:
        try:
            held = _held_of(message)
            until = _page_end(message)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        stamp = Stamp(message.epoch, message.generation)
        verdict = await self._repository.replace_station(
            message.station, stamp, held, message.after, until, keeps=message.station == self._home
        )
        self._counters.full_reports += verdict is Verdict.ACCEPTED and until is None
        if self._recalling and verdict is Verdict.ACCEPTED:
            await self._recalling.note(message.station, [cut.program for cut in held])
        return self._conclude(verdict, message.station)

    def _report_again(self, station: str) -> None:
        self._report_due.add(station)

    async def _add_locations(self, message: messages.AddLocations) -> Done | Refused:
        answer, changed = await self._change(message, partial(self._repository.add_locations, copies=message.copies))
        self._counters.locations_added += changed
        return answer

    async def _remove_locations(self, message: messages.RemoveLocations) -> Done | Refused:
        answer, changed = await self._change(message, self._repository.remove_locations)
        self._counters.locations_removed += changed
        return answer

    async def _change(
        self,
        message: messages.AddLocations | messages.RemoveLocations,
        write: Callable[[Cut, str, Stamp, Iterable[int]], Awaitable[Verdict]],
    ) -> tuple[Done | Refused, int]:
        """Change locations; gives the answer, and how many were changed."""
        try:
            segments = parse_segments(message.segments)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error)), 0
        stamp = Stamp(message.epoch, message.generation)
        verdict = await write(Cut(message.program, message.table), message.station, stamp, segments)
        if verdict is Verdict.UNKNOWN_PROGRAM:
            return Done(), 0  # forgotten here since; the station's copy is of no concern any more
        return self._conclude(verdict, message.station), len(segments) if verdict is Verdict.ACCEPTED else 0

    def _conclude(self, verdict: Verdict, station: str) -> Done | Refused:
        if verdict in _REFUSALS:
            return self._refuse(verdict, station)
        self.moved.set()
        return Done()

    def _refuse(self, verdict: Verdict, station: str) -> Refused:
        self._counters.stale_refused += verdict in _STALE
        return Refused(_REFUSALS[verdict], f"{station}: {verdict.value}")

    async def _list_stations(self, _: messages.ListStations) -> messages.Stations:
        now = asyncio.get_running_loop().time()
        whole: dict[str, int] = {}
        async for program in all_programs(self._repository):
            for name in await self.whole_at(program.program):
                whole[name] = whole.get(name, 0) + 1
        never = Presence(heard_at=float("-inf"), engines=0, staying=0)
        rows = []
        for station in await self._repository.stations():
            presence = self._present.get(station.station, never)
            silent_s = min(now - presence.heard_at, _SILENT_MAX_S)
            rows.append(
                messages.StationRow(
                    station=station.station,
                    director=station.director,
                    media=station.media,
                    epoch=station.stamp.epoch,
                    engines=presence.engines,
                    programs=whole.get(station.station, 0),
                    home=station.station == self._home,
                    silent_ms=int(silent_s * 1000),
                )
            )
        return messages.Stations(tuple(rows))

    async def _list_doors(self, _: messages.ListDoors) -> messages.Doors:
        stations = await self._repository.stations()
        return messages.Doors(
            tuple(
                messages.StationDoor(station=each.station, media=each.media, home=each.station == self._home)
                for each in stations
            )
        )


def _page_end(message: messages.ReportLocations) -> ProgramId | None:
    """The last program of a page; None if it goes to the end. Raises ValueError: its programs are not in order."""
    names = [*([message.after] if message.after else ()), *(holding.program for holding in message.holdings)]
    if any(name >= following for name, following in pairwise(names)):
        raise ValueError("the programs of a report are not in order")
    if message.more and not message.holdings:
        raise ValueError("a page is empty, and not the last one")
    return names[-1] if message.more else None


def _held_of(page: messages.ReportLocations) -> dict[Cut, list[frozenset[int]]]:
    """What a page says. Raises ValueError: it is no set, or there are too many to be counted in one go."""
    held: dict[Cut, list[frozenset[int]]] = {}
    count = 0
    for holding in page.holdings:
        layers = held[holding.cut] = []
        for text in (holding.segments, *holding.again):
            layers.append(parse_segments(text))
            count += len(layers[-1])
            if count > _NUMBERS_MAX and len(held) > 1:
                raise ValueError(f"a page has more than {_NUMBERS_MAX} segments")
    return held
