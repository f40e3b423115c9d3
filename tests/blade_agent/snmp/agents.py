"""Agents of a blade and of a chassis manager on loopback, whose figures a test can change."""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field

from blade_agent.snmp.agent import blade_facts, blade_snmp, manager_facts, manager_snmp
from media_network.snmp.settings import READ_WRITE, CommunitySettings, UserSettings
from media_network.snmp.targets import AgentSettings
from tests.blade_agent.snmp.pictures import chassis, figures
from tests.patience import PATIENCE_S, until

READER = UserSettings(user="reader", auth_password="reader-secret", priv_password="reader-hidden")
WRITER = UserSettings(user="writer", auth_password="writer-secret", priv_password="writer-hidden", group=READ_WRITE)


@dataclass
class Orders:
    """Takes the orders of a network management system down."""

    given: list = field(default_factory=list)

    def activate(self, slot):
        self.given.append(("activate", slot))

    def drain(self, slot):
        self.given.append(("drain", slot))

    def deactivate(self, slot):
        self.given.append(("deactivate", slot))

    def identify(self, slot, seconds):
        self.given.append(("identify", slot, seconds))


def settings(**changes):
    """An agent's settings, on any port."""
    kept = {
        "host": "127.0.0.1",
        "port": 0,
        "users": (READER, WRITER),
        "communities": (CommunitySettings(community="open"),),
        "contact": "operator",
        "location": "rack 7",
    }
    return AgentSettings(**kept | changes)


@contextlib.asynccontextmanager
async def blade_agent(folder, source=figures, orders=None, **changes):
    """A blade's agent."""
    wanted = settings(**changes)
    facts = blade_facts(wanted, 1, lambda: "north")
    async with blade_snmp(wanted, facts, folder, source, orders=orders, rng=random.Random(1)) as agent:
        await until(lambda: any(agent.index.contexts[b""].objects) and _machine_read(agent))
        yield agent


@contextlib.asynccontextmanager
async def manager_agent(folder, source=chassis, orders=None, **changes):
    """A chassis manager's agent."""
    wanted = settings(**changes)
    facts = manager_facts(wanted, "north")
    rng = random.Random(2)
    async with manager_snmp(wanted, facts, folder, source, slots=(1, 2, 3, 4), orders=orders, rng=rng) as manager:
        await until(lambda: _machine_read(manager.agent))
        yield manager


def _machine_read(agent):
    """Whether the machine has been read: only then are there interfaces."""
    interfaces = next(
        known for known in agent.index.contexts[b""].objects if known.oid == (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
    )
    return len(interfaces.rows) > 0


async def run(*command):
    """Run a command of somebody else's, and give what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    written, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return written.decode()
