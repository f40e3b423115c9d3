"""SNMP agents that a test scripts, over the project's own engine, and a network of them with a registry."""

import asyncio
import contextlib
import math
import random

from distribution_center.network_management.component import Kind
from distribution_center.network_management.objects import SEEN
from distribution_center.network_management.settings import NmsSettings
from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.messages.registry import LIST_STATIONS, StationRow, Stations
from media_network.snmp.index import Index, ObjectType, Rows, scalar
from media_network.snmp.notifying.notifier import Notifier
from media_network.snmp.objects.alarms import AlarmCause, AlarmKind, Alarms, Severity
from media_network.snmp.objects.times import Uptime
from media_network.snmp.service import serve_snmp
from media_network.snmp.settings import UserSettings
from media_network.snmp.targets import AgentSettings
from media_network.snmp.value import (
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    OCTET_STRING,
    TIME_TICKS,
)

USER = UserSettings(user="nms", auth_password="authentication-1", priv_password="encryption-1")
_TEXTS = {"mscStation", "msdName", "mssChannelName", "entPhysicalName"}
_OCTETS = {"mscSlotAddress", "mssEngineAddress", "snmpEngineID"}
_SIGNED = {"entPhySensorValue"}


def syntax_of(name):
    if name in _TEXTS:
        return DISPLAY_STRING
    if name in _OCTETS:
        return OCTET_STRING
    if name == "sysUpTime":
        return TIME_TICKS
    if name.endswith("Bytes"):
        return COUNTER64
    return INTEGER32 if name in _SIGNED else GAUGE32


class Agent:
    """One agent. What is in `scalars` and `tables` is what it answers; both may be changed at any time."""

    def __init__(self, kind, address):
        self.kind, self.address = kind, address
        self.scalars, self.tables = {}, {}
        self.targets = ()
        self._rows = {}
        self.service = None

    def put(self, table, index, **row):
        self.tables.setdefault(table, {}).setdefault((index,), {}).update(row)
        self._tidy(table)

    def drop(self, table, index):
        self.tables[table].pop((index,), None)
        self._tidy(table)

    def _tidy(self, table):
        self._rows.setdefault(table, Rows()).replace(self.tables[table].items())

    def objects(self):
        sight = SEEN[self.kind]
        for name, oid in sight.scalars.items():
            yield scalar(oid[:-1], syntax_of(name), lambda name=name: self.scalars.get(name))
        for table, known in (sight.tables | sight.rarely).items():
            if table == "alarms":
                continue
            rows = self._rows.setdefault(table, Rows())
            for name, oid in known.columns.items():
                yield ObjectType(oid, syntax_of(name), rows, lambda row, name=name: row.get(name))

    @contextlib.asynccontextmanager
    async def serving(self, folder, rng):
        settings = AgentSettings(host=self.address.host, port=self.address.port, users=(USER,), targets=self.targets)
        uptime, index = Uptime(), Index()
        self.scalars["sysUpTime"] = 100
        told = []
        self.alarms = Alarms(uptime, lambda notification: told.append(notification) or self.tell(notification))
        index.add(self)
        index.add(self.alarms)
        self.tell = lambda _: None
        async with serve_snmp(settings, index, folder, rng=rng) as self.service:
            identity = self.service.engine.security.identity
            self.scalars["snmpEngineID"] = identity.engine_id
            notifier = Notifier(settings, identity, lambda: 1, uptime.ticks)
            self.tell = notifier.tell
            telling = asyncio.create_task(notifier.run())
            try:
                yield self
            finally:
                telling.cancel()


