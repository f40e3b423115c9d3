"""The network management system against SNMP agents on a network of loopback addresses, and a registry."""

import asyncio
import contextlib
import csv
import io
import random
from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest

from distribution_center.network_management.component import Kind
from distribution_center.network_management.history import History
from distribution_center.network_management.objects import SEEN
from distribution_center.network_management.poll_error import PollError
from distribution_center.network_management.run import run_nms
from distribution_center.network_management.snmp_poller import SnmpPoller
from media_network.address import Address
from media_network.snmp.targets import TargetSettings
from media_network.status import read_status
from tests.distribution_center.network_management.agents import FAN, HOT, USER, Scene, live_a_second
from tests.distribution_center.network_management.told import Told
from tests.patience import PATIENCE_S

HEADERS_OF_ALL = ("Content-Security-Policy", "X-Content-Type-Options")


class Nms:
    """A running one, as a browser and Prometheus see it."""

    def __init__(self, folder, url, session):
        self.folder, self.url, self.session = folder, url, session

    @property
    def token(self):
        return (self.folder / "token").read_text().strip()

    async def picture(self):
        async with self.session.get(f"{self.url}/network.json") as response:
            picture = await response.json()
        return {each["component"]: each for each in picture["components"]}, picture["alarms"]

    async def past_alarms(self):
        async with self.session.get(f"{self.url}/past-alarms?span=3600") as response:
            return await response.json()

    async def until(self, condition):
        """Follow the live events until the picture is as told; gives it."""
        told = Told()
        async with asyncio.timeout(PATIENCE_S), self.session.get(f"{self.url}/events") as response:
            event = ""
            async for line in response.content:
                name, _, data = line.decode().partition(": ")
                event = data.strip() if name == "event" else event
                if name != "data" or event == "quiet":
                    continue
                change = msgspec.json.decode(data)
                told.take(event, change)
                if condition(told.components, told.alarm_list()):
                    return told.components, told.alarm_list()
        raise AssertionError("the events ended")

    async def acknowledge(self, *numbers, token=None, **headers):
        body = msgspec.json.encode({"alarms": numbers, "person": "Ada", "comment": "on it"})
        headers = {"Authorization": f"Bearer {self.token if token is None else token}", **headers}
        async with self.session.post(f"{self.url}/acknowledge", data=body, headers=headers) as response:
            return response.status


@contextlib.asynccontextmanager
async def managing(scene, folder, **changes):
    duty = asyncio.create_task(run_nms(scene.settings(folder, **changes), random.Random(1)))
    (folder / "status.json").unlink(missing_ok=True)
    try:
        while (status := read_status(folder)) is None:
            if duty.done():
                duty.result()
            await asyncio.sleep(0.02)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, read_bufsize=1 << 22) as session:
            yield Nms(folder, f"http://{status.page}", session)
    finally:
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty


@pytest.fixture
def told(tmp_path, free_port):
    """Tell a story of a network with one station of three blades."""

    def tell(story):
        async def run():
            scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
            async with scene:
                await scene.station("north", 1, 3, slots=4)
                await story(scene)

        asyncio.run(run())

    return tell


def colours(components):
    return {name: each["colour"] for name, each in components.items()}


def all_green(components, _):
    return len(components) == 6 and set(colours(components).values()) == {"green"}


def test_everything_is_found_and_shown_with_what_it_does(told, tmp_path):
    async def story(scene):
        async with managing(scene, tmp_path / "nms") as nms:
            components, alarms = await nms.until(all_green)
            assert alarms == []
            assert set(components) == {
                f"@127.65.0.1:{scene.control_port}",
                "north",
                "north/chassis",
                "north/1",
                "north/2",
                "north/3",
            }
            assert {each["parent"] for each in components.values() if each["kind"] == "blade"} == {"north"}
            assert components["north"]["station"]["director"] == "127.65.1.1:8081"
            slots = components["north/chassis"]["slots"]
            assert [(each["slot"], each["role"], each["hot_swap"]) for each in slots] == [
                (1, "director", "M4"),
                (2, "engine", "M4"),
                (3, "engine", "M4"),
                (4, "", "M0"),
            ]
            assert components["north/2"]["last"]["temperature_c"] == 48.25
            assert components["north/2"]["last"]["streams"] == 3
            blade = scene.agents["north/2"]
            blade.scalars["mssPushBytes"] += 10_000_000
            blade.scalars["sysUpTime"] += 100
            components, _ = await nms.until(lambda seen, _: seen["north/2"]["last"].get("sent_bps", 0) > 1e6)
            assert 1e6 < components["north/2"]["last"]["sent_bps"] < 200e6

    told(story)


