"""Subscriber management and billing on duty (claim 6): they answer stations, which have a cache of what they say."""

import asyncio
import logging
import os
from importlib.metadata import version
from pathlib import Path

from distribution_center.accounts.database import AccountsUnfit
from distribution_center.accounts.ledger import Ledger
from distribution_center.accounts.news_desk import NewsDesk
from distribution_center.accounts.opening import opened_database
from distribution_center.accounts.settings import AccountsSettings
from distribution_center.accounts.stored_ledger import StoredLedger
from distribution_center.accounts.stored_subscribers import StoredSubscribers
from distribution_center.accounts.subscriber_management import SubscriberManagement
from media_network.address import Address
from media_network.files import make_durable_folder
from media_network.holding import holding_folders
from media_network.http.refusing_errors import refuse_errors
from media_network.http.server import HandlerTable, serve
from media_network.identity.credentials import credentials_of
from media_network.messages.billing import DELIVER_USAGE
from media_network.messages.subscribers import (
    ASK_SUBSCRIBER_NEWS,
    ASK_SUBSCRIBER_STANDING,
    AskSubscriberStanding,
    SubscriberStanding,
)
from media_network.refusal import Reason, Refused
from media_network.status import ProcessStatus, StatusTeller
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)


def accounts_table(management: SubscriberManagement, ledger: Ledger, news: NewsDesk) -> HandlerTable:
    """All that stations are answered, by whichever implementation of the two."""

    async def standing(asked: AskSubscriberStanding) -> SubscriberStanding:
        return await management.standing(asked.subscriber, asked.program, now_ms())

    table = HandlerTable("subscriber management and billing")
    table.verb(ASK_SUBSCRIBER_STANDING, standing)
    table.verb(ASK_SUBSCRIBER_NEWS, news.tell)
    table.verb(DELIVER_USAGE, ledger.deliver)
    refuse_errors(table, (AccountsUnfit,), _busy)
    return table


async def run_accounts(settings: AccountsSettings, _: object = None) -> None:
    """Run the built-in subscriber management and billing until cancelled.

    Raises AlreadyHeld: another process has its folder; OSError: it cannot serve at its address; AccountsUnfit.
    """
    state = Path(settings.state)
    make_durable_folder(state, 0o700)
    async with holding_folders(state), opened_database(settings.database_place, check=True) as database:
        management, address = StoredSubscribers(database), Address(settings.address, settings.port)
        news = NewsDesk(management)
        identification = credentials_of(settings.identity)
        table = accounts_table(management, StoredLedger(database), news)
        async with serve(table, address, identification=identification), asyncio.TaskGroup() as tasks:
            if identification:
                tasks.create_task(identification.keep_fresh(), name="identity")
            StatusTeller(state).tell(_status(address))
            logger.info(
                "subscriber management and billing, release %s: stations at %s; state in %s",
                *(version("media-station"), address, settings.state),
            )
            tasks.create_task(news.run(), name="news of subscribers")
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                logger.info("subscriber management and billing end")


def _busy(error: AccountsUnfit) -> Refused:
    logger.warning("a station cannot be answered: %s", error)
    return Refused(Reason.BUSY, "the database of subscribers does not answer")


def _status(address: Address) -> ProcessStatus:
    return ProcessStatus(pid=os.getpid(), role="accounts", state="serving", address=address.host, control=str(address))
