"""Withdrawing a program: it is no more, anywhere, and its name can be used again (claims 11, 23)."""

import logging
from dataclasses import dataclass

from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.content.storing import Storing
from distribution_center.registry.repository import Repository
from media_network.http.server import HandlerTable
from media_network.messages.content import WITHDRAW, Withdraw
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Withdrawing:
    """What an operator takes back."""

    jobs: IngestJobs
    storing: Storing
    repository: Repository

    def answer(self, table: HandlerTable) -> None:
        """Enter the verb into a table."""
        table.verb(WITHDRAW, self._withdraw)

    async def _withdraw(self, order: Withdraw) -> Done | Refused:
        """Stations hear of it with the feed, and let go of what they hold; who is away hears when it is back."""
        if await self.repository.program(order.program) is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program}")
        if ingest := self.jobs.making(order.program):
            progress = self.jobs.get(ingest)
            detail = f"{order.program} is still being ingested: cancel {ingest} instead"
            return Refused(Reason.NOT_READY, detail, progress.stage if progress else None)
        await self.storing.give_up(order.program)
        logger.info("%s is withdrawn", order.program)
        return Done()