def test_a_component_that_stops_answering_turns_grey_then_red_and_comes_back(told, tmp_path):
    async def story(scene):
        async with managing(scene, tmp_path / "nms") as nms:
            await nms.until(all_green)
            await scene.stop("north/2")
            components, alarms = await nms.until(lambda seen, _: colours(seen)["north/2"] != "green")
            assert (colours(components)["north/2"], alarms) == ("grey", [])
            components, alarms = await nms.until(lambda seen, alarms: colours(seen)["north/2"] == "red" and alarms)
            assert components["north"]["worst"] == "red"
            assert components["north/3"]["colour"] == "green"
            [alarm] = alarms
            assert (alarm["component"], alarm["kind"], alarm["severity"]) == ("north/2", "no answer", "critical")
            await scene.start("north/2", Kind.BLADE, "127.65.1.2")
            components, alarms = await nms.until(lambda seen, _: colours(seen)["north/2"] == "green")
            assert alarms == []
            [alarm] = await nms.past_alarms()
            assert (alarm["component"], alarm["state"], alarm["acknowledged_by"]) == ("north/2", "cleared", "")

    told(story)


def test_alarms_of_agents_are_acknowledged_and_are_there_after_a_restart(told, tmp_path):
    async def story(scene):
        async with managing(scene, tmp_path / "nms") as nms:
            await nms.until(all_green)
            scene.agents["north/3"].alarms.raise_alarm(HOT)
            scene.agents["north/1"].alarms.raise_alarm(FAN)
            _, alarms = await nms.until(lambda _, alarms: len(alarms) == 2)
            [hot], [fan] = (
                [alarm for alarm in alarms if alarm["component"] == name] for name in ("north/3", "north/1")
            )
            assert (hot["kind"], fan["kind"], hot["text"]) == ("sensor threshold", "fan failed", HOT.text)
            await nms.until(lambda seen, _: colours(seen)["north/3"] == "orange")
            numbers = [hot["number"], fan["number"]]
            assert await nms.acknowledge(*numbers, token="guessed") == 401
            assert await nms.acknowledge(*numbers, token="") == 401
            assert await nms.acknowledge(999) == 404
            assert await nms.acknowledge() == 400
            assert await nms.acknowledge(*numbers) == 200
            assert await nms.acknowledge(*numbers, 999) == 200
        async with managing(scene, tmp_path / "nms") as nms:
            _, alarms = await nms.picture()
            seen = {(alarm["state"], alarm["acknowledged_by"], alarm["comment"]) for alarm in alarms}
            assert seen == {("acknowledged", "Ada", "on it")}
            assert len(alarms) == 2
            scene.agents["north/3"].alarms.clear_alarm(HOT)
            _, alarms = await nms.until(lambda _, alarms: len(alarms) == 1)
            assert alarms[0]["kind"] == "fan failed"
            [alarm] = await nms.past_alarms()
            assert (alarm["kind"], alarm["state"], alarm["comment"]) == ("sensor threshold", "cleared", "on it")

    told(story)


