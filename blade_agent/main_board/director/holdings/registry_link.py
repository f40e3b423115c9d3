"""The line to the distribution center: registration, and every change of what the station holds.

The registry hears of a segment only after an engine said it is durable; what could not be said is said later.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from typing import Any, TypeVar

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.feed_following import FeedFollowing
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.holdings.taking_stock import TakingStock
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.holding_pages import page_of
from media_network.http.errors import NetworkError
from media_network.messages.deletion import (
    ASK_SURPLUS,
    DELETION_DONE,
    REQUEST_DELETION,
    AskSurplus,
    DeletionAnswer,
    DeletionDone,
    RequestDeletion,
    SurplusPage,
)
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
from media_network.messages.verb import Done, Reply, Request, Verb
from media_network.refusal import Reason, Refused
from media_network.segment_set import format_segments

logger = logging.getLogger(__name__)

_LEASE_INTERVALS = 5
_LEASE_MS = 15_000
"""So long what a registration says holds, or for some intervals if they are long: between two of them the station may
be asking for a long catalogue."""
_Stamped = TypeVar("_Stamped", RequestDeletion, DeletionDone)


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
        self._following = FeedFollowing(term, catalogue)
        self._again_ms = 0
        """How seldom the center wants to hear a registration at least."""
        self._telling = asyncio.Lock()
        """One thing is said of what is held after the other."""
        self._told_of_later = False
        """The log has been told that the registry knows a director of a higher epoch for this station."""

    def report_anew(self) -> None:
        """Say all that the station holds once more: what the registry goes by is a new inventory then."""
        self._make_full_report()

    def changed(self, cut: Cut, segments: Iterable[int]) -> None:
        """Some engine gained or lost these segments; the registry is told what the station holds of them now."""
        self._changed.setdefault(cut, set()).update(segments)
        self._news.set()

    @property
    def generation(self) -> int | None:
        """Of the last full report, be it under way; None until the registry has said which it knows."""
        return self._generation

    def has_told(self, cut: Cut) -> bool:
        """Whether the registry knows all that the station holds of a program."""
        return not self._full_report_due and not self._telling.locked() and cut not in self._changed

    async def request_deletion(self, cut: Cut) -> DeletionAnswer | Refused | None:
        """Claim 23: request a deletion; None: nobody answered, or it cannot be asked yet."""
        async with self._telling:
            try:
                answer = await self._ask_stamped(REQUEST_DELETION, RequestDeletion, cut)
            except NetworkError:
                self._make_full_report()
                return None
            if isinstance(answer, Refused) and answer.perhaps_done:
                # There may be leave that nobody knows of here: it ends with the inventory that it was given for.
                self._make_full_report()
            return answer

    async def confirm_deletion(self, cut: Cut) -> None:
        """Claim 23: confirm a deletion, again and again until it is heard."""
        while not self._term.standing.superseded:
            async with self._telling:
                with suppress(NetworkError):
                    if await self._ask_stamped(DELETION_DONE, DeletionDone, cut) == Done():
                        return
            await asyncio.sleep(self._term.duty.intervals.report_ms / 1000)

    async def ask_surplus(self, after: str) -> SurplusPage | None:
        """A page of what the station holds beyond what was ordered; None: nobody answered."""
        center = self._term.duty.center
        question = AskSurplus(station=self._term.duty.station, after=after)
        return await self._say(center, ASK_SURPLUS, question) if center else None

    async def _ask_stamped(
        self, verb: Verb[_Stamped, Reply], message: type[_Stamped], cut: Cut
    ) -> Reply | Refused | None:
        """None: it cannot be said yet. Raises NetworkError."""
        center, generation = self._term.duty.center, self._generation
        if center is None or generation is None or self._full_report_due:
            return None
        station, epoch = self._term.duty.station, self._term.duty.epoch
        said = message(station=station, epoch=epoch, generation=generation, program=cut.program, table=cut.table)
        return await self._ask(center, verb, said)

    def engines_changed(self) -> None:
        """An engine came or went: the registration says how many there are."""
        self._registration_due.set()

    async def keep_registered(self) -> None:
        """Register again and again; hear whether anything has changed in the catalogue that was missed."""
        center = self._term.duty.center
        while center:
            answer = await self._register(center)
            if answer and (self._generation is None or answer.generation < self._generation_told):
                # It begins, or has lost what it knew.
                self._generation = max(self._generation or 0, answer.generation)
                self._make_full_report()
            if answer:
                await self._hear_center(answer)
            if answer:
                await self._following.catch_up(center, answer.newest)
            await self._until_registration_is_due()

    async def _register(self, center: Address) -> StationRegistered | None:
        try:
            answer = await self._ask(center, REGISTER_STATION, self._registration())
        except NetworkError as error:
            self._say_whether_registered(center, str(error))
            return None
        if isinstance(answer, Refused):
            self._say_whether_registered(center, f"{center} refuses: {answer}")
            return None
        self._say_whether_registered(center, None)
        return answer

    async def keep_informed(self) -> None:
        """Hear what changes in the catalogue when it changes."""
        if center := self._term.duty.center:
            await self._following.follow(center)

    def _registration(self) -> RegisterStation:
        duty, readings = self._term.duty, self._roster.readings()
        return RegisterStation(
            station=duty.station,
            director=str(duty.address),
            media=str(duty.service or duty.media),
            epoch=duty.epoch,
            engines=len(self._roster),
            staying=sum(not engine.draining for engine in self._roster),
            heard=self._catalogue.heard,
            lease_ms=max(_LEASE_MS, _LEASE_INTERVALS * self._interval_ms),
            zone=duty.zone,
            load=readings.load,
            free_bps=readings.free_bps,
            free_bytes=readings.free_bytes,
            stored_bytes=readings.stored_bytes,
            high_percent=duty.water.high_percent,
        )

    @property
    def _interval_ms(self) -> int:
        return max(self._term.duty.intervals.registration_ms, self._again_ms)

    def _say_whether_registered(self, center: Address, obstacle: str | None) -> None:
        registered = obstacle is None
        if registered is self._registered:
            return
        self._registered = registered
        duty = self._term.duty
        if registered:
            logger.info("station %s is registered with the center at %s, epoch %d", duty.station, center, duty.epoch)
        else:
            logger.warning("station %s is not registered: %s", duty.station, obstacle)

    async def _hear_center(self, answer: StationRegistered) -> None:
        self._again_ms = answer.again_ms
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
            async with asyncio.timeout(self._interval_ms / 1000):
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
            async with self._telling:
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
            if not await self._tell_what_changed(center, cut, segments):
                self.changed(cut, segments)
        return not self._changed

    async def _tell_what_changed(self, center: Address, cut: Cut, segments: set[int]) -> bool:
        if self._is_current(cut):
            return await self._tell_cut(center, cut, segments)
        # Of what was withdrawn it matters only who still has some.
        let_go = segments - self._table.segments(cut) if self._catalogue.is_gone(*cut) else set()
        return not let_go or await self._tell(center, cut, let_go, 0)

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
        """None: it is refused, or nobody answers."""
        try:
            answer = await self._ask(center, verb, message)
        except NetworkError:
            return None  # the center may be away for as long as it likes
        return None if isinstance(answer, Refused) else answer

    async def _ask(self, center: Address, verb: Verb[Request, Reply], message: Request) -> Reply | Refused:
        """The answer. Raises NetworkError."""
        answer = await self._term.http.ask(center, verb, message)
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
        return answer
