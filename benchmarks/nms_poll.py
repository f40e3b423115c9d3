"""What polling costs the network management system: a chassis of 14 slots and 60 sensors, beside pysnmp with the same.

Then the whole system at work, with its history and its page: 100 chassis polled every 6 s, which are as many polls as
1,000 make in a minute, and 1,000 polled every minute. The agents are real engines in a process of their own.
"""

import asyncio
import contextlib
import multiprocessing
import random
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import aiohttp

from benchmarks.figure import Figure, cpu_s, show
from benchmarks.pysnmp_poller import PysnmpPoller
from benchmarks.served import Control, Served, served
from distribution_center.network_management.component import Kind
from distribution_center.network_management.objects import SEEN
from distribution_center.network_management.run import run_nms
from distribution_center.network_management.settings import NmsSettings
from distribution_center.network_management.snmp_poller import SnmpPoller
from media_network.address import Address
from media_network.snmp.engine import Limits
from media_network.snmp.index import Index, ObjectType, Rows, scalar
from media_network.snmp.service import SnmpService, open_engine
from media_network.snmp.settings import SnmpSettings, UserSettings
from media_network.snmp.usm import EngineIdentity
from media_network.snmp.value import DISPLAY_STRING, GAUGE32, INTEGER32, OCTET_STRING, Syntax
from media_network.status import read_status

SLOTS, SENSORS = 14, 60
POLLS, POLLS_OF_PYSNMP = 400, 40
FEW, MANY = 100, 1_000
FEW_EVERY_S, MANY_EVERY_S = 6.0, 60.0
MEASURED_S = 20.0
CHASSIS = SEEN[Kind.CHASSIS]
USER = UserSettings(user="benchmark", auth_password="authentication-1", priv_password="encryption-1")
NET = "127.71"
_HTTP_WAIT_S = 0.05


async def main() -> None:
    """Measure and print."""
    async with served(partial(serve_chassis, MANY)) as agents:
        port = agents.address.port
        ours = await of_a_poll(our_look, address_of(0, port), POLLS)
        theirs = await of_a_poll(their_look, address_of(0, port), POLLS_OF_PYSNMP)
        show(Figure(figure="NMS poll of a chassis", value=ours, unit="CPU ms", peer=theirs, peer_name="pysnmp"))
        for chassis, every_s in ((FEW, FEW_EVERY_S), (MANY, MANY_EVERY_S)):
            await at_work(chassis, every_s, agents)


async def at_work(chassis: int, every_s: float, agents: Served) -> None:
    """Measure the whole system."""
    async with served(partial(serve_nms, chassis, every_s, agents.address.port)) as nms:
        await until_polled(nms.address, chassis)
        await nms.cost_s()
        await agents.cost_s()
        before = await polls(nms.address)
        await asyncio.sleep(MEASURED_S)
        cost_s, polled = await nms.cost_s(), await polls(nms.address) - before
        [process] = [each for each in multiprocessing.active_children() if each.pid and owns(each.pid, nms.address)]
        named = f"NMS, {chassis:,} chassis every {every_s:.0f} s"
        show(
            Figure(figure=named, value=cost_s / MEASURED_S * 100, unit="% core"),
            Figure(figure=named, value=cost_s / polled * 1e3, unit="CPU ms a poll"),
            Figure(figure=named, value=memory_mib(process.pid or 0), unit="MiB"),
            Figure(figure=f"{named}: the agents", value=await agents.cost_s() / polled * 1e3, unit="CPU ms a poll"),
        )


Look = Callable[[Address, int], Awaitable[None]]


async def of_a_poll(look: Look, agent: Address, times: int) -> float:
    """CPU of a poll, in milliseconds: the manager's, which is this process."""
    await look(agent, 2)
    before_s = cpu_s()
    await look(agent, times)
    return (cpu_s() - before_s) / times * 1e3


async def our_look(agent: Address, times: int) -> None:
    """Poll with our poller."""
    poller = SnmpPoller(lambda _: USER, timeout_s=5, retries=0, rng=random.Random(1))
    for _ in range(times):
        looked = await poller.look(agent, CHASSIS, also_rarely=False)
        if (len(looked.tables["slots"]), len(looked.tables["sensors"])) != (SLOTS, SENSORS):
            raise SystemExit("not all was seen")
    poller.close()


async def their_look(agent: Address, times: int) -> None:
    """Poll with pysnmp."""
    poller = PysnmpPoller(USER, timeout_s=5, retries=0)
    for _ in range(times):
        await poller.look(agent, CHASSIS, also_rarely=False)
    await poller.close()


