"""The line to the distribution center: registration, and every change of what the station holds.

The registry hears of a segment only after an engine said it is durable; what could not be said is said later.
"""

import asyncio
import logging
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.holdings.taking_stock import TakingStock
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.holding_pages import page_of
from media_network.http.errors import NetworkError
from media_network.messages.program_information import ASK_CHANGES, AskChanges
from media_network.messages.registry import (
    ADD_LOCATIONS,
    REGISTER_STATION,
    REMOVE_LOCATIONS,
    REPORT_LOCATIONS,
    AddLocations,
    RegisterStation,
    RemoveLocations,
    ReportLocations,
    StationRegistered,
)
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Reason, Refused
from media_network.segment_set import format_segments

logger = logging.getLogger(__name__)


class RegistryLink:
    """What the registry has yet to hear from this director."""

    def __init__(  # noqa: PLR0917 -- all that the registry hears of
        self,
        term: Term,
        catalogue: Catalogue,
        roster: Roster,
        table: SegmentLocationTable,
        library: Library,
        stock: TakingStock,
    ) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self._table = table
        self._library = library
        self._stock = stock
        self._changed: dict[Cut, set[int]] = {}
        self._news = asyncio.Event()
        self._registration_due = asyncio.Event()
        self._full_report_due = True
        self._generation: int | None = None
        """Of the last full report; None until the registry has said which it knows."""
        self._generation_told = 0
        """Of the last full report that the registry has acknowledged."""
        self._registered: bool | None = None
        """What the log has been told."""
        self._told_of_later = False
        """The log has been told that the registry knows a director of a higher epoch for this station."""

    def changed(self, cut: Cut, segments: Iterable[int]) -> None:
        """Some engine gained or lost these segments; the registry is told what the station holds of them now."""
        self._changed.setdefault(cut, set()).update(segments)
        self._news.set()

    def engines_changed(self) -> None:
        """An engine came or went: the registration says how many there are."""
        self._registration_due.set()

    async def keep_registered(self) -> None:
        """Register again and again; hear what has changed in the catalogue."""
        center = self._term.duty.center
        while center:
            registration = RegisterStation(
                station=self._term.duty.station,
                director=str(self._term.duty.address),
                media=str(self._term.duty.service or self._term.duty.media),
                epoch=self._term.duty.epoch,
                engines=len(self._roster),
                staying=sum(not engine.draining for engine in self._roster),
                heard=self._catalogue.heard,
            )
            answer = await self._say(center, REGISTER_STATION, registration)
            self._say_whether_registered(center, registered=answer is not None)
            if answer and (self._generation is None or answer.generation < self._generation_told):
                # It begins, or has lost what it knew.
                self._generation = max(self._generation or 0, answer.generation)
                self._make_full_report()
            if answer:
                await self._hear_center(answer)
            if answer and answer.newest > self._catalogue.heard:
                await self._catch_up(center)
            await self._until_registration_is_due()

    def _say_whether_registered(self, center: Address, *, registered: bool) -> None:
        if registered is self._registered:
            return
        self._registered = registered
        duty = self._term.duty
        if registered:
            logger.info("station %s is registered with the center at %s, epoch %d", duty.station, center, duty.epoch)
        else:
            logger.warning("station %s is not registered: the center at %s does not take it", duty.station, center)

    async def _hear_center(self, answer: StationRegistered) -> None:
        try:
            await self._catalogue.hear_time(answer.now_ms)
        except OSError as error:
            logger.warning("the time cannot be kept: %s", error)
        try:
            self._library.center_media = Address.parse(answer.media)
        except ValueError as error:
            logger.warning("the center says a media address that is none: %s", error)

    async def _until_registration_is_due(self) -> None:
        """An interval, or less when engines came or went."""
        try:
            async with asyncio.timeout(self._term.duty.intervals.registration_ms / 1000):
                await self._registration_due.wait()
        except TimeoutError:
            return
        self._registration_due.clear()

    async def keep_locations_told(self) -> None:
        """Report all the station holds once its engines had time to enlist; then every change."""
        center = self._term.duty.center
        if center is None:
            return
        await asyncio.sleep(self._term.duty.intervals.settle_ms / 1000)
        while True:
            told = await self._tell_all(center) and await self._tell_changes(center)
            if told:
                await self._news.wait()
            else:
                await asyncio.sleep(self._term.duty.intervals.report_ms / 1000)

    async def _tell_all(self, center: Address) -> bool:
        """Make a full report if one is due; False if it has to be made again."""
        if not self._full_report_due:
            return True
        if self._generation is None or self._stock.under_way:
            return False  # not registered yet, or not all is known that the station holds
        self._generation += 1
        generation = self._generation
        self._full_report_due = False
        self._changed.clear()
        if not await self._tell_pages(center, generation):
            self._full_report_due = True
        else:
            self._generation_told = generation
        return not self._full_report_due

    async def _tell_pages(self, center: Address, generation: int) -> bool:
        cuts = [cut for cut in self._table.cuts() if self._is_current(cut)]  # what else there is, is nobody's
        after: Cut | None = None
        more = True
        while more:
            page = page_of(cuts, self._layers, after)
            report = ReportLocations(
                station=self._term.duty.station,
                epoch=self._term.duty.epoch,
                generation=generation,
                after=after.program if after else None,
                holdings=page.holdings,
                more=page.more,
            )
            if await self._say(center, REPORT_LOCATIONS, report) is None:
                return False
            after, more = page.holdings[-1].cut if page.holdings else after, page.more
        return True

    async def _tell_changes(self, center: Address) -> bool:
        """Say what is held, and what is not any more, of all that changed; False if it has to be said again."""
        self._news.clear()
        changed, self._changed = self._changed, {}
        for cut, segments in changed.items():
            if not self._is_current(cut):
                continue
            if not await self._tell_cut(center, cut, segments):
                self.changed(cut, segments)
        return not self._changed

    async def _tell_cut(self, center: Address, cut: Cut, segments: set[int]) -> bool:
        """Say at how many engines these are, fewest first; not of what is at none and never was a segment."""
        rest = {number for number in segments if number < self._length(cut)}
        layers = [rest, *self._table.layers(cut, rest)]
        for copies, (here, further) in enumerate(pairwise([*layers, set()])):
            if (exactly := here - further) and not await self._tell(center, cut, exactly, copies):
                return False
        return True

    async def _tell(self, center: Address, cut: Cut, segments: set[int], copies: int) -> bool:
        if self._generation is None:
            return False
        where: dict[str, Any] = {
            "station": self._term.duty.station,
            "epoch": self._term.duty.epoch,
            "generation": self._generation,
            "program": cut.program,
            "table": cut.table,
            "segments": format_segments(segments),
        }
        if copies:
            return await self._say(center, ADD_LOCATIONS, AddLocations(**where, copies=copies)) is not None
        return await self._say(center, REMOVE_LOCATIONS, RemoveLocations(**where)) is not None

    async def _catch_up(self, center: Address) -> None:
        more = True
        while more:
            page = await self._say(center, ASK_CHANGES, AskChanges(since=self._catalogue.heard))
            if page is None:
                return
            more = page.more and page.until > self._catalogue.heard
            try:
                await self._catalogue.learn(page.changes, until=page.until, told_ms=page.now_ms)
            except OSError as error:
                logger.warning("the catalogue cannot be written: %s", error)  # what is known already stays in service
                return

    def _layers(self, cut: Cut) -> list[set[int]]:
        """What the station holds of a program: a stray segment on a disk is not to spoil the report of all others."""
        length = self._length(cut)
        return [{number for number in layer if number < length} for layer in self._table.layers(cut)]

    def _length(self, cut: Cut) -> int:
        header = self._catalogue.get(cut.program)
        return header.segments if header else 0

    def _is_current(self, cut: Cut) -> bool:
        """Whether this is what its program is now."""
        header = self._catalogue.get(cut.program)
        return header is not None and header.cut == cut

    def _make_full_report(self) -> None:
        self._full_report_due = True
        self._news.set()

    async def _say(self, center: Address, verb: Verb[Request, Reply], message: Request) -> Reply | None:
        try:
            answer = await self._term.http.ask(center, verb, message)
        except NetworkError:
            return None  # the center may be away for as long as it likes
        if not isinstance(answer, Refused):
            return answer
        if answer.reason is Reason.UNKNOWN_STATION:
            self._generation, self._generation_told = None, 0
            self._make_full_report()
        if answer.reason is Reason.STALE_EPOCH and not self._told_of_later:
            self._told_of_later = True
            logger.warning(
                "the registry knows a later director of %s than epoch %d",
                self._term.duty.station,
                self._term.duty.epoch,
            )
        return None