def test_alarms_and_graphs_are_saved_as_files(told, tmp_path):
    async def got(nms, path):
        async with nms.session.get(nms.url + path) as response:
            assert response.status == 200
            assert "attachment" in response.headers["Content-Disposition"]
            return await response.text()

    async def story(scene):
        evil = type(HOT)(kind=HOT.kind, severity=HOT.severity, resource="CPU", text='=cmd|"x",\n-1')
        async with managing(scene, tmp_path / "nms") as nms:
            await nms.until(all_green)
            scene.agents["north/3"].alarms.raise_alarm(FAN)
            await nms.until(lambda _, alarms: alarms)
            scene.agents["north/3"].alarms.clear_alarm(FAN)
            scene.agents["north/2"].alarms.raise_alarm(evil)
            await nms.until(lambda _, alarms: [alarm["component"] for alarm in alarms] == ["north/2"])
            rows = list(csv.DictReader(io.StringIO(await got(nms, "/alarms.csv?span=3600"), newline="")))
            assert [(row["component"], row["state"]) for row in rows] == [("north/2", "active"), ("north/3", "cleared")]
            assert rows[0]["text"].startswith("'=")
            assert datetime.fromisoformat(rows[0]["raised_at"]).tzinfo is UTC
            assert len(msgspec.json.decode(await got(nms, "/alarms.json?span=3600"))) == 2
            [only] = csv.DictReader(io.StringIO(await got(nms, "/alarms.csv?component=north/3")))
            assert only["kind"] == "fan failed"
            points = list(csv.DictReader(io.StringIO(await got(nms, "/graphs.csv?component=north/2&span=600"))))
            assert {float(point["mean"]) for point in points if point["metric"] == "temperature_c"} == {48.25}
            for query in ("since=5&until=9", "since=9&until=5", "span=1", "span=99999999999", "span=-3", "until=x"):
                async with nms.session.get(f"{nms.url}/alarms.csv?{query}") as response:
                    assert (response.status, "since 1970" in await response.text()) == (400, True)
            async with nms.session.get(f"{nms.url}/past-alarms?since=1000&until=2000") as response:
                assert await response.json() == []

    told(story)


async def inform(host, port):
    """As net-snmp does it, from a host."""
    command = [
        *("snmpinform", "-v3", "-u", USER.user, "-l", "authPriv", "-a", USER.auth_protocol, "-A", USER.auth_password),
        *("-x", USER.priv_protocol, "-X", USER.priv_password, "-r", "0", f"--clientaddr={host}"),
        *(f"127.0.0.1:{port}", "", ".1.3.6.1.6.3.1.1.5.1"),
    ]
    process = await asyncio.create_subprocess_exec(*command)
    return await process.wait()


@pytest.mark.parametrize(
    "informed", [False, pytest.param(True, marks=pytest.mark.peer("snmpinform"))], ids=["trap", "inform"]
)
def test_a_notification_brings_a_poll_at_once(tmp_path, free_port, informed):
    """Polls are an hour apart here: what is seen soon was told."""

    async def run():
        port = free_port()
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        if not informed:
            scene.targets = (TargetSettings(address=f"127.0.0.1:{port}", user=USER.user),)
        changes = {"poll_s": 3600.0, "notifications_port": port}
        async with scene:
            await scene.station("north", 1, 2)
            async with managing(scene, tmp_path / "nms", **changes) as nms:
                await nms.until(lambda seen, _: len(seen) == 5 and set(colours(seen).values()) == {"green"})
                blade = scene.agents["north/2"]
                for change, condition in (
                    (blade.alarms.raise_alarm, lambda alarms: alarms),
                    (blade.alarms.clear_alarm, lambda alarms: not alarms),
                ):
                    change(HOT)
                    assert not informed or await inform("127.65.1.2", port) == 0
                    await nms.until(lambda _, alarms, condition=condition: condition(alarms))
                [alarm] = await nms.past_alarms()
                assert (alarm["component"], alarm["kind"]) == ("north/2", "sensor threshold")

    asyncio.run(run())


def test_a_blade_that_is_pulled_leaves_the_map_and_its_alarms(told, tmp_path):
    async def story(scene):
        async with managing(scene, tmp_path / "nms") as nms:
            await nms.until(all_green)
            scene.agents["north/3"].alarms.raise_alarm(HOT)
            await nms.until(lambda _, alarms: alarms)
            chassis = scene.agents["north/chassis"]
            chassis.put("slots", 3, mscSlotHotSwapState=6)
            await scene.stop("north/3")
            await nms.until(lambda seen, _: colours(seen)["north/3"] == "grey")
            chassis.drop("slots", 3)
            chassis.put("slots", 3, mscSlotHotSwapState=0)
            components, alarms = await nms.until(lambda seen, _: "north/3" not in seen)
            assert alarms == []
            assert components["north"]["worst"] == "green"

    told(story)


def test_without_a_chassis_manager_the_blades_are_found_through_the_director(told, tmp_path):
    async def story(scene):
        director = scene.agents["north/1"]
        for slot in (2, 3):
            director.put("engines", slot, mssEngineAddress=bytes((127, 65, 1, slot)))
        async with managing(scene, tmp_path / "nms", chassis={}) as nms:
            components, _ = await nms.until(lambda seen, _: "north/3" in seen and colours(seen)["north/3"] == "green")
            assert {"north/0", "north/2", "north/3"} < set(components)

    told(story)


