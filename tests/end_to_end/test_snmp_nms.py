"""The files of `mibs/nms` at a running chassis: in a real Zabbix, snmpd and snmptrapd, and as LibreNMS reads them."""

import json
import re
import subprocess
from functools import partial

import pytest
import yaml

from tests.addresses import network_number
from tests.end_to_end.test_snmp import Network
from tests.laptop import topology
from tests.librenms import LibreNms
from tests.mib_facts import MIBS, SMI
from tests.patience import wait_until
from tests.zabbix import Zabbix

NETWORK = network_number()
PORT = 1161
CENTER, MANAGER, BLADE = f"127.{NETWORK}.0.1", f"127.{NETWORK}.1.254", f"127.{NETWORK}.1.2"
TRAPS, INFORMS = (f"127.{NETWORK}.0.200:{port}" for port in (9162, 9163))
OURS = f"127.{NETWORK}.0.201"
SLOTS = (1, 2, 3)
NMS = MIBS / "nms"
SNMP = f"snmp: {{targets: [{{address: '{TRAPS}'}}, {{address: '{INFORMS}', inform: true}}]}}\n"


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    plan = topology(NETWORK, ("north", len(SLOTS)), home="north") + SNMP
    with Network.running(tmp_path_factory.mktemp("network"), plan) as network:
        for slot in SLOTS:  # Every blade has been asked what it measures.
            network.until(MANAGER, f"mscSensorCondition.{slot}101", "normal")
        network.until(CENTER, "msdStations.0", "1")
        yield network


@pytest.fixture(scope="module")
def reader(network):
    return network.credentials["snmp"]["read_only"]


# LibreNMS


def definitions():
    return (yaml.safe_load((NMS / f"librenms-{kind}.yaml").read_text()) for kind in ("detection", "discovery"))


@pytest.mark.peer("snmpget", "snmpbulkwalk")
def test_librenms_finds_every_sensor_of_a_chassis(network):
    detection, discovery = definitions()
    librenms = LibreNms(f"{MANAGER}:{PORT}", network.options())
    assert librenms.knows(detection)
    facts = librenms.facts(discovery)
    assert facts["features"] == "chassis manager"
    assert facts.keys() == {"features", "version", "hardware", "serial"}

    found = list(librenms.sensors(discovery))
    assert len({(sensor.kind, sensor.index) for sensor in found}) == len(found), "none takes another's place"
    assert all(sensor.descr and "{{" not in sensor.descr + sensor.number for sensor in found)
    states = {sensor.descr: sensor for sensor in found if sensor.kind == "state"}
    kinds = {"SoC temp": "temperature", "Inlet temp": "temperature", "12 V supply": "voltage"}
    kinds |= {"Board current": "current", "Board power": "power", "Fan speed": "fanspeed"}
    sensors = {"Inlet temp": "temperature"} | {f"blade {slot} {name}": kinds[name] for slot in SLOTS for name in kinds}
    assert set(states) == {
        *(f"Slot {slot} {what}" for slot in SLOTS for what in ("hot swap", "main board", "role")),
        *(f"{name} limits" for name in sensors),
        *(f"blade {slot} Fan" for slot in SLOTS),
        "Supply 1",
        "Supply 2",
    }
    assert {sensor.generic for sensor in states.values()} == {0}
    watts = {sensor.descr: sensor for sensor in found if sensor.kind == "power"}
    drawn = {"Drawn", "Supply 1", "Supply 2", *(f"Slot {slot}" for slot in SLOTS)}
    assert watts.keys() == {"Granted to blades", "Budget", *drawn}
    for name in ("Granted to blades", "Drawn", "Supply 1"):
        assert 1 < watts[name].value < watts[name].limit <= 1000, watts[name]
    assert {s.descr: s.value for s in found if s.kind == "count"} == {"Blades in service": len(SLOTS), "Alarms": 0}

    steady = [sensor for sensor in found if sensor.descr not in drawn]
    assert librenms.poll(steady) == [sensor.value for sensor in steady]
    by_itself = librenms.entity_sensors()
    assert {name: kind for name, (kind, _) in by_itself.items()} == sensors
    plausible = {
        "temperature": (15, 60),
        "voltage": (11, 13),
        "current": (0, 5),
        "power": (0, 60),
        "fanspeed": (300, 9000),
    }
    for name, (kind, value) in by_itself.items():
        low, high = plausible[kind]
        assert low < value < high, name


