"""The SNMP agents of a running chassis: walked, heard, polled and given orders by other people's tools.

One network for all; the tests go on from one another's state, in their order.
"""

import asyncio
import hashlib
import json
import os
import re
import signal
import subprocess
import time
from functools import cached_property
from urllib.parse import urlencode

import pytest
import yaml

from tests.addresses import network_number
from tests.clips import render
from tests.end_to_end.viewing import begin_of_turn, play_push
from tests.laptop import Laptop, topology
from tests.mib_facts import MIBS, SMI
from tests.patience import PATIENCE_S, wait_until
from tests.test_nms import ALERTS, NMS, dashboard, firing, got, running
from tests.traps import TrapReceiver

NETWORK = network_number()
FILM_S = 8
PORT = 1161
IF_NUMBER, LOG = "mib-2.2.1.0", (1, 3, 6, 1, 2, 1, 92)
RECEIVER = f"127.{NETWORK}.0.200"
TRAPS, INFORMS = f"{RECEIVER}:9162", f"{RECEIVER}:9163"
CENTER, MANAGER = f"127.{NETWORK}.0.1", f"127.{NETWORK}.2.254"
SNMP = f"""
snmp:
  community: open
  targets:
    - address: {TRAPS}
    - {{address: {INFORMS}, inform: true}}
"""
FRESH_S = 1.05
"""What an agent shows is not older than a second."""
OURS = re.compile(r"(?:ms[acds]|ent)[A-Z]\w+\.[0-9.]+")
TABLES = {
    CENTER: {"msdName", "msdStationName", "msdRegistrations", "msaRaised"},
    MANAGER: {
        "mscSlotHotSwapState",
        "mscSlotPowerObserved",
        "mscSupplyState",
        "mscSensorCondition",
        "mscLineFrameFaults",
        "entPhysicalName",
    },
    f"127.{NETWORK}.2.1": {"mscSlotRole", "mscFanSpeed", "mscLedBrightness", "mssDirectorEngines", "mssEngineAddress"},
    f"127.{NETWORK}.2.2": {
        "mscSlotPowerObserved",
        "mssChannelFree",
        "mssPullBytes",
        "mssCapacity",
        "entPhySensorValue",
    },
}

pytestmark = pytest.mark.peer("snmpwalk", "snmpbulkwalk", "snmpget", "snmpset", "snmptrapd")


def blade(slot, station=2):
    return f"127.{NETWORK}.{station}.{slot}"


def within_the_network(host):
    """An address without the network's number, which is another in each run."""
    return host.split(".", 2)[2]


