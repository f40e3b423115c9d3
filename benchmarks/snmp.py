"""CPU of an SNMP agent for a request: ours beside net-snmp's snmpd and pysnmp's, live values and access control on.

A manager asks as managers do: one request, and the next when the answer has come. What is asked goes round all objects.
snmpd answers about its own, which it has in memory: system, interfaces, ICMP, and SNMP itself. It and ours are asked in
turns, many short ones, each first in every other turn; the quotient that is shown is the median of the quotients of the
turns. All of it runs on one processor, see `stay_on_one_processor`.
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
from statistics import median
from time import monotonic, sleep
from typing import TypeVar

from benchmarks.figure import Figure, show
from benchmarks.pysnmp_agent import serve_pysnmp
from benchmarks.served import Control, served
from benchmarks.snmp_manager import SnmpManager, questions
from benchmarks.snmp_specimen import COMMUNITY, SETTINGS, TABLE, USER, Specimen
from media_network.address import Address
from media_network.snmp.ber import Oid
from media_network.snmp.budget import Allowance
from media_network.snmp.engine import Limits
from media_network.snmp.index import Index
from media_network.snmp.pdu import PduType
from media_network.snmp.service import serve_snmp

ROUNDS = 12
REQUESTS = 800
"""Of a kind in a round; short, so that both agents are measured in the same weather."""
REQUESTS_OF_PYSNMP = 120
REPETITIONS = 25
LEAST_OBJECTS = 283
COUNTING_S = 0.05
SNMPD_ROOTS: tuple[Oid, ...] = tuple((1, 3, 6, 1, 2, 1, group) for group in (1, 2, 5, 11, 31))
KINDS = {"GET": 1.0, f"GETBULK-{REPETITIONS}": 0.5, "GET, authenticated and encrypted": 1.0}
"""What is asked, and how much of snmpd's CPU it may take."""
T = TypeVar("T")
UNLIMITED = Allowance(burst=1e15, rate=1e15)


class Asked:
    """An agent, and what it is asked, by kind."""

    def __init__(self, manager: SnmpManager, cost_s: Callable[[], Awaitable[float]], kinds: list[list[bytes]]) -> None:
        self._manager = manager
        self._cost_s = cost_s
        self._messages = dict(zip(KINDS, kinds, strict=True))

    async def cost_us(self, kind: str, requests: int) -> float:
        """CPU for a request."""
        await self._cost_s()
        await asyncio.to_thread(self._manager.ask_all, self._messages[kind], requests)
        return await self._cost_s() / requests * 1e6


async def main() -> None:
    """Measure three agents and print."""
    stay_on_one_processor()
    async with served(serve_ours) as served_ours, served(serve_pysnmp) as theirs:
        with snmpd() as (address, cost_s):
            ours = await prepare(served_ours.address, [TABLE], served_ours.cost_s)
            peer = await prepare(address, SNMPD_ROOTS, cost_s)
            for kind, bound in KINDS.items():
                show(*await compare(kind, bound, ours, peer))
        slow = await prepare(theirs.address, [(*TABLE, 1)], theirs.cost_s, least=0)
        for kind in KINDS:
            value, cost_us = await ours.cost_us(kind, REQUESTS), await slow.cost_us(kind, REQUESTS_OF_PYSNMP)
            show(Figure(figure=f"SNMP {kind}", value=value, unit="CPU us", peer=cost_us, peer_name="pysnmp"))


async def compare(kind: str, bound: float, ours: Asked, peer: Asked) -> list[Figure]:
    """Ask two agents in turns; the first turn is not counted."""
    values, peers = [], []
    for turn in range(ROUNDS + 1):
        cost_us = {asked: await asked.cost_us(kind, REQUESTS) for asked in in_turn(ours, peer, turn)}
        if turn:
            values.append(cost_us[ours])
            peers.append(cost_us[peer])
    ratios = [value / other for value, other in zip(values, peers, strict=True)]
    named = f"SNMP {kind}"
    return [
        Figure(figure=named, value=median(values), unit="CPU us", peer=median(peers), peer_name="snmpd", runs=ROUNDS),
        Figure(figure=named, value=median(ratios), unit="x snmpd", peer=bound, peer_name="at most", runs=ROUNDS),
    ]


def stay_on_one_processor() -> None:
    """Keep this process, and all that it starts from now on, on one processor, the last that it may use.

    Manager and agent wait for one another, so that they lose nothing by it. On two, each answer wakes up a processor
    that has gone idle, which on a virtual machine takes several times what the answer does; and whether they are on
    two or on one changes while they run, as the scheduler likes.
    """
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def in_turn(ours: T, peer: T, turn: int) -> tuple[T, T]:
    """Give whom to measure first in a turn, and whom then."""
    return (ours, peer) if turn % 2 else (peer, ours)


async def prepare(
    agent: Address, roots: Sequence[Oid], cost_s: Callable[[], Awaitable[float]], least: int = LEAST_OBJECTS
) -> Asked:
    """Find out what an agent can be asked, and write it down; encrypted requests are good for two minutes."""
    manager = SnmpManager(agent, COMMUNITY, USER)
    names = await asyncio.to_thread(manager.walk, roots)
    if len(names) < least:
        raise SystemExit(f"{agent} has only {len(names)} objects")
    # Runs of a GETBULK stay within what was walked.
    starts = names[: len(names) // 2]
    random.Random(1).shuffle(names)
    gets = questions(PduType.GET, names)
    bulks = questions(PduType.GET_BULK, starts, REPETITIONS)
    secure = await asyncio.to_thread(manager.secure, gets)
    return Asked(manager, cost_s, [[manager.plain(pdu) for pdu in gets], [manager.plain(pdu) for pdu in bulks], secure])


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
