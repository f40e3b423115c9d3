"""The poller on a network: beside pysnmp's, against net-snmp's agent; datagrams are lost, doubled and forged."""

import asyncio
import contextlib
import os
import random
import re
from itertools import cycle

import msgspec
import pytest

from benchmarks.pysnmp_poller import PysnmpPoller
from distribution_center.network_management.agent_socket import AgentSocket
from distribution_center.network_management.component import Kind
from distribution_center.network_management.objects import SEEN, Sight, Table
from distribution_center.network_management.poll_error import PollError
from distribution_center.network_management.snmp_poller import SnmpPoller
from media_network.address import Address
from media_network.snmp.question import Question, written
from tests.distribution_center.network_management.agents import HOT, USER, Agent, add_sensor
from tests.patience import PATIENCE_S

SYS_UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
QUESTION = Question(names=[written(SYS_UP_TIME)])
SENSORS_ONLY = Sight({}, {"sensors": SEEN[Kind.CHASSIS].tables["sensors"]}, {})


@contextlib.asynccontextmanager
async def chassis(folder, free_port, *, sensors=60, slots=14):
    """The agent of a whole chassis."""
    agent = Agent(Kind.CHASSIS, Address("127.70.9.1", free_port("127.70.9.1")))
    agent.scalars |= {"mscStation": "north", "mscEpoch": 3, "mscSlotCount": slots}
    for slot in range(1, slots + 1):
        agent.put("slots", slot, mscSlotHotSwapState=4, mscSlotRole=3, mscSlotAddress=bytes((10, 0, 0, slot)))
        if slot % 3:
            agent.put("slots", slot, mscSlotPowerObserved=9_000, mscSlotStreams=slot)
    for number in range(1, sensors + 1):
        add_sensor(agent, number * 7, f"sensor {number}", 8, -5000 + 1000 * number)
    folder.mkdir(exist_ok=True)
    async with agent.serving(folder, random.Random(folder.name)):
        agent.alarms.raise_alarm(HOT)
        yield agent


@contextlib.contextmanager
def polling(user=USER, *, timeout_s=5.0, retries=0):
    poller = SnmpPoller(lambda _: user, timeout_s=timeout_s, retries=retries, rng=random.Random(4))
    try:
        yield poller
    finally:
        poller.close()


@contextlib.contextmanager
def asking(user=USER, *, timeout_s=5.0, retries=0):
    asker = AgentSocket(lambda _: user, timeout_s=timeout_s, retries=retries, rng=random.Random(4))
    try:
        yield asker
    finally:
        asker.close()


class Relay(asyncio.DatagramProtocol):
    """Stands between manager and agent. `fate` gets what goes which way, and gives what arrives."""

    def __init__(self, agent, fate):
        self.agent, self.fate = agent, fate
        self.manager = None
        self.forger = None
        self.passed = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, octets, source):
        to_agent = source != self.agent
        if to_agent:
            self.manager = source
        for each in self.fate(to_agent=to_agent, octets=octets):
            self.passed += 1
            self.transport.sendto(each, self.agent if to_agent else self.manager)


@contextlib.asynccontextmanager
async def relayed(agent, fate, free_port):
    address = Address("127.70.9.2", free_port("127.70.9.2"))
    loop = asyncio.get_running_loop()
    transport, relay = await loop.create_datagram_endpoint(lambda: Relay(agent, fate), local_addr=address)
    try:
        yield address, relay
    finally:
        transport.close()


def test_what_it_sees_is_what_pysnmp_sees(tmp_path, free_port):
    async def story():
        async with chassis(tmp_path / "agent", free_port) as agent:
            theirs = PysnmpPoller(USER, timeout_s=5, retries=0)
            with polling() as ours:
                for rarely in (True, False, True):
                    seen = await ours.look(agent.address, SEEN[Kind.CHASSIS], also_rarely=rarely)
                    assert seen == await theirs.look(agent.address, SEEN[Kind.CHASSIS], also_rarely=rarely)
                assert len(seen.tables["sensors"]) == len(seen.tables["names"]) == 60
                assert len(seen.tables["slots"]) == 14
                assert seen.tables["sensors"][7,]["entPhySensorValue"] == -4000
                assert len(seen.tables["alarms"]) == 1
            await theirs.close()

    asyncio.run(story())