async def until_polled(page: Address, chassis: int) -> None:
    """Return when every chassis has been polled once."""
    while await polls(page) < chassis:  # noqa: ASYNC110 -- it is another process
        await asyncio.sleep(_HTTP_WAIT_S)


async def polls(page: Address) -> int:
    """How many polls there have been."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{page}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    readings = dict(line.rsplit(" ", 1) for line in lines if line.startswith("media_station_nms"))
    if readings["media_station_nms_polls_missed_total"] != "0":
        raise SystemExit(f"{readings['media_station_nms_polls_missed_total']} polls were missed")
    return int(readings["media_station_nms_polls_total"])


def owns(pid: int, address: Address) -> bool:
    """Whether a process listens at an address: its own sockets are named by their inodes."""
    with contextlib.suppress(OSError):
        inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{address.port:04X}") and f"socket:[{fields[9]}]" in inodes:
                return True
    return False


def memory_mib(pid: int) -> float:
    """Proportional share of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def serve_nms(chassis: int, every_s: float, port: int, control: Control) -> None:
    """A network management system of so many chassis."""
    with tempfile.TemporaryDirectory() as state:
        settings = NmsSettings(
            centers=(str(address_of(0, 1)),),
            state=state,
            user=USER,
            http_port=0,
            notifications_port=0,
            snmp_port=port,
            chassis={f"station-{number}": str(address_of(number, port)) for number in range(chassis)},
            poll_s=every_s,
        )
        duty = asyncio.create_task(run_nms(settings, random.Random(1)))
        while (status := read_status(Path(state))) is None:  # noqa: ASYNC110 -- a file
            await asyncio.sleep(_HTTP_WAIT_S)
        await control.report(Address.parse(status.page))
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty


async def serve_chassis(chassis: int, control: Control) -> None:
    """The agents of so many chassis, all at one port of their addresses."""
    index = Index()
    index.add(Chassis())
    loop, rng = asyncio.get_running_loop(), random.Random(1)
    settings = SnmpSettings(users=(USER,))
    port, services = 0, []
    for number in range(chassis):
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.bind(address_of(number, port))
        port = sock.getsockname()[1]
        identity = EngineIdentity(bytes.fromhex("80001f8805") + number.to_bytes(12, "big"), 1)
        engine = open_engine(settings, index, identity, limits=Limits(), started=loop.time(), rng=rng)
        services.append(SnmpService(engine, sock))
    await control.report(address_of(0, port))
    for service in services:
        service.close()


def address_of(number: int, port: int) -> Address:
    """Of the agent of a chassis."""
    return Address(f"{NET}.{number // 250}.{number % 250 + 1}", port)


class Chassis:
    """What a chassis manager's agent says. No slot says where its blade is, so that only chassis are polled."""

    def objects(self) -> Iterator[ObjectType]:
        """All that a poll asks for."""
        for name, oid in CHASSIS.scalars.items():
            yield scalar(oid[:-1], _syntax(name), partial(_scalar, name))
        rows = {"slots": SLOTS, "sensors": SENSORS, "names": SENSORS, "alarms": 0}
        for table, known in (CHASSIS.tables | CHASSIS.rarely).items():
            numbered = Rows(((number,), number) for number in range(1, rows[table] + 1))
            for name, oid in known.columns.items():
                if name != "mscSlotAddress":
                    yield ObjectType(oid, _syntax(name), numbered, partial(_cell, name))


_TEXTS = frozenset({"mscStation", "entPhysicalName", "msaAlarmResource", "msaAlarmText"})
_FIXED = {"entPhySensorType": 8, "entPhySensorScale": 9, "entPhySensorPrecision": 1, "entPhySensorOperStatus": 1}


def _syntax(name: str) -> Syntax:
    if name in _TEXTS:
        return DISPLAY_STRING
    if name == "snmpEngineID":
        return OCTET_STRING
    return INTEGER32 if name.startswith("ent") else GAUGE32


def _scalar(name: str) -> int | str | bytes:
    if name == "snmpEngineID":
        return b"\x80\0\0\0\0"
    return "north" if name in _TEXTS else 1000


def _cell(name: str, number: int) -> int | str:
    if name in _TEXTS:
        return f"sensor {number}"
    return _FIXED.get(name, 4 if name == "mscSlotHotSwapState" else 400 + number)


if __name__ == "__main__":
    asyncio.run(main())