class Network(Laptop):
    """A network whose agents are asked by net-snmp's tools."""

    @cached_property
    def credentials(self):
        """The users of the network, which are made once."""
        return self.json("chassis-emulator", "credentials")

    def options(self, user="read_only"):
        known = self.credentials["snmp"][user]
        auth = ("-u", known["user"], "-a", known["auth_protocol"], "-A", known["auth_password"])
        return ["-v3", "-l", "authPriv", *auth, "-x", known["priv_protocol"], "-X", known["priv_password"]]

    def ask(self, tool, host, *arguments, how=None):
        """What a tool wrote, and how it ended."""
        command = [tool, *(how or self.options()), "-M", f"{SMI}:{MIBS}", "-m", "ALL", "-t2", "-OQs"]
        finished = subprocess.run(
            [*command, f"{host}:{PORT}", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
        )
        return finished.stdout + finished.stderr, finished.returncode

    def value(self, host, name, how=None):
        """The value of one instance as text, without its unit; None if there is none."""
        written, _ = self.ask("snmpget", host, name, how=how)
        found = re.search(r"^\S+ = \"?([^\"\n]*?)\"?$", written, re.MULTILINE)
        return None if found is None or found[1].startswith("No Such") else found[1].split(" ")[0]

    def values(self, host, name):
        """Values of a column by their last index."""
        written, _ = self.ask("snmpbulkwalk", host, name)
        return {line.split(" = ")[0].rpartition(".")[2]: line.partition(" = ")[2] for line in written.splitlines()}

    def until(self, host, name, wanted):
        wait_until(lambda: self.value(host, name), lambda found: found == wanted, why=lambda: (name, self.logs()))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    plan = topology(NETWORK, ("home", 2), ("north", 4)) + SNMP
    with Network.running(tmp_path_factory.mktemp("network"), plan) as network:
        # All blades have been asked what they measure, and every machine was read.
        network.until(MANAGER, "mscSensorCondition.4101", "normal")
        network.until(CENTER, "msdStations.0", "2")
        for host in set(TABLES) - {CENTER}:
            wait_until(lambda host=host: network.value(host, IF_NUMBER) != "0")
        yield network


@pytest.fixture(scope="module")
def receiver(network, tmp_path_factory):
    """One who takes traps of every agent, and informs."""
    known = network.credentials["snmp"]["read_only"]
    user = f'reader SHA-256 "{known["auth_password"]}" AES "{known["priv_password"]}"'
    engines = [
        json.loads(path.read_text().splitlines()[0])["engine_id"] for path in network.state.rglob("snmp-engine.json")
    ]
    assert len(set(engines)) == 9, "every agent is an engine of its own"
    users = [f"createUser -e 0x{engine} {user}" for engine in engines]
    with TrapReceiver(tmp_path_factory.mktemp("traps"), (TRAPS, INFORMS), [*users, f"createUser {user}"]) as receiver:
        for host in TABLES:
            receiver.until(lambda host=host: reaches(network, receiver, host))
        yield receiver


def reaches(network, receiver, host):
    """Whether a trap and an inform of an agent arrive: notifications that nobody took are sent once more on demand."""
    network.ask("snmpset", host, "msaTestNumber.0", "=", 7, how=network.options("read_write"))
    return len({told.inform for told in receiver.named("msaTestNotification", host)}) == 2


@pytest.fixture(scope="module")
def program(network, tmp_path_factory):
    """Each of its segments is at one engine only."""
    return network.publish(render(tmp_path_factory.mktemp("film") / "film.mp4", FILM_S), "north", copies=1)


@pytest.fixture(scope="module")
def running_down(network, receiver):
    """A fan that comes to a stand and a blade that gets hot: both take a quarter of a minute, time for other tests."""
    for fault in (("over-temperature", "north/3", "--rise-k", 47), ("fan-failure", "north/2")):
        network.run("chassis-emulator", "fault", *fault)


def told_both_ways(receiver, name, host, holds):
    """The last of an agent's events of this name that it has told in a trap and in an inform, which say the same."""
    events = [told for told in receiver.named(name, host) if holds(told)]
    informs = [told.objects for told in events if told.inform]
    return next((told for told in reversed(events) if not told.inform and told.objects in informs), None)


# Walks


def walked(network, host):
    """The names that each way of walking finds, one after the other."""
    written = []
    for tool in ("snmpwalk", "snmpbulkwalk"):
        for way in (network.options(), ["-v2c", "-c", "open"]):
            said, code = network.ask(tool, host, "-On", ".1.3", how=way)
            assert code == 0, said
            assert not re.search(r"Error|not increasing|Timeout", said), said[-500:]
            found = [line for line in said.splitlines() if line.startswith(".1.3") and "No more" not in line]
            names = [tuple(map(int, line.split(" ")[0].strip(".").split("."))) for line in found]
            assert names == sorted(set(names))
            assert len(names) > 150
            written.append([name for name in names if name[: len(LOG)] != LOG])
    return written


@pytest.mark.parametrize("host", TABLES, ids=within_the_network)
def test_walks_of_everything_end_in_order(network, host):
    # A chassis, and the machine below it, may gain a row between two walks, and lose one: then they are walked again.
    wait_until(lambda: walked(network, host), lambda ways: all(names == ways[0] for names in ways))


@pytest.mark.parametrize("host", TABLES, ids=within_the_network)
def test_our_tables_are_there_by_name(network, host):
    for name in TABLES[host]:
        said, _ = network.ask("snmpbulkwalk", host, name)
        assert said.startswith(f"{name}."), (name, said)


def test_who_has_no_user_is_not_answered(network, receiver):
    told = len(receiver.named("snmpModules.1.1.5.5", MANAGER))
    for how in (["-v2c", "-c", "public"], [*network.options()[:-1], "another-password"]):
        said, code = network.ask("snmpget", MANAGER, "-r0", "mscEpoch.0", how=how)
        assert code != 0, said
    receiver.until(lambda: len(receiver.named("snmpModules.1.1.5.5", MANAGER)) >= told + 2)


# Orders


def test_the_read_only_user_sets_nothing(network):
    for host, instance in ((MANAGER, 2), (blade(2), 2)):
        for how in (network.options(), ["-v2c", "-c", "open"]):
            for setting in (f"mscSlotIdentify.{instance}", f"mscSlotAdminState.{instance}"):
                said, code = network.ask("snmpset", host, setting, "=", 2, how=how)
                assert code != 0
                assert "noAccess" in said or "authorizationError" in said
    assert network.value(MANAGER, "mscSlotAdminState.2") == "active"


@pytest.mark.parametrize("host", [MANAGER, blade(2)], ids=within_the_network)
def test_identify_lights_the_real_light(network, host):
    light = network.state / "stations/north/2/root/sys/class/leds/white:identify/trigger"

    def lit():
        return "none" not in light.read_text()

    writer = network.options("read_write")
    said, code = network.ask("snmpset", host, "mscSlotIdentify.2", "=", 60, how=writer)
    assert code == 0, said
    wait_until(lit)
    assert 50 < int(network.value(host, "mscSlotIdentify.2")) <= 60
    network.ask("snmpset", host, "mscSlotIdentify.2", "=", 0, how=writer)
    wait_until(lambda: not lit())


def test_a_drained_blade_streams_nothing_until_it_is_active_again(network, program, tmp_path):
    writer = network.options("read_write")
    said, code = network.ask("snmpset", MANAGER, "mscSlotAdminState.3", "=", "draining", how=writer)
    assert code == 0, said
    network.until(blade(3), "mscSlotAdminState.3", "draining")
    network.until(MANAGER, "mscSlotAdminState.3", "draining")
    # What only it held has to be at another engine before it is not asked any more.
    network.until(blade(3), "mscSlotStreams.3", "0")
    wait_until(lambda: copied(network, program))
    before = int(network.value(blade(3), "mssPullRequests.0"))
    fetch(network, program, tmp_path / "one.ts")
    time.sleep(FRESH_S)
    assert int(network.value(blade(3), "mssPullRequests.0")) == before
    said, code = network.ask("snmpset", blade(3), "mscSlotAdminState.3", "=", "active", how=writer)
    assert code == 0, said
    network.until(blade(3), "mscSlotAdminState.3", "active")


def copied(network, program):
    """Whether the engines that stay hold all of a program."""
    return sum(int(network.value(blade(1), f"mssEngineSegments.{slot}")) for slot in (2, 4)) >= program["segments"]


def fetch(network, program, output):
    network.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", output)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"]


