"""Every object of our modules has a value in a running network; what is ordered by IPMI is seen by SNMP."""

import asyncio
import contextlib
import random
import re

import pytest
from aiohttp import web

from blade_agent.backplane.messages.role import DRAIN, Drain
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.obtaining import FETCH, Fetch
from media_network.messages.verb import Done
from media_network.segment_table import SegmentTable
from media_network.snmp.objects.arcs import MEDIA_STATION
from tests.addresses import network_number
from tests.clips import render
from tests.end_to_end.ipmi_tool import bridged, ipmitool
from tests.end_to_end.test_snmp import Network
from tests.end_to_end.viewing import begin_of_turn, play_push
from tests.laptop import topology
from tests.mib_facts import HEADQUARTERS, MODULES, our_objects, readable
from tests.patience import wait_until
from tests.programs import segment_of
from tests.traps import TrapReceiver

NETWORK = network_number()
RECEIVER = f"127.{NETWORK}.0.200:9162"
STALLING = f"127.{NETWORK}.0.201"
CENTER, MANAGER = f"127.{NETWORK}.0.1", f"127.{NETWORK}.2.254"
DIRECTOR, *ENGINES = (f"127.{NETWORK}.2.{slot}" for slot in (1, 2, 3))
FILM_S = 8
SNMP = f"snmp:\n  targets:\n    - {{address: '{RECEIVER}', community: heard}}\n"
WITHOUT_INSTANCES = {}
"""Objects that nobody had a value of, with the reason why: there are none."""

pytestmark = pytest.mark.peer("snmpbulkwalk", "snmpget", "snmptrapd", "ipmitool")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    plan = topology(NETWORK, ("home", 2), ("north", 3)) + SNMP
    with Network.running(tmp_path_factory.mktemp("network"), plan) as network:
        network.until(MANAGER, "mscSensorCondition.3101", "normal")
        yield network


@pytest.fixture(scope="module")
def program(network, tmp_path_factory):
    return network.publish(render(tmp_path_factory.mktemp("film") / "film.mp4", FILM_S), "north", copies=1)


class Seen:
    """The objects of which there was an instance somewhere, by their numbers."""

    def __init__(self, network):
        self._network = network
        self._names = {facts["oid"]: name for known in our_objects().values() for name, facts in known.items()}
        self.names = set()

    def look(self, *hosts):
        """Walk all of ours at these agents; gives what has been seen so far."""
        for host in hosts:
            said, code = self._network.ask("snmpbulkwalk", host, "-On", ".".join(map(str, MEDIA_STATION)))
            assert code == 0, said
            instances = re.findall(r"^\.([0-9.]+) = ", said, re.MULTILINE)
            self.names |= {name for instance in instances if (name := self._object(instance))}
        return self.names

    def _object(self, instance):
        while instance and instance not in self._names:
            instance = instance.rpartition(".")[0]
        return self._names.get(instance)