def test_a_registry_that_goes_takes_nothing_off_the_map(told, tmp_path):
    async def story(scene):
        async with managing(scene, tmp_path / "nms") as nms:
            await nms.until(all_green)
            del scene.rows["north"]
            components, _ = await nms.until(lambda seen, _: seen["north"]["health"] == "unknown")
            assert colours(components)["north/2"] == "green"

    told(story)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "media.example"}, 421),
        ({"Host": "127.0.0.1.media.example"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Origin": "http://media.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 200),
    ],
    ids=str,
)
def test_other_sites_get_nothing(tmp_path, headers, status, free_port):
    async def run():
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        async with managing(scene, tmp_path / "nms") as nms:
            for path in ("/", "/nms.js", "/metrics", "/network.json", "/events"):
                async with nms.session.get(nms.url + path, headers=headers) as response:
                    assert response.status == status, path
                    assert all(name in response.headers for name in HEADERS_OF_ALL)
                    assert "unsafe" not in response.headers["Content-Security-Policy"]
            wanted = 404 if status == 200 else status
            assert await nms.acknowledge(1, **headers) == wanted
            for body in (b"", b"[" * 3000, b'{"alarms":[1]}', b"\xff", b'{"alarms":[1],"person":""}'):
                authorized = {"Authorization": f"Bearer {nms.token}", **headers}
                async with nms.session.post(f"{nms.url}/acknowledge", data=body, headers=authorized) as response:
                    assert response.status == (400 if status == 200 else status)

    asyncio.run(run())


def test_metrics_and_graphs(told, tmp_path):
    async def story(scene):
        async with managing(scene, tmp_path / "nms") as nms:
            await nms.until(all_green)
            scene.agents["north/3"].alarms.raise_alarm(HOT)
            for second in range(3):
                live_a_second(scene, second)
                before = (await nms.picture())[0]["north/2"]["last"]
                await nms.until(lambda seen, _, before=before: seen["north/2"]["last"] != before)
            await nms.until(lambda _, alarms: alarms)
            async with nms.session.get(f"{nms.url}/metrics") as response:
                lines = (await response.text()).splitlines()
            readings = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
            assert readings['media_station_component_up{component="north/2",kind="blade",station="north"}'] == "1"
            alarm = (
                'media_station_alarm{component="north/3",kind="sensor threshold",resource="CPU",'
                'severity="major",state="active",flapping="false"}'
            )
            assert readings[alarm] == "1"
            sensor = 'media_station_temperature_c{component="north/2",station="north",part="CPU"}'
            assert 30 < float(readings[sensor]) < 70
            for component, parts in (("north/2", {"nvme1", "nvme2"}), ("north", {f"north/{n}" for n in (1, 2, 3)})):
                async with nms.session.get(f"{nms.url}/graphs?component={component}&span=600") as response:
                    graphs = (await response.json())["graphs"]
                assert set(graphs["channel_bps"]) == parts
                assert graphs["temperature_c"]
                assert graphs["streams"]
            for query, status in (
                ("component=nobody&span=600", 404),
                ("component=north&span=1", 400),
                ("component=north&span=9999999999", 400),
                ("", 404),
            ):
                async with nms.session.get(f"{nms.url}/graphs?{query}") as response:
                    assert response.status == status
        kept = History(tmp_path / "nms" / "history.sqlite")
        assert len(kept.alarms()[0]) == 1
        kept.close()

    told(story)


def test_an_agent_that_refuses_the_user_is_told_from_one_that_is_silent(told):
    async def story(scene):
        stranger = msgspec.structs.replace(USER, auth_password="another-password")
        poller = SnmpPoller(lambda _: stranger, timeout_s=0.3, retries=0, rng=random.Random(1))
        try:
            with pytest.raises(PollError) as caught:
                await poller.look(scene.agents["north/1"].address, SEEN[Kind.BLADE], also_rarely=True)
            assert caught.value.refused
            with pytest.raises(PollError) as caught:
                await poller.look(Address("127.65.9.9", scene.snmp_port), SEEN[Kind.BLADE], also_rarely=True)
            assert not caught.value.refused
        finally:
            poller.close()

    told(story)
