"""A distribution center on duty: registry, content manager, content engine and distribution at two ports."""

import asyncio
import logging
import os
import random
from functools import partial
from importlib.metadata import version
from pathlib import Path

from distribution_center.center_figures import CenterCounters
from distribution_center.content.content_engine import ContentEngine, SpoolCopies
from distribution_center.content.content_manager import ContentManager
from distribution_center.content.feed import Feed
from distribution_center.content.fetching import Fetching
from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.content.ingesting import Ingesting
from distribution_center.content.packages.opening import Opening
from distribution_center.content.places import ProgramPlaces
from distribution_center.content.providers.providers import Providers
from distribution_center.content.spool import DOWNLOADS
from distribution_center.content.storing import Storing
from distribution_center.content.uploads import Uploads
from distribution_center.content.withdrawing import Withdrawing
from distribution_center.deletion.carrying_out import CarryingOut
from distribution_center.deletion.deleting import DeletionRequests
from distribution_center.distances import Distances
from distribution_center.distribution import Distribution
from distribution_center.page.server import OperatorsPage, serve_page
from distribution_center.page.uploading import Uploading
from distribution_center.page.watch import CenterWatch
from distribution_center.registry.finding_sources import FindingSources
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.opening import opened_registry
from distribution_center.registry.recalling import Recalling
from distribution_center.registry.refusals import refuse_store_errors
from distribution_center.registry.repository import Repository
from distribution_center.registry.share_feed import ShareFeed
from distribution_center.registry.station_lists import StationLists
from distribution_center.settings import CenterSettings, metadata_zone
from distribution_center.snmp.agent import center_snmp
from distribution_center.snmp.figures import CenterView
from distribution_center.telling_directors import TellingDirectors
from media_network.address import Address
from media_network.holding import holding_folders
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve_ports
from media_network.identity.credentials import credentials_of
from media_network.snmp.agent import OpenAnswering, answering
from media_network.status import ProcessStatus, StatusTeller
from media_network.ticket import TicketKey

logger = logging.getLogger(__name__)


async def run_center(settings: CenterSettings, rng: random.Random) -> None:
    """Run a center until cancelled.

    Raises AlreadyHeld: another process has its folder, or its registry's file; OSError: it cannot serve at its address;
    `RepositoryError`; ProviderUnfit, SettingsError: a provider, or its credentials, cannot be used.
    """
    async with (
        holding_folders(Path(settings.state)),
        opened_registry(settings.registry_place, home=settings.home) as repository,
    ):
        await serve_center(settings, repository, rng)


