"""The communications agent of a distribution center."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

from distribution_center.snmp_objects import CenterFigures, CenterObjects
from media_network.snmp.agent import Agent, open_agent
from media_network.snmp.objects.arcs import ALARM, CENTER, CENTER_PRODUCT, MIB_2, SNMP_MODULES
from media_network.snmp.objects.system import ModuleFacts, SystemFacts
from media_network.snmp.targets import AgentSettings

REFRESH_S = 5.0
"""A registry may be large, and programs do not come by the second."""

MODULES = (
    ModuleFacts((*SNMP_MODULES, 1), "SNMPv2-MIB (RFC 3418)"),
    ModuleFacts((*SNMP_MODULES, 10), "SNMP-FRAMEWORK-MIB (RFC 3411)"),
    ModuleFacts((*SNMP_MODULES, 11), "SNMP-MPD-MIB (RFC 3412)"),
    ModuleFacts((*SNMP_MODULES, 12), "SNMP-TARGET-MIB (RFC 3413), read only"),
    ModuleFacts((*SNMP_MODULES, 13), "SNMP-NOTIFICATION-MIB (RFC 3413), read only"),
    ModuleFacts((*SNMP_MODULES, 15), "SNMP-USER-BASED-SM-MIB (RFC 3414), read only"),
    ModuleFacts((*SNMP_MODULES, 16), "SNMP-VIEW-BASED-ACM-MIB (RFC 3415), read only"),
    ModuleFacts((*MIB_2, 92), "NOTIFICATION-LOG-MIB (RFC 3014), read only"),
    ModuleFacts(ALARM, "MEDIA-STATION-ALARM-MIB"),
    ModuleFacts(CENTER, "MEDIA-STATION-CENTER-MIB"),
)


@contextlib.asynccontextmanager
async def center_snmp(
    settings: AgentSettings,
    name: str,
    state: Path,
    figures: Callable[[], CenterFigures],
    *,
    rng: Random,
    refresh_s: float = REFRESH_S,
) -> AsyncIterator[Agent]:
    """Answer for a center as long as the context lasts; `figures` is called now and again, and does not wait.

    Raises OSError, EngineFileError, ValueError.
    """
    facts = SystemFacts(
        description="media-station distribution center",
        product=CENTER_PRODUCT,
        name=name,
        contact=settings.contact,
        location=settings.location,
    )
    async with open_agent(settings, facts, state, modules=MODULES, rng=rng) as agent:
        objects = CenterObjects(agent.alarms, agent.tell)
        agent.index.add(objects)
        objects.update(figures())
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(agent.run(), name="SNMP agent"),
                group.create_task(_keep_refreshing(lambda: objects.update(figures()), refresh_s), name="SNMP objects"),
            ]
            try:
                yield agent
            finally:
                for task in tasks:
                    task.cancel()


async def _keep_refreshing(refresh: Callable[[], None], interval_s: float) -> None:
    while True:
        await asyncio.sleep(interval_s)
        refresh()