def test_a_table_comes_and_goes_and_is_longer_than_an_answer(tmp_path, free_port):
    async def story():
        async with chassis(tmp_path / "agent", free_port, sensors=0) as agent:
            with polling() as poller:
                for sensors in (0, 1, 7, 8, 9, 60, 61, 3, 700, 0, 59):
                    agent.tables["sensors"].clear() if "sensors" in agent.tables else None
                    for number in range(sensors):
                        agent.tables.setdefault("sensors", {})[number + 1,] = {"entPhySensorValue": number}
                    agent.put("sensors", 9999, entPhySensorValue=1)
                    looked = await poller.look(agent.address, SENSORS_ONLY, also_rarely=False)
                    assert len(looked.tables["sensors"]) == sensors + 1

    asyncio.run(story())


def test_rows_that_never_end_end(tmp_path, free_port):
    async def story():
        async with chassis(tmp_path / "agent", free_port) as agent:
            agent.tables["sensors"] = {(number,): {"entPhySensorValue": number} for number in range(1, 15_000)}
            agent.put("sensors", 15_000, entPhySensorValue=0)
            with polling() as poller:
                looked = await poller.look(agent.address, SENSORS_ONLY, also_rarely=False)
                assert 4_000 < len(looked.tables["sensors"]) < 15_000

    asyncio.run(story())


@pytest.mark.parametrize("lost", [(0,), (1,), (2, 3), (0, 2, 4)], ids=str)
def test_what_is_lost_is_asked_again(tmp_path, free_port, lost):
    """Each number is that of a datagram, in the order in which they come to the relay."""

    async def story():
        seen = iter(range(1000))

        def fate(*, to_agent, octets):
            return [] if next(seen) in lost else [octets]

        async with chassis(tmp_path / "agent", free_port) as agent, relayed(agent.address, fate, free_port) as (at, _):
            with asking(timeout_s=0.1, retries=len(lost)) as asker:
                assert (await asker.ask(at, QUESTION))[0][1] == 100

    asyncio.run(story())


def test_what_is_doubled_late_or_rubbish_answers_nothing(tmp_path, free_port):
    async def story():
        rng = random.Random(5)
        kept = []

        def fate(*, to_agent, octets):
            if to_agent:
                return [octets]
            kept.append(octets)
            spoiled = bytearray(octets)
            spoiled[rng.randrange(len(spoiled) - 30, len(spoiled))] ^= 0x10
            return [rng.randbytes(40), b"", octets[:-1], *([spoiled] if len(kept) > 1 else []), octets, octets, kept[0]]

        async with chassis(tmp_path / "agent", free_port) as agent, relayed(agent.address, fate, free_port) as (at, _):
            with asking() as asker:
                for ticks in range(20):
                    agent.scalars["sysUpTime"] = ticks
                    assert (await asker.ask(at, QUESTION))[0][1] == ticks
                assert asker.strays > 20 * 4

    asyncio.run(story())


def test_an_answer_from_elsewhere_is_none(tmp_path, free_port):
    """The right answer, as the agent gave it, from another port."""

    async def story():
        loop = asyncio.get_running_loop()
        forger, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.70.9.2", 0))

        def fate(*, to_agent, octets):
            if to_agent or not forging:
                return [octets]
            forger.sendto(octets, relay.manager)
            return []

        forging = False
        async with chassis(tmp_path / "a", free_port) as agent, relayed(agent.address, fate, free_port) as (at, relay):
            with asking(timeout_s=0.3) as asker:
                await asker.ask(at, QUESTION)
                forging = True
                with pytest.raises(PollError) as caught:
                    await asker.ask(at, QUESTION)
                assert not caught.value.refused
                assert asker.strays == 1
                forging = False
                await asker.ask(at, QUESTION)
        forger.close()

    asyncio.run(story())


def test_two_agents_that_take_turns_at_an_address_are_given_up(tmp_path, free_port):
    """Neither knows the other's engine id, and whoever is asked says so."""

    async def story():
        def fate(*, to_agent, octets):
            if to_agent:
                relay.agent = next(agents)
            return [octets]

        async with chassis(tmp_path / "a", free_port) as one, chassis(tmp_path / "b", free_port) as other:
            agents = cycle([one.address, other.address])
            async with relayed(one.address, fate, free_port) as (at, relay):
                with asking() as asker, pytest.raises(PollError, match="again and again") as caught:
                    await asker.ask(at, QUESTION)
                assert caught.value.refused
                assert relay.passed == 2 * 5

    asyncio.run(story())


def test_an_agent_that_restarts_is_asked_on(tmp_path, free_port):
    async def story():
        agent = Agent(Kind.BLADE, Address("127.70.9.1", free_port("127.70.9.1")))
        boots = []
        with asking() as asker:
            for _ in range(3):
                async with agent.serving(tmp_path, random.Random(1)):
                    assert (await asker.ask(agent.address, QUESTION))[0][1] == 100
                    boots.append(agent.service.engine.security.identity.boots)
            assert asker.strays == 0
        assert boots == [1, 2, 3]

    asyncio.run(story())


