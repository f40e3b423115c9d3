"""The communications agent of a blade and of a chassis manager: objects on an open agent, kept up to date by a task."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

from blade_agent.cbc.identity import installed_version
from blade_agent.hardware.machine import Machine, MachineFigures
from blade_agent.snmp.blade_objects import BladeObjects
from blade_agent.snmp.host import keep_reading
from blade_agent.snmp.manager_objects import ManagerObjects
from blade_agent.snmp.modules import BLADE_MODULES, MANAGER_MODULES
from blade_agent.snmp.sources import BladeFigures, ChassisPicture, SlotOrders
from media_network.snmp.agent import Agent, open_agent
from media_network.snmp.objects.arcs import BLADE_PRODUCT, MANAGER_PRODUCT
from media_network.snmp.objects.system import SystemFacts
from media_network.snmp.targets import AgentSettings

_REFRESH_S = 1.0


@contextlib.asynccontextmanager
async def blade_snmp(
    settings: AgentSettings,
    facts: SystemFacts,
    state: Path,
    figures: Callable[[], BladeFigures],
    *,
    orders: SlotOrders | None,
    rng: Random,
) -> AsyncIterator[Agent]:
    """Answer for a blade as long as the context lasts. `figures` is called about once a second and reads memory.

    Raises OSError, EngineFileError, ValueError.
    """
    async with open_agent(settings, facts, state, modules=BLADE_MODULES, rng=rng) as agent:
        objects = BladeObjects(agent, orders)
        async with _tasks(agent, lambda: objects.update(figures()), objects.show_machine):
            yield agent


@contextlib.asynccontextmanager
async def manager_snmp(
    settings: AgentSettings,
    facts: SystemFacts,
    state: Path,
    picture: Callable[[], ChassisPicture],
    *,
    slots: tuple[int, ...],
    orders: SlotOrders | None,
    rng: Random,
) -> AsyncIterator["ManagerAgent"]:
    """Answer for a chassis as long as the context lasts. `picture` is called about once a second and reads memory.

    Who calls `changed` at each change of a slot loses no state that lasts less than a second. Raises OSError,
    EngineFileError, ValueError.
    """
    async with open_agent(settings, facts, state, modules=MANAGER_MODULES, rng=rng) as agent:
        objects = ManagerObjects(agent, slots, orders)

        def changed() -> None:
            objects.update(picture())

        async with _tasks(agent, changed, objects.show_machine):
            yield ManagerAgent(agent, changed)


class ManagerAgent:
    """The agent of a chassis manager."""

    def __init__(self, agent: Agent, changed: Callable[[], None]) -> None:
        self.agent = agent
        self.changed = changed


@contextlib.asynccontextmanager
async def _tasks(
    agent: Agent, refresh: Callable[[], None], show_machine: Callable[[MachineFigures], None]
) -> AsyncIterator[None]:
    """Keep the objects up to date while the context lasts."""
    refresh()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(agent.run(), name="SNMP agent"),
            group.create_task(_keep_refreshing(refresh), name="SNMP objects"),
            group.create_task(keep_reading(Machine(), show_machine), name="SNMP machine"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _keep_refreshing(refresh: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_REFRESH_S)
        refresh()


def blade_facts(settings: AgentSettings, slot: int, station: str) -> SystemFacts:
    """What a blade says of itself."""
    return SystemFacts(
        description=f"media-station blade agent {installed_version()}",
        product=BLADE_PRODUCT,
        name=f"{station or 'unassigned'}-blade-{slot}",
        contact=settings.contact,
        location=settings.location,
    )


def manager_facts(settings: AgentSettings, station: str) -> SystemFacts:
    """What a chassis manager says of itself."""
    return SystemFacts(
        description=f"media-station chassis manager {installed_version()}",
        product=MANAGER_PRODUCT,
        name=station,
        contact=settings.contact,
        location=settings.location,
    )
