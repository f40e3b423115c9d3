"""The communications agent of a headquarters."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

from distribution_center.headquarters.figures import HeadquartersFigures
from distribution_center.headquarters.objects import HeadquartersObjects
from distribution_center.headquarters.store import HeadquartersStoreError
from media_network.snmp.agent import Agent, open_agent
from media_network.snmp.objects.arcs import HEADQUARTERS, HEADQUARTERS_PRODUCT
from media_network.snmp.objects.modules import COMMON_MODULES
from media_network.snmp.objects.system import ModuleFacts, SystemFacts
from media_network.snmp.targets import AgentSettings

logger = logging.getLogger(__name__)

_REFRESH_S = 2.0
_RARELY_S = 60.0
"""While nobody asks and nobody is told."""

MODULES = (*COMMON_MODULES, ModuleFacts(HEADQUARTERS, "MEDIA-STATION-HEADQUARTERS-MIB"))


@contextlib.asynccontextmanager
async def headquarters_snmp(
    settings: AgentSettings,
    state: Path,
    figures: Callable[[], Awaitable[HeadquartersFigures]],
    *,
    rng: Random,
) -> AsyncIterator[Agent]:
    """Answer for a headquarters as long as the context lasts. `figures` is called at times; it may raise
    HeadquartersStoreError.

    Raises OSError, ValueError.
    """
    facts = SystemFacts(
        description="media-station media asset management",
        product=HEADQUARTERS_PRODUCT,
        name=lambda: "headquarters",
        contact=settings.contact,
        location=settings.location,
    )
    async with open_agent(settings, facts, state, modules=MODULES, rng=rng) as agent:
        objects = HeadquartersObjects(agent.alarms, agent.tell)
        agent.index.add(objects)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(agent.run(), name="SNMP agent"),
                group.create_task(_keep_showing(agent, objects, figures), name="SNMP objects"),
            ]
            try:
                yield agent
            finally:
                for task in tasks:
                    task.cancel()


async def _keep_showing(
    agent: Agent, objects: HeadquartersObjects, figures: Callable[[], Awaitable[HeadquartersFigures]]
) -> None:
    while True:
        try:
            objects.update(await figures())
        except HeadquartersStoreError as error:
            logger.warning("%s; what SNMP shows is from before", error)
        await asyncio.sleep(_REFRESH_S)
        if not agent.tells:
            await agent.interest.wait(at_most_s=_RARELY_S)
