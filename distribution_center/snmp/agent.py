"""The communications agent of a distribution center."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

from distribution_center.center_figures import CenterFigures
from distribution_center.registry.repository import RepositoryError
from distribution_center.snmp.objects import CenterObjects
from distribution_center.snmp.tables import CenterTables
from media_network.snmp.agent import Agent, open_agent
from media_network.snmp.interest import Interest
from media_network.snmp.objects.arcs import CENTER, CENTER_PRODUCT
from media_network.snmp.objects.modules import COMMON_MODULES
from media_network.snmp.objects.system import ModuleFacts, SystemFacts
from media_network.snmp.targets import AgentSettings

logger = logging.getLogger(__name__)

_REFRESH_S = 5.0
_RARELY_S = 60.0
"""While nobody asks and nobody is told."""
_SHARE = 0.005
"""Of its time that a center reads its registry for its agent: a large one is read less often."""

MODULES = (*COMMON_MODULES, ModuleFacts(CENTER, "MEDIA-STATION-CENTER-MIB"))


@contextlib.asynccontextmanager
async def center_snmp(
    settings: AgentSettings,
    name: str,
    state: Path,
    figures: Callable[[], Awaitable[CenterFigures]],
    tables: CenterTables,
    *,
    rng: Random,
) -> AsyncIterator[Agent]:
    """Answer for a center as long as the context lasts. `figures` is called at times; it may raise RepositoryError.

    Raises OSError, ValueError.
    """
    facts = SystemFacts(
        description="media-station distribution center",
        product=CENTER_PRODUCT,
        name=lambda: name,
        contact=settings.contact,
        location=settings.location,
    )
    async with open_agent(settings, facts, state, modules=MODULES, rng=rng) as agent:
        objects = CenterObjects(agent.alarms, agent.tell, tables, asyncio.get_running_loop().time)
        agent.index.add(objects)
        showing = _keep_showing(objects, figures, agent.interest, told=bool(settings.targets))
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(agent.run(), name="SNMP agent"),
                group.create_task(showing, name="SNMP objects"),
            ]
            try:
                yield agent
            finally:
                for task in tasks:
                    task.cancel()


async def _keep_showing(
    objects: CenterObjects, figures: Callable[[], Awaitable[CenterFigures]], interest: Interest, *, told: bool
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        begun_s = loop.time()
        try:
            objects.update(await figures())
        except RepositoryError as error:
            logger.warning("%s; what SNMP shows is from before", error)
        await asyncio.sleep(max(_REFRESH_S, (loop.time() - begun_s) / _SHARE))
        if not told:
            await interest.wait(at_most_s=_RARELY_S)
