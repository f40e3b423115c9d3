"""The media location registry (MLR): knows the location of all media content in all stations (claim 1)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from heapq import nlargest
from itertools import pairwise

from distribution_center.center_figures import CenterCounters
from distribution_center.registry.deletions import Room
from distribution_center.registry.moves import Moves
from distribution_center.registry.presence import Presences
from distribution_center.registry.recalling import Recalling
from distribution_center.registry.repository import RegisteredStation, Repository, RepositoryError, Stamp, Verdict
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
_NUMBERS_MAX = 2_000_000
"""Segments of a page, each as often as it is counted. A director says a twentieth of that."""
_HEARD_LATELY_S = 15.0
_ROOMY_MAX = 16
_ROOMIEST_MAX = 64
_ROOMIEST_FOR_S = 1.0
_NO_ROOM_FOR_S = 0.1
_NOTED_AS_OFTEN = 24
"""Of the time for which a station counts: so often it is written down that it was heard."""
_REGISTRATIONS_PER_S = 1000
"""About a quarter of a core: of more stations each is heard more seldom."""
_AGAIN_MAX_MS = 10_000
"""Who was heard `_HEARD_LATELY_S` ago is there."""
_COPY = "copy"
"""Of `Repository.troubles`: that it is an older one than stations know. It is said until the next start."""
_RENUMBERED_BY_MAX = 10**9
"""More changes than that no registry has made: who says to have heard of them is not believed."""


class MediaLocationRegistry:
    """The registry as directors see it, over a durable `Repository`."""

    def __init__(
        self,
        repository: Repository,
        home: str,
        media: Address,
        counters: CenterCounters,
        recalling: Recalling | None = None,
        *,
        counts_for_s: float = 86_400.0,
    ) -> None:
        """`media` is the center's media address. With `recalling`, programs that are not known are asked for.

        `counts_for_s`: how long after a station was heard last its copies count when others want to delete theirs.
        """
        self._repository = repository
        self._recalling = recalling
        if recalling:
            recalling.recalled = self._report_again
        self._home = home
        self._media = media
        self.presences = Presences()
        self._to_reopen: set[str] = set()
        """Stations that have other engines than before, which the orders have yet to hear."""
        self._report_due: set[str] = set()
        """Stations that are to say once more what they hold."""
        self._counters = counters
        self._counts_for_ms = round(counts_for_s * 1000)
        self._roomiest: list[Room] = []
        """Those with most room, a moment ago."""
        self._looked_for_room_at = float("-inf")
        self._heard_ms: dict[str, int] = {}
        """When each station was heard, as it is written down."""
        self.moved = Moves(repository.neighbours.note_work)
        """Set whenever a location or a director changed."""

    def answer(self, table: HandlerTable) -> None:
        """Enter the registry's verbs into a table."""
        table.verb(messages.REGISTER_STATION, self._register)
        table.verb(messages.REPORT_LOCATIONS, self._report_locations)
        table.verb(messages.ADD_LOCATIONS, self._add_locations)
        table.verb(messages.REMOVE_LOCATIONS, self._remove_locations)

    async def miss_stations(self) -> None:
        """Miss the stations that are known from before this start and have not spoken soon after it."""
        loop = asyncio.get_running_loop()
        began_at, after = loop.time(), ""
        await asyncio.sleep(_HEARD_LATELY_S)
        while True:
            try:
                page = await self._repository.stations(after)
            except RepositoryError as error:
                logger.warning("%s; nobody is missed until it is there again", error)
                await asyncio.sleep(_HEARD_LATELY_S)
                continue
            if not page:
                return
            after = page[-1].station
            self.presences.miss((known.station for known in page), began_at)
            await asyncio.sleep(0)

    async def director(self, station: str) -> Address | None:
        """Where the station's director answers, as last heard."""
        found = await self._repository.station(station)
        return Address.parse(found.director) if found else None

    def staying(self, station: str) -> int | None:
        """How many engines of a station take copies; None: it has not spoken since the start."""
        presence = self.presences.get(station)
        return presence.staying if presence else None

    @property
    def heard_since_ms(self) -> int:
        """Stations that were heard before then do not count."""
        return now_ms() - self._counts_for_ms

    def roomy(self, length_bytes: int, surplus_percent: float) -> list[Room]:
        """Stations that take copies, have so much of their storage free when they have taken this, too, and are below
        their high-water marks then. However many ask, all stations are looked at now and then."""
        for looked_within_s in (_ROOMIEST_FOR_S, _NO_ROOM_FOR_S):  # that nobody has room is not said by an old look
            self._look_for_room(surplus_percent, looked_within_s)
            if roomy := [room for room in self._roomiest if room.room_bytes >= length_bytes]:
                return roomy[:_ROOMY_MAX]
        return []

    def _look_for_room(self, surplus_percent: float, looked_within_s: float) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked_for_room_at < looked_within_s:
            return
        self._looked_for_room_at = now
        rooms = (
            Room(station, presence.room_bytes(surplus_percent))
            for station, presence in self.presences.all()
            if presence.staying and presence.silent_s(now) < _HEARD_LATELY_S
        )
        self._roomiest = nlargest(_ROOMIEST_MAX, rooms, key=lambda room: (room.room_bytes, room.station))

    def hear_neighbour(self, message: messages.RegisterStation) -> None:
        """A director has told another process of this center."""
        self.presences.hear(message, asyncio.get_running_loop().time())

    async def _note_heard(self, station: str) -> None:
        """Write down that a station is there, now and then."""
        now, noted = now_ms(), self._heard_ms.get(station)
        if noted is None or abs(now - noted) >= self._counts_for_ms / _NOTED_AS_OFTEN:
            await self._repository.hear_station(station, now)
            self._heard_ms[station] = now

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
            self.moved.at(message.station)
            if known is None or known.stamp.epoch != message.epoch or known.director != message.director:
                said = (message.station, message.director, message.epoch, message.engines)
                logger.info("station %s is directed by %s at epoch %d, with %d engines", *said)
        if message.station in self._report_due:
            # Who hears that less is known than it has said reports everything.
            self._report_due.discard(message.station)
            generation = 0
        await self._note_heard(message.station)
        self._counters.registrations += 1
        before = self.presences.hear(message, asyncio.get_running_loop().time())
        self._repository.neighbours.note_registration(message)
        staying = self.presences.known(message.station).staying
        if before is None or before.staying != staying or message.station in self._to_reopen:
            # Only now: an order that is noted as carried out meanwhile counts these engines already.
            self._to_reopen.add(message.station)
            await self._repository.reopen_short_orders(message.station, staying)
            self._to_reopen.discard(message.station)
            self.moved.at(message.station)
        return messages.StationRegistered(
            media=str(self._media),
            newest=await self._newest_above(message.heard),
            now_ms=now_ms(),
            generation=generation,
            again_ms=min(len(self.presences) * 1000 // _REGISTRATIONS_PER_S, _AGAIN_MAX_MS),
        )

    async def _newest_above(self, heard: int) -> int:
        """Number of the newest change: not below what a station has heard, for that was lost here since."""
        newest = await self._repository.newest_version()
        if newest < heard <= newest + _RENUMBERED_BY_MAX:
            trouble = (
                f"Stations have heard of change {heard}, and {newest} is the newest here: is the registry of a backup? "
                "What was changed since has to be changed again."
            )
            self._repository.troubles[_COPY] = trouble
            logger.warning("%s", trouble)
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
        concluded = self._conclude(verdict, message.station, message.program)
        return concluded, len(segments) if verdict is Verdict.ACCEPTED else 0

    def _conclude(self, verdict: Verdict, station: str, program: ProgramId | None = None) -> Done | Refused:
        if verdict in _REFUSALS:
            return self._refuse(verdict, station)
        self.moved.at(station, program)
        return Done()

    def _refuse(self, verdict: Verdict, station: str) -> Refused:
        self._counters.stale_refused += verdict in _STALE
        return Refused(_REFUSALS[verdict], f"{station}: {verdict.value}")


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
