"""Orders, said to the content manager of a center until it has taken them, and asked after until they are over.

An order has one number at its center from the moment at which it is written down here. So it may be said again, by a
headquarters that was killed or to a center that was: the center begins it once, and keeps how it ended until that is
written down here, too. One that is taken back is said to be, until the center has said how it ended; that may have
never heard of it, and keeps that it is over all the same, for the order may still be on its way.
"""

import asyncio
import logging

from msgspec.structs import replace

from distribution_center.headquarters.center_link import CenterAway, CenterLink
from distribution_center.headquarters.download_life import EVENT_OF, DownloadEvent, Heard, after
from distribution_center.headquarters.figures import OrderCounters
from distribution_center.headquarters.order_book import OpenDownload, OrderBook
from distribution_center.headquarters.store import HeadquartersStoreError
from media_network.messages.content import (
    ACKNOWLEDGE_INGEST,
    ASK_INGEST,
    INGEST,
    TAKE_BACK_INGEST,
    AcknowledgeIngest,
    AskIngest,
    Ingest,
    IngestProgress,
    TakeBackIngest,
)
from media_network.messages.headquarters import Download, DownloadStage, OrderDownload
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

AT_ONCE = 32
"""So many are open at a center at a time; later ones wait here."""
_FOR_GOOD = (Reason.BAD_SOURCE, Reason.BAD_MESSAGE, Reason.TOO_LARGE)
"""Refusals of what is ordered; every other one is of the moment."""


class Ordering:
    """What is said to one center."""

    def __init__(self, link: CenterLink, book: OrderBook, counters: OrderCounters, poll_s: float) -> None:
        self._link = link
        self._book = book
        self._counters = counters
        self._poll_s = poll_s
        self._wake = asyncio.Event()
        self._seen: dict[str, float] = {}
        """Of what is under way: how far its stage is, by ingest. It is not written down."""

    def hurry(self) -> None:
        """There is a new order, or one is taken back."""
        self._wake.set()

    def shown(self, download: Download) -> Download:
        """A download with what is not written down of it: how far its stage is, or why its center has not taken it."""
        if download.stage.is_final:
            return download
        if self._link.obstacle is not None:
            return replace(download, obstacle=f"{self._link.name} is away: {self._link.obstacle}")
        return replace(download, fraction=self._seen.get(download.ingest, 0.0))

    async def carry_out(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            if await self._attend_all():
                await self._rest(self._poll_s)
            else:
                await self._wake.wait()

    async def _attend_all(self) -> bool:
        """Tell whether there may be something to say in a moment."""
        try:
            opened = await self._book.open_at(self._link.name, AT_ONCE)
            for each in opened:
                await self._attend(each)
        except CenterAway:
            return True
        except HeadquartersStoreError as error:
            logger.warning("the orders of %s cannot be read or kept: %s", self._link.name, error)
            return True
        return bool(opened)

    async def _rest(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _attend(self, opened: OpenDownload) -> None:
        """Say what is next to be said of a download. Raises CenterAway, HeadquartersStoreError."""
        download = opened.download
        if not download.stage.is_final:
            download = await self._further(opened)
        if download.stage.is_final:
            await self._end(opened, download)

    async def _further(self, opened: OpenDownload) -> Download:
        before = opened.download
        answer = await self._ask(opened)
        heard = _heard(answer)
        download = before
        if after(before, heard) != before:
            download = await self._book.note(opened, heard)
            self._count(download.stage)
            logger.info(
                "order %s at %s: %s%s",
                *(download.ingest, self._link.name, download.stage),
                f", {download.obstacle}" if download.obstacle else "",
            )
        self._seen[download.ingest] = 0.0 if isinstance(answer, Refused) else answer.fraction
        return download

    def _count(self, stage: DownloadStage) -> None:
        self._counters.done += stage is DownloadStage.DONE
        self._counters.failed += stage is DownloadStage.FAILED
        self._counters.cancelled += stage is DownloadStage.CANCELLED

    async def _ask(self, opened: OpenDownload) -> IngestProgress | Refused:
        """How far it is; the center takes it if it does not know it, or lets go of it if it was taken back."""
        ingest = opened.download.ingest
        if opened.download.stage is DownloadStage.CANCELLING:
            return await self._link.ask(TAKE_BACK_INGEST, TakeBackIngest(_ingest_of(opened.order, ingest)))
        if opened.download.stage is not DownloadStage.ORDERED:
            progress = await self._link.ask(ASK_INGEST, AskIngest(ingest))
            if not isinstance(progress, Refused) or progress.reason is not Reason.UNKNOWN_INGEST:
                return progress
            logger.warning("%s does not know ingest %s any more: it is ordered again", self._link.name, ingest)
        return await self._link.ask(INGEST, _ingest_of(opened.order, ingest))

    async def _end(self, opened: OpenDownload, download: Download) -> None:
        """Its end is written down: the center need not keep it any longer."""
        told = await self._link.ask(ACKNOWLEDGE_INGEST, AcknowledgeIngest(download.ingest))
        if not isinstance(told, Refused):
            await self._book.settle(opened)
            self._seen.pop(download.ingest, None)


def _ingest_of(order: OrderDownload, ingest: str) -> Ingest:
    return Ingest(source=order.source, title=order.title, segment_ms=order.segment_ms, ingest=ingest)


def _heard(answer: IngestProgress | Refused) -> Heard:
    """What the answer of a center means."""
    if isinstance(answer, Refused):
        return Heard(DownloadEvent.FAILS if answer.reason in _FOR_GOOD else None, obstacle=str(answer))
    return Heard(EVENT_OF[answer.stage], answer.program, answer.error)
