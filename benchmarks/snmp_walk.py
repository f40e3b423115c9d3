"""A walk of a chassis of fourteen blades with net-snmp's tools: wall time for 1,000 objects, beside snmpd's.

Both are walked in turns, and the medians of what was measured in the same turn are shown. What a tool takes to start,
to find the agent and to make its keys is measured by a walk of one object, and taken off. snmpd has no chassis; what it
has most of, and in memory, is the list of the installed software.
"""

import asyncio
import os
import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.chassis_specimen import SLOTS, ChassisSpecimen
from benchmarks.figure import Figure, show
from benchmarks.served import Control, served
from benchmarks.snmp import snmpd
from benchmarks.snmp_specimen import COMMUNITY, USER
from blade_agent.snmp.agent import manager_facts, manager_snmp
from media_network.address import Address
from media_network.snmp.settings import CommunitySettings, UserSettings
from media_network.snmp.targets import AgentSettings

ROUNDS = 9
LEAST_OBJECTS = 3_000
EVERYTHING = ".1.3"
INSTALLED_SOFTWARE = ".1.3.6.1.2.1.25.6"
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

Walk = Callable[[tuple[str, ...]], tuple[float, int]]
"""Walks with a tool, and gives the seconds it took beyond its start, and the objects it found."""


async def main() -> None:
    """Measure and print."""
    async with served(serve_chassis) as ours:
        with snmpd() as (theirs, _):
            for kind, tool in KINDS:
                show(*await asyncio.to_thread(compare, kind, tool, ours.address, theirs))


def compare(kind: str, tool: tuple[str, ...], ours: Address, theirs: Address) -> list[Figure]:
    """Walk both in turns."""
    spent_ms, peers_ms, objects, others = [], [], 0, 0
    for turn in range(ROUNDS + 1):
        ours_s, objects = walk(tool, ours, EVERYTHING)
        peer_s, others = walk(tool, theirs, INSTALLED_SOFTWARE)
        if turn:
            spent_ms.append(ours_s / objects * 1e6)
            peers_ms.append(peer_s / others * 1e6)
    if objects < LEAST_OBJECTS:
        raise SystemExit(f"the chassis has only {objects} objects")
    if others < LEAST_OBJECTS:
        raise SystemExit(f"snmpd has only {others} objects here")
    named = f"{kind} of a chassis, {objects:,} objects"
    ratio = median(ours_ms / peer_ms for ours_ms, peer_ms in zip(spent_ms, peers_ms, strict=True))
    return [
        Figure(
            figure=named,
            value=median(spent_ms),
            unit="ms for 1,000",
            peer=median(peers_ms),
            peer_name=f"snmpd, {others:,} objects",
            runs=ROUNDS,
        ),
        Figure(figure=named, value=ratio, unit="x snmpd", peer=1.5, peer_name="at most", runs=ROUNDS),
    ]


def walk(tool: tuple[str, ...], agent: Address, root: str) -> tuple[float, int]:
    """Give the seconds that a walk took beyond the tool's start, and how many objects it found."""
    start_s, _ = timed(tool, agent, UPTIME)
    whole_s, objects = timed(tool, agent, root)
    return whole_s - start_s, objects


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
