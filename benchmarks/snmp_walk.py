"""A walk of a chassis of fourteen blades with net-snmp's tools: wall time for 1,000 objects, beside snmpd's.

Both are walked in turns, each first in every other turn, and the quotients that are shown are the medians of the
turns' quotients: of wall time, and of the agents' CPU. What a tool takes to start, to find the agent and to make its
keys is measured by a walk of one object, and taken off. snmpd has no chassis; what it has most of, and in memory, is
the list of the installed software. All of it runs on one processor, see `benchmarks.snmp.stay_on_one_processor`.
"""

import asyncio
import os
import random
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from msgspec import Struct

from benchmarks.chassis_specimen import SLOTS, ChassisSpecimen
from benchmarks.figure import Figure, show
from benchmarks.served import Control, served
from benchmarks.snmp import in_turn, snmpd, stay_on_one_processor
from benchmarks.snmp_specimen import COMMUNITY, USER
from blade_agent.snmp.agent import manager_facts, manager_snmp
from media_network.address import Address
from media_network.snmp.settings import CommunitySettings, UserSettings
from media_network.snmp.targets import AgentSettings

ROUNDS = 15
LEAST_OBJECTS = 3_000
UPTIME = ".1.3.6.1.2.1.1.3"
READER = UserSettings(user=USER.user, auth_password=USER.auth_password, priv_password=USER.priv_password)
SETTINGS = AgentSettings(
    host="127.0.0.1", port=0, users=(READER,), communities=(CommunitySettings(community=COMMUNITY),)
)
IN_CLEAR = ("-v2c", "-c", COMMUNITY)
ENCRYPTED = (
    *("-v3", "-l", "authPriv", "-u", USER.user, "-a", USER.auth_protocol, "-A", USER.auth_password),
    *("-x", "AES", "-X", USER.priv_password),
)
KINDS = (
    ("snmpbulkwalk", ("snmpbulkwalk", *IN_CLEAR)),
    ("snmpbulkwalk, encrypted", ("snmpbulkwalk", *ENCRYPTED)),
    ("snmpwalk", ("snmpwalk", *IN_CLEAR)),
)


class Walked(Struct, frozen=True):
    """An agent, the root of what it is walked for, and a way to ask what CPU it took since the last time."""

    address: Address
    root: str
    cost_s: Callable[[], Awaitable[float]]


class Cost(Struct, frozen=True):
    """Of a walk beyond the tool's start: for 1,000 objects."""

    wall_ms: float
    cpu_ms: float
    objects: int


async def main() -> None:
    """Measure and print."""
    stay_on_one_processor()
    async with served(serve_chassis) as chassis:
        with snmpd() as (address, cost_s):
            ours = Walked(chassis.address, ".1.3", chassis.cost_s)
            peer = Walked(address, ".1.3.6.1.2.1.25.6", cost_s)
            for kind, tool in KINDS:
                show(*await compare(kind, tool, ours, peer))


async def compare(kind: str, tool: tuple[str, ...], ours: Walked, peer: Walked) -> list[Figure]:
    """Walk two agents in turns; the first turn is not counted."""
    values, peers = [], []
    for turn in range(ROUNDS + 1):
        costs = {walked: await walk(tool, walked) for walked in in_turn(ours, peer, turn)}
        if turn:
            values.append(costs[ours])
            peers.append(costs[peer])
    named = f"{kind} of a chassis, {values[-1].objects:,} objects"
    wall = median(value.wall_ms / other.wall_ms for value, other in zip(values, peers, strict=True))
    return [
        Figure(
            figure=named,
            value=median(value.wall_ms for value in values),
            unit="ms for 1,000",
            peer=median(other.wall_ms for other in peers),
            peer_name=f"snmpd, {peers[-1].objects:,} objects",
            runs=ROUNDS,
        ),
        Figure(figure=named, value=wall, unit="x snmpd", peer=1.5, peer_name="at most", runs=ROUNDS),
        Figure(
            figure=f"{kind} of a chassis, the agent",
            value=median(value.cpu_ms for value in values),
            unit="CPU ms for 1,000",
            peer=median(other.cpu_ms for other in peers),
            peer_name="snmpd",
            runs=ROUNDS,
        ),
    ]


async def walk(tool: tuple[str, ...], walked: Walked) -> Cost:
    """Walk an agent."""
    start_s, start_cpu_s, _ = await measured(tool, walked, UPTIME)
    whole_s, cpu_s, objects = await measured(tool, walked, walked.root)
    if objects < LEAST_OBJECTS:
        raise SystemExit(f"{walked.address} has only {objects} objects")
    return Cost((whole_s - start_s) / objects * 1e6, (cpu_s - start_cpu_s) / objects * 1e6, objects)


async def measured(tool: tuple[str, ...], walked: Walked, root: str) -> tuple[float, float, int]:
    """Run a tool, and give the seconds, those of the agent's CPU, and how many objects it found."""
    await walked.cost_s()
    spent_s, objects = await asyncio.to_thread(timed, tool, walked.address, root)
    return spent_s, await walked.cost_s(), objects


def timed(tool: tuple[str, ...], agent: Address, root: str) -> tuple[float, int]:
    """Run a tool, and give its seconds, and how many objects it found."""
    command = [*tool, "-t5", "-Onq", str(agent), root]
    environment = {**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent", "SNMP_PERSISTENT_DIR": "/nonexistent"}
    before_s = perf_counter()
    finished = subprocess.run(command, env=environment, capture_output=True, check=True)
    spent_s = perf_counter() - before_s
    return spent_s, sum(line.startswith(b".1.") for line in finished.stdout.splitlines())


async def serve_chassis(control: Control) -> None:
    """The agent of a chassis manager."""
    facts = manager_facts(SETTINGS, "benchmark")
    specimen = ChassisSpecimen()
    with tempfile.TemporaryDirectory() as state:
        async with manager_snmp(
            SETTINGS, facts, Path(state), specimen.picture, slots=SLOTS, orders=None, rng=random.Random(1)
        ) as manager:
            await control.report(manager.agent.service.address)


if __name__ == "__main__":
    asyncio.run(main())