async def serve_center(settings: CenterSettings, repository: Repository, rng: random.Random) -> None:
    """Answer and act as the center, over a registry that is open, until cancelled.

    Raises ProviderUnfit, SettingsError: a provider, or its credentials, cannot be used; and as `run_center` does.
    """
    providers = Providers(settings.providers)
    address, media = (Address(settings.address, port) for port in (settings.control_port, settings.media_port))
    state = _state_folder(settings)
    identification = credentials_of(settings.identity)
    async with HttpClient(rng, address.host, identification) as http, asyncio.TaskGroup() as tasks:
        if identification:
            tasks.create_task(identification.keep_fresh(), name="identity")
        counters = CenterCounters()
        content_manager = ContentManager(repository, http, settings.home)
        feed = Feed(repository)
        recalling = None
        if repository.recalls:
            recalling = Recalling(repository, http)
            tasks.create_task(recalling.run(), name="recall programs")
        registry = MediaLocationRegistry(
            repository, settings.home, media, counters, recalling, counts_for_s=settings.counts_for_s
        )
        finding = FindingSources(
            repository, registry.presences, settings.home, media, Distances(settings.distances), settings.cost
        )
        deleting = DeletionRequests(
            repository=repository, registry=registry, home=settings.home, surplus_percent=settings.surplus_percent
        )
        telling = TellingDirectors(http, tasks)
        deletions = CarryingOut(
            deleting=deleting, repository=repository, registry=registry, telling=telling, media=media
        )
        distribution = Distribution(
            repository,
            registry,
            finding,
            content_manager,
            telling,
            media=media,
            restore_after_s=settings.restore_after_s,
            counters=counters,
        )
        storing = Storing(
            source=address,
            parts=media,
            spool=state / "spool",
            home=settings.home,
            repository=repository,
            registry=registry,
            content_manager=content_manager,
            http=http,
            patience_s=settings.storing_patience_s,
        )
        ingesting = Ingesting(
            jobs=IngestJobs(state / "ingests"),
            spool=state / "spool",
            opening=Opening(
                fetching=Fetching(
                    providers=providers, downloads=state / "spool" / DOWNLOADS, local_files=settings.local_files
                ),
                spool=state / "spool",
                zone=metadata_zone(settings.metadata_zone),
            ),
            storing=storing,
            repository=repository,
            rng=rng,
            tasks=tasks,
            counters=counters,
            uploads=_uploads(settings, state, rng),
            longest_segment_ms=settings.longest_segment_ms,
        )
        content_engine = ContentEngine(
            ingesting,
            storing,
            media,
            TicketKey(rng.randbytes(32)),
            SpoolCopies(address, identification.own, rng.randbytes(32)) if identification else None,
        )
        table = HandlerTable("distribution center")
        withdrawing = Withdrawing(jobs=ingesting.jobs, storing=storing, repository=repository)
        lists = StationLists(repository=repository, presences=registry.presences, home=settings.home)
        places = ProgramPlaces(repository=repository, obstacles=content_manager.obstacles)
        for part in (
            registry,
            ShareFeed(repository),
            lists,
            finding,
            content_manager,
            feed,
            distribution,
            content_engine,
            withdrawing,
            deleting,
            places,
        ):
            part.answer(table)
        refuse_store_errors(table)
        repository.neighbours.heard = registry.hear_neighbour
        repository.neighbours.shunned = deleting.shun_too
        repository.neighbours.worked = registry.moved.set_elsewhere
        view = CenterView(
            name=settings.name,
            home=settings.home,
            repository=repository,
            presences=registry.presences,
            ingests=ingesting.jobs,
            counters=counters,
        )
        watch = CenterWatch(
            home=settings.home,
            repository=repository,
            jobs=ingesting.jobs,
            presences=registry.presences,
            deletions=deleting.first,
            moves=lambda: registry.moved.count,
        )
        page = None
        if settings.page:
            page = OperatorsPage(
                settings.page,
                center=settings.name,
                verbs=table.posts,
                watch=watch,
                uploading=Uploading(ingesting),
                repository=repository,
                rng=rng,
            )
        # Before anybody can order an ingest: what is swept is nobody's.
        await content_engine.take_up(tasks)
        async with (
            serve_ports(table, control=address, media=media, identification=identification),
            answering(_snmp(settings, view, rng)),
            serve_page(page, _page_address(settings)),
        ):
            StatusTeller(state).tell(_status(settings, address, media))
            _say_hello(settings, address, media)
            tasks.create_task(deletions.keep(), name="carry out deletions")
            tasks.create_task(registry.miss_stations(), name="miss stations")
            try:
                await distribution.keep_carrying_out()
            finally:
                feed.end()
                logger.info("distribution center %s ends", settings.name)


def _say_hello(settings: CenterSettings, address: Address, media: Address) -> None:
    logger.info(
        "distribution center %s, release %s: operators at %s, consoles at %s; home station %s, state in %s",
        *(settings.name, version("media-station"), address, media, settings.home, settings.state),
    )
    if page := _page_address(settings):
        logger.info("the operator's page is at http://%s/", page)


def _snmp(settings: CenterSettings, view: CenterView, rng: random.Random) -> OpenAnswering | None:
    if settings.snmp is None:
        return None
    return partial(center_snmp, settings.snmp, settings.name, Path(settings.state), view.figures, view.tables, rng=rng)


def _state_folder(settings: CenterSettings) -> Path:
    state = Path(settings.state)
    state.mkdir(parents=True, exist_ok=True)
    return state


def _status(settings: CenterSettings, address: Address, media: Address) -> ProcessStatus:
    return ProcessStatus(
        pid=os.getpid(),
        role="center",
        state="serving",
        station=settings.name,
        address=address.host,
        control=str(address),
        media=str(media),
        page=str(_page_address(settings) or ""),
    )


def _page_address(settings: CenterSettings) -> Address | None:
    return Address(settings.page.address, settings.page.port) if settings.page else None


def _uploads(settings: CenterSettings, state: Path, rng: random.Random) -> Uploads:
    """Without a page nothing is taken; what there was of one is swept."""
    folder, page = state / "uploads", settings.page
    if page is None:
        return Uploads(folder=folder, rng=rng)
    return Uploads(folder=folder, rng=rng, bytes_max=page.upload_bytes_max, held_bytes_max=page.uploads_bytes_max)
