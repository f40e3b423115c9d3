"""The media asset management of the headquarters on duty (claim 3): it follows every center, and has orders done."""

import asyncio
import logging
import os
import random
from copy import copy
from functools import partial
from importlib.metadata import version
from pathlib import Path

from distribution_center.headquarters.answers import Desk
from distribution_center.headquarters.catalogue import Catalogue
from distribution_center.headquarters.center_link import CenterLink
from distribution_center.headquarters.figures import HeadquartersFigures, OrderCounters
from distribution_center.headquarters.followed import Followed
from distribution_center.headquarters.following import Following
from distribution_center.headquarters.order_book import OrderBook
from distribution_center.headquarters.ordering import Ordering
from distribution_center.headquarters.places import Places
from distribution_center.headquarters.settings import MamSettings
from distribution_center.headquarters.snmp import headquarters_snmp
from distribution_center.headquarters.store import HeadquartersStore, HeadquartersStoreError
from media_network.address import Address
from media_network.holding import holding_folders
from media_network.http.client import HttpClient
from media_network.http.refusing_errors import refuse_errors
from media_network.http.server import HandlerTable, serve
from media_network.identity.credentials import credentials_of
from media_network.refusal import Reason, Refused
from media_network.snmp.agent import OpenAnswering, answering
from media_network.status import ProcessStatus, StatusTeller

logger = logging.getLogger(__name__)


async def run_mam(settings: MamSettings, rng: random.Random) -> None:
    """Run until cancelled.

    Raises AlreadyHeld: another process has its folder; OSError: it cannot serve at its address; HeadquartersStoreError.
    """
    state = Path(settings.state)
    async with holding_folders(state):
        store = HeadquartersStore(state / "headquarters.sqlite")
        try:
            await serve_mam(settings, store, rng)
        finally:
            store.close()


async def serve_mam(settings: MamSettings, store: HeadquartersStore, rng: random.Random) -> None:
    """Answer and act over a store that is open, until cancelled. Raises OSError: it cannot serve at its address."""
    address = Address(settings.address, settings.port)
    followed, catalogue, places, book = Followed(store), Catalogue(store), Places(store), OrderBook(store)
    counters = OrderCounters()
    identification = credentials_of(settings.identity)
    async with HttpClient(rng, _own_host(address), identification) as http, asyncio.TaskGroup() as tasks:
        if identification:
            tasks.create_task(identification.keep_fresh(), name="identity")
        links = {name: CenterLink(name, Address.parse(center), http) for name, center in settings.centers.items()}
        followings = {
            name: Following(link, followed, catalogue, places, poll_s=settings.poll_s) for name, link in links.items()
        }
        orderings = {name: Ordering(link, book, counters, settings.poll_s) for name, link in links.items()}
        desk = Desk(
            links=links,
            followings=followings,
            orderings=orderings,
            followed=followed,
            catalogue=catalogue,
            places=places,
            book=book,
        )
        table = HandlerTable("media asset management")
        desk.answer(table)
        refuse_errors(table, (HeadquartersStoreError,), lambda error: Refused(Reason.BUSY, str(error)))
        async with (
            serve(table, address, identification=identification),
            answering(_snmp(settings, desk, counters, rng)),
        ):
            StatusTeller(Path(settings.state)).tell(_status(address))
            logger.info(
                "media asset management, release %s: operators at %s; centers %s, state in %s",
                *(version("media-station"), address, ", ".join(links), settings.state),
            )
            tasks.create_task(followed.forget_others(settings.centers), name="forget centers that left")
            for name in links:
                tasks.create_task(followings[name].follow(), name=f"follow {name}")
                tasks.create_task(orderings[name].carry_out(), name=f"orders of {name}")
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                logger.info("media asset management ends")


def _snmp(settings: MamSettings, desk: Desk, counters: OrderCounters, rng: random.Random) -> OpenAnswering | None:
    if settings.snmp is None:
        return None

    async def figures() -> HeadquartersFigures:
        unasked = frozenset(name for name, link in desk.links.items() if not link.asked)
        return HeadquartersFigures(centers=await desk.rows(), unasked=unasked, counted=copy(counters))

    return partial(headquarters_snmp, settings.snmp, Path(settings.state), figures, rng=rng)


def _own_host(address: Address) -> str | None:
    """Centers hear it from the address that it has, unless that is every address."""
    return None if address.host == "0.0.0.0" else address.host  # noqa: S104 -- it is compared with


def _status(address: Address) -> ProcessStatus:
    return ProcessStatus(pid=os.getpid(), role="mam", state="serving", address=address.host, control=str(address))