@pytest.mark.peer("snmpget", "snmpbulkwalk")
def test_librenms_finds_every_sensor_of_a_blade_and_a_center(network):
    detection, discovery = definitions()
    librenms = LibreNms(f"{BLADE}:{PORT}", network.options())
    assert librenms.knows(detection)
    assert librenms.facts(discovery)["serial"].startswith("EM-")
    found = list(librenms.sensors(discovery))
    by_itself = librenms.entity_sensors()
    names = {sensor.descr for sensor in found if sensor.kind == "state"}
    assert names >= {"Slot 2 hot swap", "Fan", *(f"{name} limits" for name in by_itself)}
    assert any(name.startswith("I/O channel ") for name in names)
    assert {sensor.generic for sensor in found if sensor.kind == "state"} == {0}
    assert {kind for kind, _ in by_itself.values()} >= {"temperature", "voltage", "power", "fanspeed"}
    assert all(value > 0 for _, value in by_itself.values()), by_itself
    assert {sensor.descr for sensor in found if sensor.kind == "count"} >= {"Streams", "Copies under way"}

    librenms = LibreNms(f"{CENTER}:{PORT}", network.options())
    assert librenms.knows(detection)
    found = {sensor.descr: sensor.value for sensor in librenms.sensors(discovery)}
    assert found == {"Alarms": 0, "Programs": 0, "Stations": 1, "Silent stations": 0}


# Zabbix


def often(text):
    """The templates as they are, but that everything is asked for every second."""
    export = yaml.safe_load(text)
    for template in export["zabbix_export"]["templates"]:
        for rule in template["discovery_rules"]:
            for each in (rule, *rule["item_prototypes"]):
                each["delay"] = "1s"
        for item in template["items"]:
            item["delay"] = "1s"
    return yaml.safe_dump(export)


@pytest.fixture(scope="module")
def zabbix(tmp_path_factory, reader):
    with Zabbix(tmp_path_factory.mktemp("zabbix"), OURS, 8090, 10051) as zabbix:
        text = (NMS / "zabbix.yaml").read_text()
        ids = zabbix.import_templates(text)
        assert zabbix.import_templates(often(text)) == ids, "imported again, they are the same"
        hosts = {"chassis": MANAGER, "blade": BLADE, "center": CENTER}
        zabbix.hosts = {
            kind: zabbix.add_host(
                kind, f"{address}:{PORT}", reader, {"templateid": ids[f"Media station {kind} by SNMP"]}
            )
            for kind, address in hosts.items()
        }
        zabbix.start()
        yield zabbix


def items(zabbix, kind):
    """Items of a host by name, once all rules have been followed and everything has been asked for."""

    def asked():
        rules = zabbix.call("discoveryrule.get", hostids=zabbix.hosts[kind], output=["name", "error", "state"])
        assert [rule for rule in rules if rule["error"]] == []
        found = zabbix.call("item.get", hostids=zabbix.hosts[kind], output="extend")
        discovered = any(item["flags"] == "4" for item in found)
        return found if discovered and all(item["lastclock"] != "0" or item["error"] for item in found) else []

    found = zabbix.until(asked)
    assert {item["name"]: item["error"] for item in found if item["error"]} == {}
    return {item["name"]: item for item in found}


@pytest.mark.peer("zabbix_server", "php")
def test_zabbix_takes_the_templates_and_polls_everything_in_them(zabbix):
    found = items(zabbix, "chassis")
    for slot in SLOTS:
        assert found[f"Slot {slot}: hot swap state"]["lastvalue"] == "4"
        reading = found[f"blade {slot} SoC temp"]
        assert 15 < float(reading["lastvalue"]) < 60
        assert reading["units"] == "°C"
        assert found[f"blade {slot} SoC temp: condition"]["lastvalue"] == "1"
    assert found["Supply 2: state"]["lastvalue"] == "1"
    assert 1 < float(found["Power drawn"]["lastvalue"]) < float(found["Power budget"]["lastvalue"])
    assert found["Blades in service"]["lastvalue"] == str(len(SLOTS))

    of_blade = items(zabbix, "blade")
    assert {"Fan: state", "Fan: speed", "SoC temp", "Board power", "12 V supply", "Streams"} <= of_blade.keys()
    assert of_blade["Board power"]["units"] == "W"
    assert 10 < float(of_blade["12 V supply"]["lastvalue"]) < 14
    assert sum(name.startswith("I/O channel ") for name in of_blade) % 4 == 0
    assert any(name.startswith("I/O channel ") for name in of_blade)

    of_center = items(zabbix, "center")
    assert of_center["Station north: media engines"]["lastvalue"] == str(len(SLOTS) - 1)