@contextlib.asynccontextmanager
async def stalling(table):
    """An engine that gives a segment table, and never a byte of a segment."""

    async def part(_):
        return web.Response(body=table.octets)

    async def segment(_):
        await asyncio.Event().wait()

    application = web.Application()
    application.add_routes([web.get("/parts/{sha256}", part), web.get("/{segment:.*}", segment)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, STALLING, 8080).start()
    try:
        yield
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def copying(network):
    """An engine copies a segment, as long as the context lasts, from one that never gives a byte of it."""
    [host, *_] = ENGINES
    data = bytes(188)
    segment = segment_of(data)
    table = SegmentTable.of([segment])
    epoch = int(await asyncio.to_thread(network.value, MANAGER, "mscEpoch.0"))
    order = Fetch(
        epoch=epoch,
        program="never-0a1b",
        segment=segment,
        table=table.sha256,
        table_bytes=len(table.octets),
        parts=f"{STALLING}:8080",
        source=f"{STALLING}:8080",
        ticket="t",
    )
    director = (await asyncio.to_thread(network.director, "north"))["address"]
    async with HttpClient(random.Random(1), director) as http, stalling(table):
        assert await http.ask(Address(host, 8081), FETCH, order) == Done()
        yield host


def test_every_object_of_our_modules_has_a_value_somewhere(network, program, tmp_path):
    """While a program is pulled and pushed, a segment is copied, and a supply has failed."""
    network.run("chassis-emulator", "fault", "supply-failure", "north/supply-2")
    network.until(MANAGER, "msaActive.0", "1")
    played = tmp_path / "pulled.ts"
    network.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", played)
    console = play_push(network, program, tmp_path / "pushed.ts")
    begin_of_turn(f"{DIRECTOR}:8081", 1)
    seen = Seen(network)
    wait_until(lambda: "mssStreamRate" in seen.look(*ENGINES))
    wait_until(lambda: sorted(network.values(DIRECTOR, "mssSessionKind").values()) == ["pull", "push"])
    seen.look(DIRECTOR)
    [pulled] = (number for number, kind in network.values(DIRECTOR, "mssSessionKind").items() if kind == "pull")
    assert network.value(DIRECTOR, f"mssSessionTurns.{pulled}") == str(program["segments"])
    assert network.value(DIRECTOR, f"mssSessionSegment.{pulled}") == str(program["segments"] - 1)

    async def copy():
        async with copying(network) as host:
            await asyncio.to_thread(network.until, host, "mssCopiesActive.0", "1")
            await asyncio.to_thread(seen.look, host)

    asyncio.run(copy())
    assert console.wait(60) == 0
    seen.look(CENTER, MANAGER)
    network.run("chassis-emulator", "fault", "clear", "all")
    # There is no headquarters here: tests/distribution_center/headquarters/test_snmp.py has its objects.
    accessible = {name for module in MODULES if module != HEADQUARTERS for name in readable(module)}
    assert accessible - seen.names == set(WITHOUT_INSTANCES)
    assert seen.names <= accessible


def test_what_the_store_holds_is_what_was_distributed(network, program):
    held = [int(network.value(host, "mssStoreBytes.0")) for host in ENGINES]
    [whole] = network.values(CENTER, "msdProgramBytes").values()
    assert sum(held) == int(whole.split(" ")[0])
    assert all(network.value(host, "mssStorePrograms.0") == "1" for host in ENGINES)
    segments = sum(int(network.value(host, "mssStoreSegments.0")) for host in ENGINES)
    assert segments == program["segments"]


def test_what_is_ordered_by_ipmi_is_seen_at_the_manager(network):
    way = bridged(network, 3)
    assert ipmitool(way, "chassis identify 60").returncode == 0
    wait_until(lambda: 50 < int(network.value(MANAGER, "mscSlotIdentify.3")) <= 60)
    assert ipmitool(way, "chassis identify 0").returncode == 0
    network.until(MANAGER, "mscSlotIdentify.3", "0")
    for draining, shown in ((1, "draining"), (0, "active")):
        octets = (DRAIN.code.net_fn, DRAIN.code.number, *DRAIN.request_data(Drain(bool(draining))))
        raw = " ".join(f"{octet:#04x}" for octet in octets)
        assert ipmitool(way, f"raw {raw}").returncode == 0
        network.until(MANAGER, "mscSlotAdminState.3", shown)
        network.until(ENGINES[1], "mscSlotAdminState.3", shown)


def test_a_line_counts_its_requests(network):
    before = requests(network)
    assert set(before) == {"1", "2", "3"}
    wait_until(lambda: all(count > before[slot] for slot, count in requests(network).items()))


def requests(network):
    return {slot: int(shown.split(" ")[0]) for slot, shown in network.values(MANAGER, "mscLineRequests").items()}


def test_the_standards_notifications_of_a_blade_that_hangs(network, tmp_path):
    with TrapReceiver(tmp_path / "traps", [RECEIVER], []) as receiver:
        network.run("chassis-emulator", "fault", "hang", "north/3")
        disabled = receiver.until(lambda: receiver.named("entStateOperDisabled", MANAGER))[0]
        assert set(disabled.objects) == {"entStateAdmin.3001", "entStateAlarm.3001"}
        assert disabled["entStateAdmin"] == "unlocked"
        changed = receiver.until(lambda: receiver.named("entConfigChange", MANAGER))[0]
        assert changed.objects == {}
        assert network.value(MANAGER, "mscLineUnanswered.3") != "0"
        assert int(network.value(MANAGER, "mscLineRepeats.3")) >= 4
        network.run("chassis-emulator", "fault", "clear", "all")
        receiver.until(lambda: receiver.named("entStateOperEnabled", MANAGER))
