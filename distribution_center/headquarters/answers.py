"""What the headquarters answers operators."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from distribution_center.headquarters.catalogue import Catalogue
from distribution_center.headquarters.center_link import CenterLink
from distribution_center.headquarters.followed import Followed, Progress
from distribution_center.headquarters.following import Following
from distribution_center.headquarters.order_book import Conflicting, NotOrdered, OrderBook
from distribution_center.headquarters.ordering import Ordering
from distribution_center.headquarters.places import Places
from media_network.http.server import HandlerTable
from media_network.message_pages import first_page
from media_network.messages import headquarters as messages
from media_network.messages.headquarters import CenterRow, Download, DownloadOrder, Whereabouts
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Centers, and what is known of them, by name in the order of the settings."""

    links: Mapping[str, CenterLink]
    followings: Mapping[str, Following]
    orderings: Mapping[str, Ordering]
    followed: Followed
    catalogue: Catalogue
    places: Places
    book: OrderBook

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs into a table."""
        table.verb(messages.ORDER_DOWNLOAD, self._order)
        table.verb(messages.CANCEL_ORDER, self._cancel)
        table.verb(messages.ASK_ORDER, self._ask_order)
        table.verb(messages.LIST_ORDERS, self._list_orders)
        table.verb(messages.LIST_ENTRIES, self._list_entries)
        table.verb(messages.ASK_WHERE, self._where)
        table.verb(messages.LIST_CENTERS, self._list_centers)

    async def rows(self) -> tuple[CenterRow, ...]:
        """The centers as they are now. Raises HeadquartersStoreError."""
        return tuple([self._row(link, await self.followed.progress(link.name)) for link in self.links.values()])

    async def _order(self, order: messages.OrderDownload) -> DownloadOrder | Refused:
        """Claim 3: control the downloading of content to the home media stations of centers."""
        if unknown := next((center for center in order.centers if center not in self.links), None):
            return self._no_center(unknown)
        if len(set(order.centers)) < len(order.centers):
            return Refused(Reason.BAD_MESSAGE, "a center is named twice")
        try:
            entered = await self.book.enter(order, now_ms())
        except Conflicting:
            return Refused(Reason.BAD_MESSAGE, f"order {order.order} is another one")
        return self._hurry(entered)

    async def _cancel(self, wish: messages.CancelOrder) -> DownloadOrder | Refused:
        try:
            order = await self.book.cancel(wish)
        except NotOrdered as error:
            return Refused(Reason.UNKNOWN_CENTER, str(error))
        return self._hurry(order) if order else _no_order(wish.order)

    async def _ask_order(self, question: messages.AskOrder) -> DownloadOrder | Refused:
        order = await self.book.ask(question.order)
        return self._shown(order) if order else _no_order(question.order)

    async def _list_orders(self, question: messages.ListOrders) -> messages.DownloadOrders:
        page = await self.book.orders(question.before, question.limit)
        return replace(page, orders=tuple(map(self._shown, page.orders)))

    async def _list_entries(self, question: messages.ListEntries) -> messages.CatalogueEntries | Refused:
        if question.center is not None and question.center not in self.links:
            return self._no_center(question.center)
        return await self.catalogue.entries(question)

    async def _where(self, question: messages.AskWhere) -> Whereabouts | Refused:
        """As the feed of the center has told; of one that is away, as it told last."""
        center, program = question.center, question.program
        if center not in self.links:
            return self._no_center(center)
        found = await self.places.where(question)
        if found is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program} at {center}")
        following = self.followings[center]
        known_ms = following.known_ms or (await self.followed.progress(center)).known_ms
        page, more = first_page(found.stations)
        return Whereabouts(
            center=center,
            program=program,
            stations=tuple(page),
            age_ms=_age_ms(known_ms),
            obstacle=following.obstacle,
            more=more or found.more,
        )

    async def _list_centers(self, _: messages.ListCenters) -> messages.Centers:
        return messages.Centers(await self.rows())

    def _row(self, link: CenterLink, progress: Progress) -> CenterRow:
        return CenterRow(
            center=link.name,
            address=str(link.address),
            reachable=link.obstacle is None,
            heard_ms=_age_ms(max(link.heard_at_ms, progress.known_ms)),
            newest=progress.since,
            programs=progress.programs,
            open_downloads=progress.open_downloads,
            obstacle=link.obstacle,
        )

    def _hurry(self, order: DownloadOrder) -> DownloadOrder:
        """There is something to be said to its centers."""
        for each in order.downloads:
            if each.center in self.orderings:
                self.orderings[each.center].hurry()
        return self._shown(order)

    def _shown(self, order: DownloadOrder) -> DownloadOrder:
        """With what is not written down: how far each download is."""
        return replace(order, downloads=tuple(map(self._shown_download, order.downloads)))

    def _shown_download(self, download: Download) -> Download:
        if ordering := self.orderings.get(download.center):
            return ordering.shown(download)
        if download.stage.is_final:
            return download
        sentence = f"{download.center} is not named in the settings any more: it is told when it is again"
        return replace(download, obstacle=sentence)

    def _no_center(self, name: str) -> Refused:
        return Refused(Reason.UNKNOWN_CENTER, f"there is no center {name}; there are: {', '.join(self.links)}")


def _age_ms(at_ms: int) -> int | None:
    """How long ago a time of day was; 0: it never was."""
    return max(0, now_ms() - at_ms) if at_ms else None


def _no_order(order: str) -> Refused:
    return Refused(Reason.UNKNOWN_ORDER, f"there is no order {order}")
