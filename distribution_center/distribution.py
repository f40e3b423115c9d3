"""Distribution: the registry directs seeking stations to obtain programs, until they have them (claims 11 to 13)."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from distribution_center.center_figures import CenterCounters
from distribution_center.content.content_manager import ContentManager
from distribution_center.obstacles import in_words, no_answer, no_director, refusal
from distribution_center.registry.finding_sources import FindingSources
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.moves import Moved
from distribution_center.registry.naming_stations import in_short, no_such_station
from distribution_center.registry.repository import OpenOrder, Repository, RepositoryError, Verdict
from distribution_center.telling_directors import TellingDirectors
from media_network.address import Address
from media_network.http.server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.obtaining import OBTAIN, Obtain
from media_network.program_header import ProgramHeader
from media_network.refusal import Refused

logger = logging.getLogger(__name__)

_ROUNDS_APART_S = 0.1
"""Every location that is added moves something: they are looked at together."""
_SAY_AGAIN_S = 3.0
"""How often an order that is not carried out yet is said again: the station may have restarted meanwhile. So often all
orders are looked at; in between only those of which something has moved."""
_SAY_AGAIN_MAX_S = 60.0
"""An order that does not get on is said again after a tenth of the time that it has not, and no later than this."""


@dataclass
class _Saying:
    """How an order was said."""

    to: tuple[Address, int] | None
    """Director and epoch; None: there was none."""
    held: int
    """Segments that were there then, with as many copies as there can be."""
    since: float
    """When that was first so."""
    again_at: float
    waits: bool = False
    """It is to be said for the first time: what was lost may come back by itself until then."""


class _Hint(NamedTuple):
    """The source that an order names."""

    station: str
    director: str


class Distribution:
    """Orders to bring programs to stations; they are durable."""

    def __init__(
        self,
        repository: Repository,
        registry: MediaLocationRegistry,
        finding: FindingSources,
        content_manager: ContentManager,
        telling: TellingDirectors,
        *,
        media: Address,
        restore_after_s: float,
        counters: CenterCounters,
    ) -> None:
        """`media` is the center's media address: segment tables are there. `restore_after_s`: how long a station may
        lack copies that it had."""
        self._repository = repository
        self._registry = registry
        self._finding = finding
        self._content_manager = content_manager
        self._telling = telling
        self._media = media
        self._restore_after_s = restore_after_s
        self._sayings: dict[tuple[str, str], _Saying] = {}
        self._counters = counters

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs of distribution into a table."""
        table.verb(messages.DISTRIBUTE, self._distribute)

    async def keep_carrying_out(self) -> None:
        """Carry orders out, for ever."""
        loop = asyncio.get_running_loop()
        all_at, missed = loop.time(), False
        while True:
            moved = self._registry.moved.take()
            try:
                leads = self._repository.neighbours.leads  # of several processes of a center one does
                if not leads:
                    self._sayings.clear()
                elif missed or moved.anywhere or loop.time() >= all_at:
                    all_at = loop.time() + _SAY_AGAIN_S
                    await self._carry_all_out()
                else:
                    await self._carry_moved_out(moved)
                missed = not leads
            except RepositoryError as error:
                missed = True
                logger.warning("%s; orders wait until it is there again", error)
            await asyncio.sleep(_ROUNDS_APART_S)
            try:
                async with asyncio.timeout_at(max(all_at, loop.time())):
                    await self._registry.moved.wait()
            except TimeoutError:
                continue  # nothing moved: say it again

    async def _carry_all_out(self) -> None:
        last, orders = (0, ""), set()
        while page := await self._repository.open_orders(last):
            for order in page:
                last = (order.number, order.station)
                orders.add((order.program, order.station))
                await self._carry_out_if_known(order)
            await asyncio.sleep(0)  # others have a turn, however many orders wait
        self._sayings = {key: saying for key, saying in self._sayings.items() if key in orders}
        self._content_manager.obstacles.keep_only(orders)

    async def _carry_moved_out(self, moved: Moved) -> None:
        """Look at the orders of which something has moved; none other can be carried out by that."""
        for station in moved.stations:
            last = 0
            while page := await self._repository.open_orders_at(station, last):
                last = page[-1].number
                for order in page:
                    await self._carry_out_if_known(order)
                await asyncio.sleep(0)
        for name, station in moved.programs:
            if station not in moved.stations and (one := await self._repository.open_order(name, station)):
                await self._carry_out_if_known(one)

    async def _carry_out_if_known(self, order: OpenOrder) -> None:
        if program := await self._repository.program(order.program):
            await self._carry_out(program, order)

    async def _distribute(self, order: messages.Distribute) -> messages.ProgramRow | Refused:
        program = await self._repository.program(order.program)
        if program is None:
            return await self._content_manager.rows.unknown(order.program)
        for station in order.stations:
            if await self._repository.station(station) is None:
                return await no_such_station(self._repository, station)
        await asyncio.gather(
            *(self._repository.set_order(order.program, each, order.copies, order.rate_bps) for each in order.stations)
        )
        self._registry.moved.set()
        stations = in_short(order.stations)
        logger.info("%s is to be distributed to %s, %d copies", order.program, stations, order.copies)
        return await self._content_manager.rows.row(program)

    async def _carry_out(self, program: ProgramHeader, order: OpenOrder) -> None:
        """Claim 12, first step: identify a source station and direct the seeking one to obtain the program."""
        station, key = order.station, (order.program, order.station)
        # A station with fewer engines than copies are wanted has done what it can; with more of them it goes on.
        copies = min(order.copies, max(1, self._registry.staying(station) or order.copies))
        held = await self._repository.held_at(program.program, station, copies)
        if held == program.segments:
            if await self._repository.carried_out(order, copies) is Verdict.ACCEPTED:
                self._counters.orders_done += 1
                logger.info("%s is distributed to %s, %d copies", program.program, station, copies)
            self._sayings.pop(key, None)
            self._content_manager.obstacles.note(*key, None)
            return
        registered = await self._repository.station(station)
        seeking = Address.parse(registered.director) if registered else None
        if seeking and not self._telling.has_room(seeking):
            if self._telling.is_deaf(seeking):
                self._content_manager.obstacles.note(*key, no_answer(station, seeking))
            return
        to = (seeking, registered.stamp.epoch) if registered and seeking else None
        if not self._is_to_be_said(key, held, to, reopened=order.reached > 0):
            return
        source = await self._source(program, station)
        if source is None or seeking is None:
            in_the_way = no_director(station) if source else "no other station holds any of it"
            self._content_manager.obstacles.note(*key, in_the_way)
            return
        message = Obtain(
            header=program,
            parts=str(self._media),
            source_station=source.station,
            source_director=source.director,
            copies=copies,
            rate_bps=order.rate_bps,
        )
        self._telling.tell_later(seeking, order.program, partial(self._direct, seeking, station, message))

    async def _direct(self, seeking: Address, station: str, message: Obtain) -> bool:
        """Direct a station to obtain a program; whether there was an answer."""
        name = message.header.program
        standing = await self._telling.ask(seeking, OBTAIN, message)
        if standing is None:
            logger.warning("the director of %s at %s did not take the order for %s", station, seeking, name)
            obstacle: str | None = no_answer(station, seeking)
        elif isinstance(standing, Refused):
            obstacle = refusal(station, standing)
        else:
            obstacle = in_words(station, standing)
        self._content_manager.obstacles.note(name, station, obstacle)
        return standing is not None

    def _is_to_be_said(
        self, key: tuple[str, str], held: int, to: tuple[Address, int] | None, *, reopened: bool
    ) -> bool:
        """Whether an order is due; it is said less and less often while nothing comes of it."""
        now = asyncio.get_running_loop().time()
        saying = self._sayings.get(key)
        if saying is None and reopened:
            # A blade that restarts is back soon, with all it had: copies made meanwhile would be too many.
            saying = self._sayings[key] = _Saying(to, held, now, now + self._restore_after_s, waits=True)
        if saying and saying.waits and now < saying.again_at:
            return False
        if saying and not saying.waits and saying.to == to and now < saying.again_at and held >= saying.held:
            return False
        since = saying.since if saying and (saying.to, saying.held) == (to, held) else now
        pause_s = min(max(_SAY_AGAIN_S, (now - since) / 10), _SAY_AGAIN_MAX_S)
        self._sayings[key] = _Saying(to, held, since, now + pause_s)
        return True

    async def _source(self, program: ProgramHeader, seeking: str) -> _Hint | None:
        """Whom to name as the source: the home media station if it has the program (claim 13), else who promises most;
        else the seeking one itself where all is there once, and copies are missing.

        The seeking director asks for all of them, and chooses; this one it takes if none of those gives it.
        """
        known = (await self._finding.sources_for(program, seeking)).sources
        at_home = [each for each in known if each.home and not each.stale and each.segments == program.segments]
        for source in (*at_home, *known):
            return _Hint(source.station, source.director)
        itself = await self._repository.station(seeking)
        here = await self._repository.held_at(program.program, seeking)
        return _Hint(seeking, itself.director) if itself and here == program.segments else None
