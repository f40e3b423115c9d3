"""Distribution: the registry directs seeking stations to obtain programs, until they have them (claims 11 to 13)."""

import asyncio
import logging
from dataclasses import dataclass

from distribution_center.center_figures import CenterCounters
from distribution_center.content.content_manager import ContentManager
from distribution_center.obstacles import in_words, no_answer, no_director
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import OpenOrder, Repository, RepositoryError, Verdict
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.obtaining import OBTAIN, Obtain
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_ROUNDS_APART_S = 0.1
"""Every location that is added moves something: they are looked at together."""
_SAY_AGAIN_S = 3.0
"""How often an order that is not carried out yet is said again: the station may have restarted meanwhile."""
_SAY_AGAIN_MAX_S = 60.0
"""An order that does not get on is said again after a tenth of the time that it has not, and no later than this."""


_HEARD_LATELY_MS = 15_000
"""A station that has been silent for longer is asked for segments if no other has them."""


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
        restore_after_s: float,
        counters: CenterCounters,
    ) -> None:
        """`media` is the center's media address: segment tables are there. `restore_after_s`: how long a station may
        lack copies that it had."""
        self._repository = repository
        self._registry = registry
        self._content_manager = content_manager
        self._http = http
        self._home = home
        self._media = media
        self._restore_after_s = restore_after_s
        self._sayings: dict[tuple[str, str], _Saying] = {}
        self._deaf: set[str] = set()
        """Stations whose directors have not answered in this round: the others do not wait for each order to them."""
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
            await asyncio.sleep(_ROUNDS_APART_S)
            try:
                async with asyncio.timeout(_SAY_AGAIN_S):
                    await self._registry.moved.wait()
            except TimeoutError:
                continue  # nothing moved: say it again

    async def _carry_all_out(self) -> None:
        last, orders = (0, ""), set()
        self._deaf.clear()
        while page := await self._repository.open_orders(last):
            for order in page:
                last = (order.number, order.station)
                orders.add((order.program, order.station))
                if program := await self._repository.program(order.program):
                    await self._carry_out(program, order)
        self._sayings = {key: saying for key, saying in self._sayings.items() if key in orders}
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
            await self._repository.set_order(order.program, station, order.copies, order.rate_bps)
        self._registry.moved.set()
        logger.info("%s is to be distributed to %s, %d copies", order.program, ", ".join(order.stations), order.copies)
        return await self._content_manager.row(program)

    async def _carry_out(self, program: ProgramHeader, order: OpenOrder) -> None:
        """Claim 12, first step: identify a source station and direct the seeking one to obtain the program."""
        station, key = order.station, (order.program, order.station)
        # A station with fewer engines than copies are wanted has done what it can; with more of them it goes on.
        copies = min(order.copies, max(1, self._registry.staying(station) or order.copies))
        held = (await self._repository.held(program.program, copies)).get(station, 0)
        if held == program.segments:
            if await self._repository.carried_out(order, copies) is Verdict.ACCEPTED:
                self._counters.orders_done += 1
                logger.info("%s is distributed to %s, %d copies", program.program, station, copies)
            self._sayings.pop(key, None)
            self._content_manager.obstacles.note(*key, None)
            return
        registered = await self._repository.station(station)
        seeking = Address.parse(registered.director) if registered else None
        if station in self._deaf:
            return
        to = (seeking, registered.stamp.epoch) if registered and seeking else None
        if not self._is_to_be_said(key, held, to, reopened=order.reached > 0):
            return
        source = await self._source(program, station)
        source_director = await self._registry.director(source) if source else None
        obstacle = self._no_way(station, source, seeking, source_director)
        if source is None or seeking is None or source_director is None:
            self._content_manager.obstacles.note(*key, obstacle)
            return
        message = Obtain(
            header=program,
            parts=str(self._media),
            source_station=source,
            source_director=str(source_director),
            copies=copies,
            rate_bps=order.rate_bps,
        )
        standing = await self._http.tell(seeking, OBTAIN, message, deadline_s=2.0)
        if standing is None:
            self._deaf.add(station)
            logger.warning("the director of %s at %s did not take the order for %s", station, seeking, program.program)
        obstacle = in_words(station, standing) if standing else no_answer(station, seeking)
        self._content_manager.obstacles.note(*key, obstacle)

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

    @staticmethod
    def _no_way(
        station: str, source: str | None, seeking: Address | None, source_director: Address | None
    ) -> str | None:
        if source is None:
            return "no other station holds any of it"
        if seeking is None:
            return no_director(station)
        return no_director(source) if source_director is None else None

    async def _source(self, program: ProgramHeader, seeking: str) -> str | None:
        """The home media station if it has the program (claim 13), else any other that has it all; else the seeking
        one itself where all is there once, and copies are missing; else whichever holds most of it."""
        held = await self._repository.held(program.program)
        whole_at = {station for station, count in held.items() if count == program.segments}
        if whole_at:
            heard = {station for station, last in self._registry.present().items() if last.silent_ms < _HEARD_LATELY_MS}
            others = sorted(whole_at - {seeking})
            able = [station for station in others if station in heard] or others
            return self._home if self._home in able else next(iter(able), seeking)
        return max((station for station in held if station != seeking), key=held.__getitem__, default=None)
