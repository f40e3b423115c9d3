"""Notifications, as a real snmptrapd receives them: traps and informs, SNMPv3 and v2c, with what the modules say."""

import asyncio
import contextlib
import os
import re

import pytest
from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.hardware.reading import KnownReading
from blade_agent.main_board.engine.engine_figures import ChannelCounters
from blade_agent.snmp.host import HostObjects
from blade_agent.snmp.notification_types import (
    CHASSIS_NOTIFICATIONS,
    STANDARD_NOTIFICATIONS,
    STATION_NOTIFICATIONS,
)
from distribution_center.headquarters.objects import HEADQUARTERS_NOTIFICATIONS
from distribution_center.snmp.objects import CENTER_NOTIFICATIONS
from media_network.snmp.notifying.notifier import Notifier
from media_network.snmp.notifying.waiting import Delivery
from media_network.snmp.objects.alarms import ALARM_NOTIFICATIONS, TEST_NOTIFICATION
from media_network.snmp.objects.notification import COLD_START, STANDARD, Notification, notification
from media_network.snmp.settings import READ_WRITE, CommunitySettings
from media_network.snmp.targets import AgentSettings, TargetSettings
from media_network.snmp.usm import EngineIdentity
from media_network.status import ChannelState
from tests.blade_agent.snmp.agents import READER, blade_agent, manager_agent, run, until
from tests.blade_agent.snmp.pictures import (
    CHANNELS,
    MAIN_BOARD,
    SESSION,
    WORK,
    blade,
    chassis,
    figures,
    replace_fan,
)
from tests.blade_agent.snmp.test_standard_notifications import interface, machine
from tests.mib_facts import MIBS, SMI, all_objects

KINDS = {"Enumeration": "Integer32", "DisplayString": "OctetString"}
OURS = (
    *(*ALARM_NOTIFICATIONS, *CHASSIS_NOTIFICATIONS, *STATION_NOTIFICATIONS),
    *(*CENTER_NOTIFICATIONS, *HEADQUARTERS_NOTIFICATIONS),
)
ALL_KINDS = (*STANDARD, *STANDARD_NOTIFICATIONS, *OURS)


@pytest.fixture(scope="module")
def facts():
    return {name: known for objects in all_objects().values() for name, known in objects.items()}


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
def test_the_table_of_notifications_says_what_the_modules_say(facts, kind):
    assert ".".join(map(str, kind.oid)) == facts[kind.name]["oid"]
    assert [carried.name for carried in kind.objects] == facts[kind.name]["carries"]
    for carried in kind.objects:
        fact = facts[carried.name]
        assert ".".join(map(str, carried.oid)) == fact["oid"]
        assert KINDS.get(carried.syntax.name, carried.syntax.name) == fact["type"]
        assert carried.scalar == (fact["kind"] == "scalar")
        assert dict(carried.syntax.names or {}) == fact.get("names", {})


def test_every_notification_of_our_modules_is_in_the_table():
    named = {
        name
        for module, objects in all_objects().items()
        if module.startswith("MEDIA-STATION")
        for name, known in objects.items()
        if known["kind"] == "notification"
    }
    assert named == {kind.name for kind in OURS}


class Receiver:
    """What a running snmptrapd has written, a notification a line: its name, and its objects by name."""

    def __init__(self):
        self.received = []
        self.lines = []

    async def read(self, stream):
        async for line in stream:
            text = line.decode().rstrip("\n")
            self.lines.append(text)
            if text.startswith("TOLD|"):
                self.received.append(parse(text.removeprefix("TOLD|")))

    def named(self, name):
        return [objects for told, objects in self.received if told == name]


def parse(text):
    bound = dict(part.split(" = ", 1) for part in text.split("\t") if " = " in part)
    values = {re.sub(r"^.*::", "", name): value.strip('"') for name, value in bound.items()}
    values.pop("mib-2.1.3.0")  # sysUpTime
    told = values.pop("snmpModules.1.1.4.1.0")  # snmpTrapOID
    return re.sub(r"^.*::", "", told), values