@pytest.mark.peer("zabbix_server", "php")
def test_zabbix_raises_the_trigger_of_a_blade_that_is_pulled(network, zabbix):
    def problems():
        raised = zabbix.call("trigger.get", hostids=zabbix.hosts["chassis"], output="extend", filter={"value": 1})
        assert [trigger["error"] for trigger in raised if trigger["error"]] == []
        return {trigger["description"] for trigger in raised}

    pulled = "Slot 3: the blade was pulled without a word, or hangs"
    items(zabbix, "chassis")
    assert problems() == set()
    network.run("chassis-emulator", "pull", "north/3", "--surprise")
    zabbix.until(problems, lambda raised: pulled in raised)
    network.run("chassis-emulator", "insert", "north/3")
    zabbix.until(problems, lambda raised: not raised)


# net-snmp


def filled(text, reader, **changes):
    """A file as a person makes it his own: passwords, addresses and engine ids are put in."""
    known = {"AUTH_PASSWORD": reader["auth_password"], "PRIV_PASSWORD": reader["priv_password"], **changes}
    for placeholder, value in known.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return text


class Daemon:
    """snmpd or snmptrapd with a file of ours, while the context lasts."""

    def __init__(self, folder, program, settings, *arguments):
        path = folder / f"{program}.conf"
        path.write_text(settings)
        self._log = folder / "log"
        command = [program, "-f", "-Lo", "-C", "-c", path, "-M", f"{SMI}:{MIBS}", "-m", "ALL", *arguments]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env={"SNMP_PERSISTENT_DIR": str(folder), "MIBS": "", "PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        self.until("NET-SNMP version")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def said(self):
        return self._log.read_text(errors="replace")

    def until(self, expression, act=lambda: None):
        """Wait until it has said something, acting again and again; gives what it said."""

        def look():
            act()
            return self.said()

        return wait_until(look, partial(re.search, expression), process=self._process)


@pytest.mark.peer("snmpd", "snmpbulkwalk")
def test_snmpd_with_the_example_passes_our_modules_on_and_shows_its_own(network, reader, tmp_path):
    text = filled(
        (NMS / "snmpd.conf").read_text(),
        reader,
        **{"udp:127.0.0.1:1161": f"udp:{OURS}:{PORT}", "10.1.0.2:161": f"{MANAGER}:{PORT}"},
    )
    with Daemon(tmp_path, "snmpd", text, "-p", tmp_path / "pid") as snmpd:
        for table in ("mscSlotRole", "mscSupplyState", "mscSensorCondition"):
            # Of a blade that was put back before, the manager may say something else a moment later.
            through, _ = wait_until(
                lambda table=table: [network.ask("snmpbulkwalk", host, table) for host in (OURS, MANAGER)],
                lambda answers: answers[0] == answers[1],
                why=snmpd.said,
            )
            assert through[1] == 0, snmpd.said()
            assert through[0].startswith(f"{table}.")
        assert "Linux" in network.value(OURS, "mib-2.1.1.0"), "sysDescr is snmpd's own"
        _, code = network.ask("snmpget", OURS, "-r0", "mscEpoch.0", how=["-v2c", "-c", "public"])
        assert code != 0, "snmpd answers nobody else"
        assert not re.search(r"(?i)error|warning|unknown", snmpd.said()), snmpd.said()


@pytest.mark.peer("snmptrapd", "snmpset")
def test_snmptrapd_with_the_example_names_what_it_is_told(network, reader, tmp_path):
    [of_manager] = network.state.glob("stations/north/manager/**/snmp-engine.json")
    engine = json.loads(of_manager.read_text().splitlines()[0])["engine_id"]
    writer = network.options("read_write")
    text = filled((NMS / "snmptrapd.conf").read_text(), reader, **{"80001f8805000000000000000000000000": engine})
    with Daemon(tmp_path, "snmptrapd", text, f"udp:{TRAPS}", f"udp:{INFORMS}") as receiver:
        for way in (TRAPS, INFORMS):
            host, port = way.split(":")
            receiver.until(
                rf"\[{MANAGER}\]:\d+->\[{host}\]:{port}.*\n.*MEDIA-STATION-ALARM-MIB::msaTestNotification\s.*"
                r"MEDIA-STATION-ALARM-MIB::msaTestNumber\.0 = Gauge32: 42\b",
                lambda: network.ask("snmpset", MANAGER, "msaTestNumber.0", "=", 42, how=writer),
            )