class Scene:
    """A center and stations with chassis: registry and agents on loopback addresses."""

    def __init__(self, folder, *, network=65, ports=None, snmp_port=16165, control_port=8081):
        self.folder, self.network = folder, network
        self.snmp_port, self.control_port = snmp_port, control_port
        self.center = f"127.{network}.0.1"
        self.rows = {}
        self.agents = {}
        self._stack = contextlib.AsyncExitStack()
        self._stacks = {}
        self.chassis = {}
        self.rng = random.Random(65)
        self.targets = ()

    def settings(self, state, **changes):
        return NmsSettings(
            **{
                "centers": (f"{self.center}:{self.control_port}",),
                "state": str(state),
                "user": USER,
                "chassis": self.chassis,
                "snmp_port": self.snmp_port,
                "notifications_port": 0,
                "http_port": 0,
                "poll_s": 1.0,
                "timeout_s": 1.0,
                "retries": 0,
                "lost_after_s": 3.0,
                "discover_s": 1.0,
                **changes,
            }
        )

    async def __aenter__(self):
        table = HandlerTable("scripted registry")
        table.verb(LIST_STATIONS, self._list)
        await self._stack.enter_async_context(serve(table, Address(self.center, self.control_port)))
        agent = await self.start(f"@{self.center}", Kind.CENTER, self.center)
        agent.scalars |= {"msdPrograms": 12, "msdProgramsPublished": 9, "msdStations": 2, "msdLocations": 4711}
        return self

    async def __aexit__(self, *error):
        for name in list(self._stacks):
            await self.stop(name)
        await self._stack.aclose()

    async def _list(self, _):
        return Stations(tuple(self.rows.values()))

    async def start(self, name, kind, host):
        known = self.agents.get(name)
        agent = known or Agent(kind, Address(host, self.snmp_port))
        agent.targets = self.targets
        self.agents[name] = agent
        stack = self._stacks[name] = contextlib.AsyncExitStack()
        state = self.folder / "agents" / name.replace("/", "-")
        state.mkdir(parents=True, exist_ok=True)
        return await stack.enter_async_context(agent.serving(state, self.rng))

    async def stop(self, name):
        await self._stacks.pop(name).aclose()

    async def station(self, name, number, blades=4, *, home=False, slots=None, blade_agents=True):
        """A station with a chassis; the director is in slot 1."""
        net = f"127.{self.network}.{number}"
        self.rows[name] = StationRow(
            station=name,
            director=f"{net}.1:8081",
            media=f"{net}.1:8080",
            epoch=3,
            engines=blades - 1,
            programs=4,
            home=home,
            silent_ms=500,
        )
        chassis = await self.start(f"{name}/chassis", Kind.CHASSIS, f"{net}.254")
        self.chassis[name] = str(chassis.address)
        chassis.scalars |= {"mscEpoch": 3, "mscDirectorSlot": 1, "mscSlotCount": slots or blades}
        chassis.scalars |= {"mscBladesActive": blades, "mscPowerBudget": 120_000, "mscPowerObserved": 9_000 * blades}
        add_sensor(chassis, 1, "inlet", 8, 24_500)
        for slot in range(1, (slots or blades) + 1):
            if slot > blades:
                chassis.put("slots", slot, mscSlotHotSwapState=0)
                continue
            chassis.put(
                "slots",
                slot,
                mscSlotHotSwapState=4,
                mscSlotAdminState=1,
                mscSlotRole=2 if slot == 1 else 3,
                mscSlotMainBoard=4,
                mscSlotAddress=bytes((127, self.network, number, slot)),
                mscSlotPowerObserved=9_000,
                mscSlotStreams=0,
            )
            if blade_agents:
                await self.blade(name, number, slot)
        return chassis

    async def blade(self, name, number, slot):
        blade = await self.start(f"{name}/{slot}", Kind.BLADE, f"127.{self.network}.{number}.{slot}")
        blade.scalars |= {"mssPushStreams": 3, "mssPushBytes": 0, "mssPullBytes": 0, "mssCopiesActive": 0}
        blade.scalars |= {"mssCapacity": 900_000, "mssStoreSegments": 120}
        add_sensor(blade, 3, "CPU", 8, 48_250)
        add_sensor(blade, 4, "fan 1", 10, 2_300_000)
        for channel in (1, 2):
            blade.put(
                "channels", channel, mssChannelName=f"nvme{channel}", mssChannelReadBytes=0, mssChannelWrittenBytes=0
            )
        return blade


def add_sensor(agent, index, name, kind, value_milli):
    agent.put("names", index, entPhysicalName=name, entPhySensorType=kind, entPhySensorScale=8, entPhySensorPrecision=0)
    agent.put("sensors", index, entPhySensorValue=value_milli, entPhySensorOperStatus=1)


def live_a_second(scene, second):
    """Let all blades work for a second: heat, streams, bytes."""
    for agent in scene.agents.values():
        agent.scalars["sysUpTime"] = 100 * (second + 2)
        if agent.kind is not Kind.BLADE:
            continue
        slot = agent.address.host.rpartition(".")[2]
        phase = second / 30 + int(slot)
        streams = max(0, round(6 + 5 * math.sin(phase / 2)))
        agent.scalars["mssPushStreams"] = streams
        agent.scalars["mssPushBytes"] += streams * 500_000
        agent.scalars["mssPullBytes"] += 80_000 * (1 + int(slot))
        agent.scalars["mssCopiesActive"] = int(math.sin(phase / 3) > 0.6)
        agent.put("sensors", 3, entPhySensorValue=round(1000 * (44 + streams * 1.4 + math.sin(phase * 3))))
        agent.put("sensors", 4, entPhySensorValue=round(1000 * (2000 + 120 * streams)))
        for channel in (1, 2):
            row = agent.tables["channels"][channel,]
            agent.put("channels", channel, mssChannelReadBytes=row["mssChannelReadBytes"] + streams * 250_000)


HOT = AlarmCause(
    kind=AlarmKind.SENSOR_THRESHOLD,
    severity=Severity.MAJOR,
    resource="CPU",
    text="CPU is at 91.5 °C, its limit is 85 °C",
)
FAN = AlarmCause(kind=AlarmKind.FAN_FAILED, severity=Severity.MINOR, resource="fan 1", text="fan 1 stands still")