@contextlib.asynccontextmanager
async def snmptrapd(folder, port, *users):
    """Run one on loopback that knows these users (`createUser` lines). It is the engine that `folder` says it is."""
    folder.mkdir(exist_ok=True)
    settings = folder / "snmptrapd.conf"
    lines = [*users, "authUser log reader", "authCommunity log heard", "doNotRetainNotificationLogs yes"]
    settings.write_text("".join(f"{line}\n" for line in lines))
    process = await asyncio.create_subprocess_exec(
        *("snmptrapd", "-f", "-Le", "-n", "-C", "-c", str(settings), "-M", f"{SMI}:{MIBS}", "-m", "ALL"),
        *("-ObQ", "-F", "TOLD|%v\n", f"udp:127.0.0.1:{port}"),
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "MIBS": "", "LC_ALL": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    receiver = Receiver()
    reading = asyncio.create_task(receiver.read(process.stdout))
    try:
        await until(lambda: any("NET-SNMP version" in line for line in receiver.lines))
        yield receiver
    finally:
        process.terminate()
        await process.wait()
        await reading


def engine_id(agent):
    return agent.service.engine.security.identity.engine_id


CREDENTIALS = f'reader SHA-256 "{READER.auth_password}" AES "{READER.priv_password}"'


@pytest.mark.peer("snmptrapd")
def test_all_that_happens_to_a_chassis_is_told(folder, tmp_path, free_port):
    """Hot swap, role change, threshold, fan, supply and alarms, as SNMPv3 traps."""
    port = free_port()

    async def story():
        now = [chassis()]
        target = TargetSettings(address=f"127.0.0.1:{port}", user="reader")
        async with manager_agent(folder, lambda: now[0], targets=(target,)) as manager:
            user = f"createUser -e 0x{engine_id(manager.agent).hex()} {CREDENTIALS}"
            async with snmptrapd(tmp_path, port, user) as receiver:
                await listening(manager.agent, receiver)
                happen(now, manager.changed)
                await until(
                    lambda: (
                        len(receiver.named("msaAlarmCleared")) >= 4
                        and len(receiver.named("entStateOperEnabled")) >= 3
                        and len(receiver.named("mscSupplyChange")) >= 2
                    )
                )
                return receiver

    receiver = asyncio.run(story())
    check_hot_swap(receiver)
    check_entities(receiver)
    check_parts(receiver)
    check_alarms(receiver)


async def listening(agent, receiver):
    """Tell a number until it arrives, for a trap may find nobody; then another, behind which nothing is left."""

    def numbers():
        return {told["msaTestNumber.0"] for told in receiver.named("msaTestNotification")}

    def tell(number):
        agent.tell(notification(TEST_NOTIFICATION, (0,), {"msaTestNumber": number}))

    while not numbers():
        tell(1)
        await asyncio.sleep(0.1)
    tell(2)
    await until(lambda: "2" in numbers())
    receiver.received.clear()


def happen(now, changed):
    """A blade is pulled without a word and put back; it gets hot; its fan and a supply fail; and all is well again."""
    whole = chassis()
    lost = blade(2, hot_swap=HotSwapState.M7_COMMUNICATION_LOST, role=None, epoch=None, main_board=None, hardware=None)
    board = blade(2).hardware
    hot = replace(board, sensors=(replace(board.sensors[0], reading=KnownReading(88.04)), *board.sensors[1:]))
    still = replace(board, fans=(replace_fan("Fan", speed=0.0),))
    supplies = (whole.hardware.supplies[0], replace(whole.hardware.supplies[1], works=False))
    dark = replace(whole.hardware, supplies=supplies)
    for picture in (
        chassis(blade(1), lost, blade(3)),
        whole,
        chassis(blade(1), blade(2, hardware=hot), blade(3)),
        whole,
        chassis(blade(1), blade(2, hardware=still), blade(3)),
        whole,
        replace(whole, hardware=dark, budget_w=100.0),
        whole,
    ):
        now[0] = picture
        changed()


def check_hot_swap(receiver):
    gone, back = receiver.named("mscHotSwapChange")
    assert gone == {
        "mscStation.0": "north",
        "mscSlotHotSwapState.2": "m7CommunicationLost",
        "mscSlotHotSwapBefore.2": "m4Active",
        "mscSlotRole.2": "unassigned",
    }
    assert (back["mscSlotHotSwapState.2"], back["mscSlotHotSwapBefore.2"]) == ("m4Active", "m7CommunicationLost")


def check_entities(receiver):
    """The blade that was lost, the fan and the supply; and that there were fewer entities meanwhile."""
    disabled, enabled = receiver.named("entStateOperDisabled"), receiver.named("entStateOperEnabled")
    assert [sorted(objects) for objects in disabled] == [
        [f"entStateAdmin.{number}", f"entStateAlarm.{number}"] for number in (2001, 2031, 183)
    ]
    assert enabled == [
        {f"entStateAdmin.{number}": "unlocked", f"entStateAlarm.{number}": "00 "} for number in (2001, 2031, 183)
    ]
    assert disabled[0] == {"entStateAdmin.2001": "unlocked", "entStateAlarm.2001": "10 "}, "of the bits, major(3)"
    assert receiver.named("entConfigChange") == [{}], "more than one in five seconds is too many"


def check_parts(receiver):
    hot, cool = receiver.named("mscSensorChange")
    assert hot == {
        "mscStation.0": "north",
        "entPhysicalName.2101": "blade 2 SoC temp",
        "entPhySensorType.2101": "celsius",
        "entPhySensorScale.2101": "units",
        "entPhySensorPrecision.2101": "1",
        "entPhySensorValue.2101": "880",
        "mscSensorCondition.2101": "critical",
    }
    assert cool["mscSensorCondition.2101"] == "normal"
    stands, turns = receiver.named("mscFanChange")
    assert stands == {"mscStation.0": "north", "entPhysicalName.2031": "blade 2 Fan", "mscFanState.2031": "failed"}
    assert turns["mscFanState.2031"] == "working"
    fails, gives = receiver.named("mscSupplyChange")
    assert fails == {
        "mscStation.0": "north",
        "entPhysicalName.183": "Supply 2",
        "mscSupplyState.183": "failed",
        "mscPowerBudget.0": "100000 milliwatts",
    }
    assert gives["mscSupplyState.183"] == "working"


def check_alarms(receiver):
    """Each that was raised is cleared under its number."""
    raised, cleared = receiver.named("msaAlarmRaised"), receiver.named("msaAlarmCleared")
    assert cleared == raised
    kinds = [next(value for name, value in objects.items() if name.startswith("msaAlarmKind.")) for objects in raised]
    assert kinds == ["bladeLost", "sensorThreshold", "fanFailed", "supplyFailed"]
    objects = {name.partition(".")[0]: value for name, value in raised[1].items()}
    assert objects.pop("msaAlarmRaisedDate")
    assert objects == {
        "msaAlarmKind": "sensorThreshold",
        "msaAlarmSeverity": "major",
        "msaAlarmSlot": "2",
        "msaAlarmEntity": "2101",
        "msaAlarmResource": "blade 2 SoC temp",
        "msaAlarmText": "blade 2 SoC temp is at 88.04 °C: critical.",
    }


@pytest.mark.peer("snmptrapd")
def test_a_blade_informs_until_it_has_a_receipt(folder, tmp_path, free_port):
    """An inform that is sent before anybody listens is sent again. SNMPv3: the receiver's engine is asked for first."""
    port = free_port()

    async def story():
        now = [figures()]
        target = TargetSettings(address=f"127.0.0.1:{port}", user="reader", inform=True, timeout_s=0.5, retries=10)
        async with blade_agent(folder, lambda: now[0], targets=(target,), log_entries=1) as agent:
            failed = replace(CHANNELS[0], state=ChannelState.FAILED, counted=ChannelCounters(failures=3))
            lost = replace(SESSION, session="s-2", segment=12)
            now[0] = figures(
                replace(MAIN_BOARD, channels=(failed, CHANNELS[1])),
                replace(WORK, director=replace(WORK.director, lost=(lost,))),
            )
            async with snmptrapd(tmp_path, port, f"createUser {CREDENTIALS}") as receiver:
                await until(lambda: receiver.named("mssChannelFailed") and receiver.named("mssSessionLost"))
                await until(lambda: agent.deliveries()[target.address].sent >= 4)
                return receiver, agent.deliveries()[target.address]

    receiver, delivery = asyncio.run(story())
    assert receiver.named("mssChannelFailed") == [
        {"mssChannelName.1": "disk-a", "mssChannelWorking.1": "false", "mssChannelFailures.1": "3 errors"}
    ]
    assert receiver.named("mssSessionLost") == [
        {
            "mssSessionProgram.2": "film",
            "mssSessionConsole.2": "127.0.0.9:5000",
            "mssSessionEngineSlot.2": "2",
            "mssSessionSegment.2": "12",
        }
    ]
    assert delivery.failed == delivery.dropped == 0


@pytest.mark.peer("snmptrapd")
def test_links_are_told_of_by_name(folder, tmp_path, free_port):
    port = free_port()

    async def story():
        target = TargetSettings(address=f"127.0.0.1:{port}", community="heard", inform=True, timeout_s=0.5, retries=10)
        async with blade_agent(folder, targets=(target,)) as agent, snmptrapd(tmp_path, port) as receiver:
            host = HostObjects(agent.uptime, agent.tell)
            for up in (True, False, True):
                host.update(machine(interface(up=up)))
            await until(lambda: sum(bool(objects) for _, objects in receiver.received) >= 2)
            return [told for told in receiver.received if told[1]]

    down = {"ifIndex.2": "2", "ifAdminStatus.2": "up", "ifOperStatus.2": "down"}
    # Their own names are in SNMPv2-MIB, which is not in tests/smi: linkDown and linkUp.
    told = asyncio.run(story())
    assert sorted(told) == [("snmpModules.1.1.5.3", down), ("snmpModules.1.1.5.4", down | {"ifOperStatus.2": "up"})]


@pytest.mark.peer("snmptrapd")
@pytest.mark.parametrize("same_engine", [False, True], ids=["another engine", "the same engine, its boots lost"])
def test_a_receiver_that_was_installed_anew_is_told(folder, tmp_path, free_port, same_engine):
    """What it is now is found out when it takes an inform no more: nothing is lost, and the agent goes on running."""
    port = free_port()
    user = f"createUser {CREDENTIALS}"
    identity = ("exactEngineID 0x80001f8803aabbccddee",) if same_engine else ()

    async def story():
        target = TargetSettings(address=f"127.0.0.1:{port}", user="reader", inform=True, timeout_s=0.5, retries=10)
        async with blade_agent(folder, targets=(target,)) as agent:
            received = []
            for number in (1, 2, 3):
                installed = tmp_path / f"receiver-{number}"
                boots = (f"engineBoots {900 // number}",)
                async with snmptrapd(installed, port, user, *identity, *boots) as receiver:
                    for told in (10 * number, 10 * number + 1):
                        agent.tell(notification(TEST_NOTIFICATION, (0,), {"msaTestNumber": told}))
                    await until(lambda receiver=receiver: len(receiver.named("msaTestNotification")) >= 2)
                    await until(lambda number=number: agent.deliveries()[target.address].sent >= 2 * number + 1)
                    received.append({told["msaTestNumber.0"] for told in receiver.named("msaTestNotification")})
            return received, agent.deliveries()[target.address]

    received, delivery = asyncio.run(story())
    assert received == [{"10", "11"}, {"20", "21"}, {"30", "31"}]
    assert delivery.failed == delivery.dropped == 0


@pytest.mark.peer("snmptrapd", "snmpset", "snmpget")
def test_wrong_communities_and_the_trap_test_are_told_in_v2c(folder, tmp_path, free_port):
    port = free_port()

    async def story():
        target = TargetSettings(address=f"127.0.0.1:{port}", community="heard", inform=True, timeout_s=0.5, retries=10)
        communities = (CommunitySettings(community="written", group=READ_WRITE),)
        async with (
            blade_agent(folder, targets=(target,), communities=communities) as agent,
            snmptrapd(tmp_path, port) as receiver,
        ):
            at = str(agent.service.address)
            test_number = "1.3.6.1.4.1.8072.9999.9999.1.4.1.1.3.1.0"
            await run("snmpget", "-v2c", "-c", "wrong", "-r0", "-t0.1", at, test_number)
            said = await run("snmpset", "-v2c", "-c", "written", "-Oq", at, test_number, "u", 42)
            await until(lambda: receiver.named("msaTestNotification"))
            await until(lambda: len(receiver.received) >= 3)
            return said, receiver

    said, receiver = asyncio.run(story())
    assert said.split()[-1] == "42"
    assert receiver.named("msaTestNotification") == [{"msaTestNumber.0": "42"}]
    others = {name for name, _ in receiver.received} - {"msaTestNotification"}
    assert others == {"snmpModules.1.1.5.1", "snmpModules.1.1.5.5"}, "coldStart and authenticationFailure"


def test_a_receiver_that_takes_nothing_costs_a_queue_of_so_many():
    async def story():
        settings = AgentSettings(users=(READER,), targets=(TargetSettings(address="127.0.0.1:9", user="reader"),))
        notifier = Notifier(settings, EngineIdentity(bytes(12), 1), lambda: 0, lambda: 0)
        for _ in range(600):
            notifier.tell(Notification(kind=COLD_START))
        return notifier.deliveries()["127.0.0.1:9"]

    assert asyncio.run(story()) == Delivery(dropped=88)


def test_a_target_names_one_way_in():
    with pytest.raises(ValueError, match="either"):
        TargetSettings(address="127.0.0.1:162")
    with pytest.raises(ValueError, match="there is no user 'nobody'"):
        AgentSettings(users=(READER,), targets=(TargetSettings(address="127.0.0.1:162", user="nobody"),))
    assert "secret" not in repr(TargetSettings(address="127.0.0.1:162", community="secret"))
