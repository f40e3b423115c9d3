"""Tells a headquarters how much of each program each station holds: what has changed since a number, page by page."""

from distribution_center.registry.repository import Repository
from media_network.http.server import HandlerTable
from media_network.message_pages import first_page
from media_network.messages.shares import ASK_SHARES, AskShares, Share, Shares

SHARES_AT_ONCE = 200


class ShareFeed:
    """The feed of shares, over a registry."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def answer(self, table: HandlerTable) -> None:
        """Enter the verb into a table."""
        table.verb(ASK_SHARES, self._tell)

    async def _tell(self, question: AskShares) -> Shares:
        feed = await self._repository.share_feed()
        found = await self._repository.shares(question.since, SHARES_AT_ONCE)
        page, more = first_page(
            Share(version=one.version, program=one.program, station=one.station, segments=one.segments, of=one.of)
            for one in found
        )
        if more or len(found) == SHARES_AT_ONCE:
            return Shares(shares=tuple(page), until=page[-1].version, begun_at_ms=feed.begun_at_ms, more=True)
        # What came between the two reads is in the page, and it is all there is up to its last one.
        until = max([feed.newest, *(one.version for one in page)])
        return Shares(shares=tuple(page), until=until, begun_at_ms=feed.begun_at_ms)