# Counters


def sums(network, *names):
    written = "".join(network.ask("snmpget", blade(slot), *(f"{name}.0" for name in names))[0] for slot in (2, 3, 4))
    return {name: sum(map(int, re.findall(rf"^{name}\.0 = (\d+)", written, re.MULTILINE))) for name in names}


def streamed(network):
    """The programs that the engines say they stream."""
    return "".join(network.ask("snmpbulkwalk", blade(slot), "mssStreamProgram")[0] for slot in (2, 3, 4))


def test_counters_move_by_what_a_console_receives(network, program, tmp_path, running_down):
    director = blade(1)
    engines = ("mssPullBytes", "mssPullRequests", "mssPushBytes", "mssPushTurns", "mssHandOversIn")
    before, begun = sums(network, *engines), int(network.value(director, "mssDirectorSessionsBegun.0"))
    redirects = int(network.value(director, "mssDirectorRedirects.0"))
    fetch(network, program, tmp_path / "pulled.ts")
    time.sleep(FRESH_S)
    pulled = sums(network, *engines)
    assert pulled["mssPullBytes"] - before["mssPullBytes"] == (tmp_path / "pulled.ts").stat().st_size
    assert pulled["mssPullRequests"] - before["mssPullRequests"] == program["segments"]
    assert pulled["mssPushBytes"] == before["mssPushBytes"]
    assert int(network.value(director, "mssDirectorRedirects.0")) == redirects + program["segments"]

    output = tmp_path / "pushed.ts"
    console = play_push(network, program, output)
    begin_of_turn(f"{director}:8081", 3)
    kinds, programs = (network.values(director, name) for name in ("mssSessionKind", "mssSessionProgram"))
    assert set(kinds.values()) == {"pull", "push"}, "who pulled a moment ago is shown too"
    assert all(program["program"] in shown for shown in programs.values())
    wait_until(lambda: program["program"] in streamed(network))  # engine after engine has a row for it
    stdout, stderr = console.communicate(timeout=60)
    assert console.returncode == 0, stderr
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"], stdout
    time.sleep(FRESH_S)
    pushed = sums(network, *engines)
    assert pushed["mssPushBytes"] - before["mssPushBytes"] == output.stat().st_size
    assert pushed["mssPushTurns"] - before["mssPushTurns"] == program["segments"]
    assert 0 < pushed["mssHandOversIn"] - before["mssHandOversIn"] < program["segments"]
    assert int(network.value(director, "mssDirectorSessionsBegun.0")) == begun + 1
    assert pushed["mssPullBytes"] == pulled["mssPullBytes"]


