"""Distribution: the registry directs seeking stations to obtain programs, until they have them (claims 11 to 13)."""

import asyncio
import logging

from distribution_center.center_figures import CenterCounters
from distribution_center.content.content_manager import ContentManager
from distribution_center.obstacles import in_words, no_answer, no_director
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import OrderState, Repository, RepositoryError
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.obtaining import OBTAIN, Obtain
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_SAY_AGAIN_S = 3.0
"""How often an order that is not carried out yet is said again: the station may have restarted meanwhile."""


class Distribution:
    """Orders to bring programs to stations; they are durable."""

    def __init__(
        self,
        repository: Repository,
        registry: MediaLocationRegistry,
        content_manager: ContentManager,
        http: HttpClient,
        *,
        home: str,
        media: Address,
        counters: CenterCounters,
    ) -> None:
        """`media` is the center's media address: segment tables are there."""
        self._repository = repository
        self._registry = registry
        self._content_manager = content_manager
        self._http = http
        self._home = home
        self._media = media
        self._said_at: dict[tuple[str, str], float] = {}
        self._counters = counters

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs of distribution into a table."""
        table.verb(messages.DISTRIBUTE, self._distribute)

    async def keep_carrying_out(self) -> None:
        """Carry orders out, for ever."""
        while True:
            self._registry.moved.clear()
            try:
                await self._carry_all_out()
            except RepositoryError as error:
                logger.warning("%s; orders wait until it is there again", error)
            try:
                async with asyncio.timeout(_SAY_AGAIN_S):
                    await self._registry.moved.wait()
            except TimeoutError:
                continue  # nothing moved: say it again

    async def _carry_all_out(self) -> None:
        last, orders = (0, ""), set()
        while page := await self._repository.open_orders(last):
            for order in page:
                last = (order.number, order.station)
                orders.add((order.program, order.station))
                if program := await self._repository.program(order.program):
                    await self._carry_out(program, order.station, order.copies)
        self._said_at = {order: at for order, at in self._said_at.items() if order in orders}
        self._content_manager.obstacles.keep_only(orders)

    async def _distribute(self, order: messages.Distribute) -> messages.ProgramRow | Refused:
        program = await self._repository.program(order.program)
        if program is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program}")
        known = {station.station for station in await self._repository.stations()}
        unknown = [station for station in order.stations if station not in known]
        if unknown:
            return Refused(
                Reason.UNKNOWN_STATION, f"there is no station {unknown[0]}; there are: {', '.join(sorted(known))}"
            )
        for station in order.stations:
            await self._repository.set_order(order.program, station, OrderState.ORDERED, order.copies)
        self._registry.moved.set()
        logger.info("%s is to be distributed to %s, %d copies", order.program, ", ".join(order.stations), order.copies)
        return await self._content_manager.row(program)

    async def _carry_out(self, program: ProgramHeader, station: str, copies: int) -> None:
        """Claim 12, first step: identify a source station and direct the seeking one to obtain the program."""
        key = (program.program, station)
        now = asyncio.get_running_loop().time()
        whole_at = await self._registry.whole_at(program.program)
        if station in whole_at:
            await self._repository.set_order(*key, OrderState.DISTRIBUTED, copies)
            self._counters.orders_done += 1
            logger.info("%s is distributed to %s", *key)
            self._said_at.pop(key, None)
            self._content_manager.obstacles.note(*key, None)
            return
        if now - self._said_at.get(key, float("-inf")) < _SAY_AGAIN_S:
            return
        source = self._source(whole_at)
        seeking = await self._registry.director(station)
        source_director = await self._registry.director(source) if source else None
        obstacle = self._no_way(station, source, seeking, source_director)
        if source is None or seeking is None or source_director is None:
            self._content_manager.obstacles.note(*key, obstacle)
            return
        self._said_at[key] = now
        order = Obtain(
            header=program,
            parts=str(self._media),
            source_station=source,
            source_director=str(source_director),
            copies=copies,
        )
        standing = await self._http.tell(seeking, OBTAIN, order, deadline_s=2.0)
        if standing is None:
            logger.warning("the director of %s at %s did not take the order for %s", station, seeking, program.program)
        obstacle = in_words(station, standing) if standing else no_answer(station, seeking)
        self._content_manager.obstacles.note(*key, obstacle)

    @staticmethod
    def _no_way(
        station: str, source: str | None, seeking: Address | None, source_director: Address | None
    ) -> str | None:
        if source is None:
            return "no station holds the whole program yet"
        if seeking is None:
            return no_director(station)
        return no_director(source) if source_director is None else None

    def _source(self, whole_at: list[str]) -> str | None:
        """The home media station if it has the program (claim 13), else any other that has."""
        return self._home if self._home in whole_at else next(iter(whole_at), None)
