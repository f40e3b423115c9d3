"""CPU of an SNMP agent for a request: ours beside net-snmp's snmpd and pysnmp's, live values and access control on.

A manager asks as managers do: one request, and the next when the answer has come. What is asked goes round all objects.
snmpd answers about its own, which it has in memory: system, interfaces, ICMP, and SNMP itself.
"""

import asyncio
import os
import random
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from benchmarks.figure import Figure, show
from benchmarks.pysnmp_agent import serve_pysnmp
from benchmarks.served import Control, served
from benchmarks.snmp_manager import SnmpManager, question
from benchmarks.snmp_specimen import COMMUNITY, SETTINGS, TABLE, USER, Specimen
from media_network.address import Address
from media_network.snmp.ber import Oid
from media_network.snmp.budget import Allowance
from media_network.snmp.engine import Limits
from media_network.snmp.index import Index
from media_network.snmp.pdu import PduType
from media_network.snmp.service import serve_snmp

REQUESTS = 6_000
REQUESTS_OF_PYSNMP = 120
REPETITIONS = 25
LEAST_OBJECTS = 283
COUNTING_S = 0.05
SNMPD_ROOTS: tuple[Oid, ...] = tuple((1, 3, 6, 1, 2, 1, group) for group in (1, 2, 5, 11, 31))
KINDS = ("GET", f"GETBULK-{REPETITIONS}", "GET, authenticated and encrypted")
UNLIMITED = Allowance(burst=1e15, rate=1e15)

Costs = dict[str, float]
"""Microseconds a request, by kind."""


async def main() -> None:
    """Measure three agents and print."""
    async with served(serve_ours) as ours:
        values = await measure(ours.address, [TABLE], ours.cost_s, REQUESTS)
    with snmpd() as (address, cost_s):
        peers = await measure(address, SNMPD_ROOTS, cost_s, REQUESTS)
    async with served(serve_pysnmp) as theirs:
        slow = await measure(theirs.address, [(*TABLE, 1)], theirs.cost_s, REQUESTS_OF_PYSNMP)
    for kind in KINDS:
        show(
            Figure(figure=f"SNMP {kind}", value=values[kind], unit="CPU us", peer=peers[kind], peer_name="snmpd"),
            Figure(figure=f"SNMP {kind}", value=values[kind], unit="CPU us", peer=slow[kind], peer_name="pysnmp"),
        )


async def measure(agent: Address, roots: Sequence[Oid], cost_s: Callable[[], Awaitable[float]], requests: int) -> Costs:
    """What each kind of request costs an agent."""
    manager = SnmpManager(agent, COMMUNITY, USER)
    names = await asyncio.to_thread(manager.walk, roots)
    if requests == REQUESTS and len(names) < LEAST_OBJECTS:
        raise SystemExit(f"{agent} has only {len(names)} objects")
    # Runs of a GETBULK stay within what was walked.
    starts = names[: len(names) // 2]
    random.Random(1).shuffle(names)
    gets = [question(PduType.GET, name) for name in names]
    bulks = [question(PduType.GET_BULK, name, repetitions=REPETITIONS) for name in starts]
    messages = (
        [manager.plain(pdu) for pdu in gets],
        [manager.plain(pdu) for pdu in bulks],
        await asyncio.to_thread(manager.secure, gets),
    )
    costs = {}
    for kind, listed in zip(KINDS, messages, strict=True):
        await asyncio.to_thread(manager.ask_all, listed, requests // 10)
        await cost_s()
        await asyncio.to_thread(manager.ask_all, listed, requests)
        costs[kind] = await cost_s() / requests * 1e6
    return costs


async def serve_ours(control: Control) -> None:
    """Our agent."""
    index = Index()
    specimen = Specimen()
    index.add(specimen)
    limits = Limits(answered=UNLIMITED, reports=UNLIMITED)
    with tempfile.TemporaryDirectory() as state:
        async with serve_snmp(SETTINGS, index, Path(state), rng=random.Random(1), limits=limits) as service:
            counting = asyncio.create_task(keep_counting(specimen))
            await control.report(service.address)
            counting.cancel()


async def keep_counting(specimen: Specimen) -> None:
    """Be live."""
    while True:
        specimen.go_on()
        await asyncio.sleep(COUNTING_S)


@contextmanager
def snmpd() -> Iterator[tuple[Address, Callable[[], Awaitable[float]]]]:
    """net-snmp's agent, with a user and a community that see the same of it, and a way to ask what CPU it took."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", sock.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "snmpd.conf"
        configuration.write_text(
            f"agentAddress udp:{address}\n"
            "view most included .1.3.6.1\n"
            "view most excluded .1.3.6.1.6.3.15\n"
            "view most excluded .1.3.6.1.6.3.16\n"
            f"rocommunity {COMMUNITY} default -V most\n"
            f"createUser {USER.user} {USER.auth_protocol} {USER.auth_password} AES {USER.priv_password}\n"
            f"rouser {USER.user} authPriv -V most\n"
        )
        process = subprocess.Popen(
            ["snmpd", "-f", "-C", "-c", configuration, "-Le"],
            env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": folder},
            stderr=subprocess.DEVNULL,
        )
        spent_s = [0.0]

        async def cost_s() -> float:
            spent_s.append(await asyncio.to_thread(cpu_of, process.pid))
            return spent_s[-1] - spent_s[-2]

        try:
            wait_for(address)
            yield address, cost_s
        finally:
            process.terminate()
            process.wait()


def cpu_of(pid: int) -> float:
    """The kernel's own count for the first thread of a process, which is all that snmpd has; in seconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def wait_for(agent: Address) -> None:
    """Return when an agent answers."""
    give_up = monotonic() + 10
    while monotonic() < give_up:
        try:
            SnmpManager(agent, COMMUNITY, USER).walk([(1, 3, 6, 1, 2, 1, 1, 3)])
        except ConnectionRefusedError:
            sleep(0.05)
        else:
            return
    raise SystemExit("snmpd does not answer")


if __name__ == "__main__":
    asyncio.run(main())