# Events


def assert_named(told):
    """Each object of a notification has a name, an instance, and a value."""
    for name, value in told.objects.items():
        assert OURS.fullmatch(name), told
        assert value != "", told


def arrives(receiver, name, host, holds=lambda told: True):
    """Wait for an event to be told as a trap and as an inform; gives one of them.

    `holds` has to say which event: an inform of an earlier one may come late.
    """
    found = receiver.until(lambda: told_both_ways(receiver, name, host, holds))
    assert_named(found)
    return found


def shows(name, value):
    """Whether a notification has an object of this name and instance with this value."""
    return lambda told: told.objects.get(name) == value


def test_a_blade_that_is_taken_out_and_put_back(network, receiver, running_down):
    network.run("chassis-emulator", "pull", "north/4")
    states = ["m5DeactivationRequest", "m6DeactivationInProgress", "m1Inactive", "m0NotInstalled"]
    for state in states:
        arrives(receiver, "mscHotSwapChange", MANAGER, shows("mscSlotHotSwapState.4", state))
    assert network.value(MANAGER, "mscSlotHotSwapState.4") == "m0NotInstalled"
    assert network.value(MANAGER, "mscSlotEntity.4") == "0"
    network.run("chassis-emulator", "insert", "north/4")
    back = arrives(receiver, "mscHotSwapChange", MANAGER, shows("mscSlotHotSwapState.4", "m4Active"))
    assert back["mscStation"] == "north"
    assert set(back.objects) >= {"mscSlotHotSwapState.4", "mscSlotHotSwapBefore.4", "mscSlotRole.4"}


