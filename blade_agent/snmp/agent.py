"""The communications agent of a blade and of a chassis manager: objects on an open agent, kept up to date by a task."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

from blade_agent.hardware.machine import Machine, MachineFigures
from blade_agent.snmp.blade_objects import BladeObjects
from blade_agent.snmp.host import keep_reading
from blade_agent.snmp.manager_objects import ManagerObjects
from blade_agent.snmp.modules import BLADE_MODULES, MANAGER_MODULES
from blade_agent.snmp.sources import BladeFigures, ChassisPicture, SlotOrders
from blade_agent.version import installed_version
from media_network.snmp.agent import Agent, open_agent
from media_network.snmp.objects.arcs import BLADE_PRODUCT, MANAGER_PRODUCT
from media_network.snmp.objects.system import SystemFacts
from media_network.snmp.targets import AgentSettings


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
    """Answer for a blade as long as the context lasts. `figures` reads memory; it is called when somebody asks.

    Raises OSError, ValueError.
    """
    async with open_agent(settings, facts, state, modules=BLADE_MODULES, rng=rng) as agent:
        objects = BladeObjects(agent, orders)
        agent.interest.show(lambda: objects.update(figures()))
        async with _tasks(agent, objects.show_machine):
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
    """Answer for a chassis as long as the context lasts. `picture` reads memory; it is called as for a blade.

    Who calls `changed` at each change of a slot loses no state that lasts less than a second. Raises OSError,
    ValueError.
    """
    async with open_agent(settings, facts, state, modules=MANAGER_MODULES, rng=rng) as agent:
        objects = ManagerObjects(agent, slots, orders)
        agent.interest.show(lambda: objects.update(picture()))
        async with _tasks(agent, objects.show_machine):
            yield ManagerAgent(agent)


class ManagerAgent:
    """The agent of a chassis manager."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def changed(self) -> None:
        """A slot has changed: show it, and tell what is new."""
        self.agent.interest.refresh()


@contextlib.asynccontextmanager
async def _tasks(agent: Agent, show_machine: Callable[[MachineFigures], None]) -> AsyncIterator[None]:
    """Keep the objects up to date while the context lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(agent.run(), name="SNMP agent"),
            group.create_task(
                keep_reading(Machine(), show_machine, agent.interest, told=agent.tells), name="SNMP machine"
            ),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def blade_facts(settings: AgentSettings, slot: int, station: Callable[[], str]) -> SystemFacts:
    """What a blade says of itself; `station` is where it serves at present, or empty."""
    return SystemFacts(
        description=f"media-station blade agent {installed_version()}",
        product=BLADE_PRODUCT,
        name=lambda: f"{station() or 'unassigned'}-blade-{slot}",
        contact=settings.contact,
        location=settings.location,
    )


def manager_facts(settings: AgentSettings, station: str) -> SystemFacts:
    """What a chassis manager says of itself."""
    return SystemFacts(
        description=f"media-station chassis manager {installed_version()}",
        product=MANAGER_PRODUCT,
        name=lambda: station,
        contact=settings.contact,
        location=settings.location,
    )