def test_many_agents_are_asked_at_a_time_and_a_silent_one_holds_nobody_up(tmp_path, free_port):
    async def story():
        silent = Address("127.70.9.3", free_port("127.70.9.3"))
        async with chassis(tmp_path / "agent", free_port) as agent:
            with asking(timeout_s=20) as asker:
                waiting = [asyncio.create_task(asker.ask(silent, QUESTION)) for _ in range(5)]
                answers = await asyncio.gather(*(asker.ask(agent.address, QUESTION) for _ in range(200)))
                assert [answer[0][1] for answer in answers] == [100] * 200
                assert not any(task.done() for task in waiting)
                for task in waiting:
                    task.cancel()
                assert all(
                    isinstance(e, asyncio.CancelledError)
                    for e in await asyncio.gather(*waiting, return_exceptions=True)
                )
                assert asker.strays == 0

    asyncio.run(story())


@contextlib.asynccontextmanager
async def snmpd(folder, address):
    """net-snmp's agent, with our user, which it keeps over a restart like its engine id and boots."""
    kept, configured = folder / "kept", folder / "configured"
    user = f"createUser {USER.user} {USER.auth_protocol} {USER.auth_password} AES {USER.priv_password}\n"
    if kept.exists():
        user = ""
    kept.mkdir(parents=True, exist_ok=True)
    configured.mkdir(exist_ok=True)
    (configured / "snmpd.conf").write_text(f"agentAddress udp:{address}\nrouser {USER.user} authPriv\n{user}")
    process = await asyncio.create_subprocess_exec(
        *("snmpd", "-f", "-Le"),
        env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(kept), "SNMPCONFPATH": f"{configured}:{kept}"},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while b"NET-SNMP version" not in await process.stderr.readline():
                assert process.returncode is None
        yield
    finally:
        process.terminate()
        await process.communicate()


async def bulk_walked(address, column):
    """What net-snmp's own manager reads: texts by index."""
    process = await asyncio.create_subprocess_exec(
        *("snmpbulkwalk", "-v3", "-u", USER.user, "-l", "authPriv", "-a", USER.auth_protocol, "-A", USER.auth_password),
        *("-x", "AES", "-X", USER.priv_password, "-Onq", str(address), ".".join(map(str, column))),
        env={**os.environ, "MIBS": ""},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    lines = re.findall(r"^\.([\d.]+) (.*)$", output.decode(), re.MULTILINE)
    return {tuple(map(int, name.split(".")))[len(column) :]: value.strip('"') for name, value in lines}


OR_ENTRY = (1, 3, 6, 1, 2, 1, 1, 9, 1)
SNMPD_SIGHT = Sight(
    {"sysUpTime": SYS_UP_TIME, "nothing": (1, 3, 6, 1, 2, 1, 1, 99, 0)},
    {"resources": Table({"sysORID": (*OR_ENTRY, 2), "sysORDescr": (*OR_ENTRY, 3), "sysORUpTime": (*OR_ENTRY, 4)})},
    {"ports": Table({name: (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, n) for name, n in (("ifName", 1), ("ifHCInOctets", 6))})},
)


@pytest.mark.peer("snmpd", "snmpbulkwalk")
def test_net_snmps_agent_before_and_after_its_restart(tmp_path, free_port):
    async def story():
        address = Address("127.70.9.4", free_port("127.70.9.4"))
        with polling() as poller:
            for _ in range(2):
                async with snmpd(tmp_path / "snmpd", address):
                    looked = await poller.look(address, SNMPD_SIGHT, also_rarely=True)
                    assert set(looked.scalars) == {"sysUpTime"}
                    texts = {index: row["sysORDescr"].decode() for index, row in looked.tables["resources"].items()}
                    assert texts == await bulk_walked(address, (*OR_ENTRY, 3))
                    assert len(texts) > 5
                    names = {row["ifName"]: row["ifHCInOctets"] for row in looked.tables["ports"].values()}
                    assert names[b"lo"] > 0
            stranger = msgspec.structs.replace(USER, auth_password="another-password")
            async with snmpd(tmp_path / "snmpd", address):
                for user in (stranger, msgspec.structs.replace(USER, user="nobody")):
                    with polling(user) as other, pytest.raises(PollError) as caught:
                        await other.look(address, SNMPD_SIGHT, also_rarely=True)
                    assert caught.value.refused

    asyncio.run(story())