def test_heat_a_fan_and_a_supply(network, receiver, running_down):
    network.run("chassis-emulator", "fault", "supply-failure", "north/supply-2")
    dark = arrives(receiver, "mscSupplyChange", MANAGER, lambda told: told["mscSupplyState"] == "failed")
    assert dark["entPhysicalName"] == "Supply 2"
    stands = arrives(receiver, "mscFanChange", blade(2), lambda told: told["mscFanState"] == "failed")
    assert stands["entPhysicalName"] == "Fan"
    for host, name in ((blade(3), "SoC temp"), (MANAGER, "blade 3 SoC temp")):
        hot = arrives(
            receiver,
            "mscSensorChange",
            host,
            lambda told, name=name: told["entPhysicalName"] == name and told["mscSensorCondition"] != "normal",
        )
        assert int(hot["entPhySensorValue"]) >= 700
    alarm = arrives(receiver, "msaAlarmRaised", MANAGER, lambda told: told["msaAlarmKind"] == "sensorThreshold")
    network.run("chassis-emulator", "fault", "clear", "all")
    arrives(receiver, "mscSupplyChange", MANAGER, lambda told: told["mscSupplyState"] == "working")
    arrives(receiver, "mscFanChange", blade(2), lambda told: told["mscFanState"] == "working")
    # A clear has the number of its raise.
    arrives(receiver, "msaAlarmCleared", MANAGER, lambda told: set(told.objects) == set(alarm.objects))


def test_a_blade_that_hangs_holds_up_nobody_who_polls_its_chassis(network, receiver):
    took_s = []

    def walk():
        begun = time.monotonic()
        said, code = network.ask("snmpbulkwalk", MANAGER, "mscSlotTable")
        took_s.append(time.monotonic() - begun)
        assert code == 0, said
        return re.search(r"mscSlotHotSwapState.3 = (\w+)", said)[1]

    assert [walk() for _ in range(5)] == ["m4Active"] * 5
    unhindered_s = max(took_s)
    network.run("chassis-emulator", "fault", "hang", "north/3")
    wait_until(walk, lambda state: state == "m7CommunicationLost")
    assert max(took_s) < 2 * unhindered_s + 1.0
    arrives(receiver, "mscHotSwapChange", MANAGER, shows("mscSlotHotSwapState.3", "m7CommunicationLost"))
    said, code = network.ask("snmpget", blade(3), "-r0", "mscEpoch.0")
    assert code != 0, said
    network.run("chassis-emulator", "fault", "clear", "all")
    network.until(MANAGER, "mscSlotHotSwapState.3", "m4Active")


def test_an_agent_that_was_killed_is_the_same_engine_one_boot_later(network):
    """A manager that still goes by the boots and the time of before is told so, and comes in again."""
    engine, boots = (network.value(blade(4), f"snmpModules.10.2.1.{number}.0") for number in (1, 2))
    seconds = network.value(blade(4), "snmpModules.10.2.1.3.0")
    row = network.blade("north", 4)
    os.kill(row["pid"], signal.SIGKILL)
    wait_until(lambda: network.blade("north", 4)["pid"] != row["pid"])
    network.up()
    known = [*network.options(), "-Z", f"{boots},{seconds}"]
    after, _ = network.ask("snmpget", blade(4), "snmpModules.10.2.1.1.0", "snmpModules.10.2.1.2.0", how=known)
    assert f"= {int(boots) + 1}" in after
    assert network.value(blade(4), "snmpModules.10.2.1.1.0") == engine


def test_a_session_that_nobody_can_go_on_with(network, receiver, program, tmp_path):
    network.until(MANAGER, "mscBladesActive.0", "4")
    director = next(slot for slot in range(1, 5) if network.blade("north", slot)["role"] == "director")
    engines = network.engines("north")
    network.until(blade(director), "mssDirectorEngines.0", "3")
    console = play_push(network, program, tmp_path / "lost.ts")
    begin_of_turn(f"{blade(director)}:8081", 2)
    for row in engines:
        os.kill(row["pid"], signal.SIGKILL)
    console.kill()
    console.communicate()
    lost = arrives(receiver, "mssSessionLost", blade(director))
    assert lost["mssSessionProgram"] == program["program"]
    assert lost["mssSessionConsole"].startswith("127.")
    assert int(network.value(blade(director), "mssDirectorSessionsLost.0")) == 1
    network.up()
    network.until(MANAGER, "mscBladesActive.0", "4")


