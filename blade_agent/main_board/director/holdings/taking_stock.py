"""Hearing what engines hold, page by page: the first comes with the enlistment, the others are asked for."""

import asyncio
import logging
from collections.abc import Callable
from itertools import pairwise

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.segment_location_table import Changes, SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.holdings import ASK_ENGINE_HOLDINGS, AskHoldings, Holdings
from media_network.segment_set import parse_segments

logger = logging.getLogger(__name__)

_ASK_AGAIN_S = 0.5
_TRIES = 60
"""An engine that is not understood for so long holds nothing beyond what it has said."""

Held = dict[Cut, frozenset[int]]


def held_of(page: Holdings, after: Cut | None = None) -> Held:
    """What a page from beyond a cut says. Raises ValueError: it is not in order, or empty though there is more."""
    cuts = [*([after] if after else ()), *(holding.cut for holding in page.holdings)]
    if any(cut >= following for cut, following in pairwise(cuts)):
        raise ValueError("holdings are not in the order of their cuts")
    if page.more and not page.holdings:
        raise ValueError("a page of holdings is empty, and not the last one")
    return {holding.cut: parse_segments(holding.segments) for holding in page.holdings}


class TakingStock:
    """What engines have yet to say of what they hold."""

    def __init__(
        self,
        term: Term,
        catalogue: Catalogue,
        roster: Roster,
        table: SegmentLocationTable,
        changed: Callable[[Changes], None],
    ) -> None:
        """`changed` is called with what came to the station, or left it."""
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self._table = table
        self._changed = changed
        self._asking: dict[Address, EngineRecord] = {}
        self._stored: dict[Address, set[tuple[Cut, int]]] = {}
        """What has become durable at an engine while a page was asked for: that may not have it."""

    @property
    def under_way(self) -> bool:
        """Whether an engine has more than it has said."""
        return bool(self._asking)

    def begin(self, engine: EngineRecord, page: Holdings, held: Held) -> None:
        """An engine has enlisted with the first page."""
        self._asking.pop(engine.address, None)
        until = self._take(engine, page, held, None)
        if until:
            self._asking[engine.address] = engine
            self._term.tasks.create_task(self._ask_on(engine, until), name=f"what {engine.address} holds")

    def stored(self, engine: Address, cut: Cut, number: int) -> None:
        """A segment is durable at an engine."""
        if self._catalogue.is_gone(*cut):
            return  # it has let go of it meanwhile, or is about to
        self._table.add(engine, cut, number)
        if engine in self._stored:
            self._stored[engine].add((cut, number))

    def _take(self, engine: EngineRecord, page: Holdings, held: Held, after: Cut | None) -> Cut | None:
        """Gives where to ask on from; None at the end."""
        until = page.holdings[-1].cut if page.more else None
        here = {cut: numbers for cut, numbers in held.items() if not self._catalogue.is_gone(*cut)}
        self._changed(self._table.replace(engine.address, here, after, until))
        return until

    async def _ask_on(self, engine: EngineRecord, after: Cut) -> None:
        following: Cut | None = after
        in_vain = 0
        try:
            while following and self._is_asking(engine) and in_vain < _TRIES:
                before, following = following, await self._ask(engine, following)
                in_vain = in_vain + 1 if following == before else 0
        finally:
            if self._asking.get(engine.address) is engine:  # though it may have been struck off meanwhile
                del self._asking[engine.address]

    async def _ask(self, engine: EngineRecord, after: Cut) -> Cut | None:
        self._term.assembling.until = asyncio.get_running_loop().time() + self._term.settle_s
        stored = self._stored[engine.address] = set()
        try:
            page = await self._term.http.tell(engine.address, ASK_ENGINE_HOLDINGS, AskHoldings(after=after))
            held = held_of(page, after) if page else {}
        except ValueError as error:
            logger.warning("what %s says to hold is not understood: %s", engine.address, error)
            page, held = None, {}
        finally:
            if self._stored.get(engine.address) is stored:
                del self._stored[engine.address]
        if not self._is_asking(engine):
            return None
        if page is None:
            await asyncio.sleep(_ASK_AGAIN_S)
            return after
        until = self._take(engine, page, held, after)
        self._term.assembling.until = asyncio.get_running_loop().time() + self._term.settle_s * bool(until)
        for cut, number in stored:
            if not self._catalogue.is_gone(*cut):
                self._table.add(engine.address, cut, number)
        return until

    def _is_asking(self, engine: EngineRecord) -> bool:
        """Not if it was struck off, or has enlisted once more, meanwhile."""
        here = self._roster.get(engine.address) is engine
        return here and self._asking.get(engine.address) is engine