@pytest.mark.peer("prometheus-snmp-exporter", "prometheus")
def test_prometheus_shows_every_sensor_and_fires_when_the_director_is_pulled(network, receiver, tmp_path, free_port):
    before = network.director("north")
    exported, fired = asyncio.run(pulled_under_prometheus(network, before["slot"], tmp_path, free_port))
    values = dict(re.findall(r'^entPhySensorValue\{.*entPhysicalName="([^"]+)"\} (\S+)$', exported, re.MULTILINE))
    assert {"Inlet temp", *(f"blade {slot} SoC temp" for slot in range(1, 5))} <= set(values)
    assert fired["MediaStationBladeLost"]["mscSlotNumber"] == str(before["slot"])
    change = arrives(
        receiver,
        "mscRoleChange",
        MANAGER,
        lambda told: told["mscSlotRole"] == "director" and int(told["mscEpoch"]) > before["epoch"],
    )
    assert int(change["mscDirectorSlot"]) != before["slot"]


def quiet(expression):
    """A rule's expression without its conditions: what it looks at. It has data also while all is well."""
    return re.sub(r" (?:[<>]=?|[!=]=) [\d.]+(?= |$)| offset \w+", "", expression).replace("> on(", "and on(")


async def assert_drawn(query):
    """Everything in the dashboard and in the rules is there to be looked at."""
    panels = [panel["targets"][0]["expr"] for panel in dashboard()["panels"]]
    rules = [rule["expr"] for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]]
    for expression in (*panels, *map(quiet, rules)):
        # Rates take two scrapes.
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await queried(query, expression))["result"]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert all(float(sample["value"][1]) >= 0 for sample in found["result"]), (expression, found)


async def queried(query, expression):
    answer = json.loads(await got(f"{query}/query?{urlencode({'query': expression})}"))
    assert answer["status"] == "success", answer
    return answer["data"]


async def pulled_under_prometheus(network, slot, folder, free_port):
    """What the exporter shows, and the alerts that fire after a blade was pulled without a word."""
    known = network.credentials["snmp"]["read_only"]
    settings = folder / "snmp.yml"
    text = (NMS / "snmp-0.21.yml").read_text()
    settings.write_text(
        text.replace("AUTH_PASSWORD", known["auth_password"]).replace("PRIV_PASSWORD", known["priv_password"])
    )
    at, api = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    scraping = yaml.safe_load((NMS / "prometheus.yml").read_text())
    of_job = {
        "chassis": [MANAGER],
        "blade": [blade(slot) for slot in range(1, 5)],
        "center": [CENTER],
        "headquarters": [],
    }
    for job in scraping["scrape_configs"]:
        hosts = of_job.pop(job["job_name"].removeprefix("media-station-"))
        job["static_configs"] = [{"targets": [f"{host}:{PORT}" for host in hosts]}]
        job["relabel_configs"][-1]["replacement"] = at
    scraping |= {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(scraping))
    prometheus = (
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={api}",
    )
    exporter = ("prometheus-snmp-exporter", f"--config.file={settings}", f"--web.listen-address={at}")
    query = f"http://{api}/api/v1"
    async with running(f"http://{at}/metrics", *exporter), running(f"http://{api}/-/ready", *prometheus):
        while not json.loads(await got(f"{query}/query?query=mscSlotHotSwapState"))["data"]["result"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        exported = await got(f"http://{at}/snmp?target={MANAGER}:{PORT}&module=media_station_chassis")
        await assert_drawn(query)
        assert "MediaStationBladeLost" not in await firing(query)
        await asyncio.to_thread(network.run, "chassis-emulator", "pull", f"north/{slot}", "--surprise")
        async with asyncio.timeout(PATIENCE_S):
            while "MediaStationBladeLost" not in (fired := await firing(query)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return exported, fired
