"""A generated network of any size, as its agents would describe it: for what must not grow with the network."""

from distribution_center.network_management.alarms import AlarmList
from distribution_center.network_management.component import blade_id, center_id, chassis_id
from distribution_center.network_management.discovery import Discovered
from distribution_center.network_management.network import Network
from distribution_center.network_management.objects import Looked
from distribution_center.network_management.settings import NmsSettings
from media_network.messages.registry import StationRow
from tests.distribution_center.network_management.agents import USER

CENTER = "127.66.0.1:8081"
BLADE_LOST, SENSOR_THRESHOLD = 2, 5
CRITICAL, MAJOR, MINOR = 3, 4, 5


class World:
    """A center, and stations of a chassis with so many blades each; the director is in slot 1."""

    def __init__(self, state, *, stations, blades, **changes):
        self.names = [f"station-{number:03}" for number in range(1, stations + 1)]
        self.blades = blades
        chassis = {name: f"{self._net(name)}.254:161" for name in self.names}
        self.settings = NmsSettings(
            **({"centers": (CENTER,), "state": str(state), "user": USER, "chassis": chassis, "http_port": 0} | changes)
        )
        self.network = Network(Discovered(self.settings), AlarmList(), self.settings.lost_after_s)
        self.now, self.wall = 1000.0, 1_780_000_000.0
        self.slots = {name: {slot: self._slot(name, slot) for slot in range(1, blades + 1)} for name in self.names}
        self.alarms = {}

    def _net(self, name):
        number = self.names.index(name) if isinstance(name, str) else name
        return f"127.66.{number + 1}"

    def _slot(self, name, slot):
        host = bytes(int(part) for part in f"{self._net(name)}.{slot}".split("."))
        role = 2 if slot == 1 else 3
        return {"mscSlotHotSwapState": 4, "mscSlotAdminState": 1, "mscSlotRole": role, "mscSlotAddress": host}

    def register(self):
        """What the registry says of all stations."""
        rows = [
            StationRow(
                station=name,
                director=f"{self._net(name)}.1:8081",
                media=f"{self._net(name)}.1:8080",
                epoch=3,
                engines=self.blades - 1,
                programs=4,
                home=False,
                silent_ms=500,
            )
            for name in self.names
        ]
        self.network.registry_said("", rows, self.wall)
        self.network.rediscover(self.now, self.wall)

    def fill(self):
        """Everything has been found, and everything has answered."""
        self.register()
        self.answer(center_id(CENTER), {"msdName": b"hamburg", "msdPrograms": 812, "msdProgramsPublished": 790})
        for name in self.names:
            self.chassis_answers(name)
        self.network.rediscover(self.now, self.wall)
        for name in self.names:
            for slot in range(1, self.blades + 1):
                self.blade_answers(name, slot)

    def answer(self, component, scalars, **tables):
        """An agent has answered a poll; gives the alarms that are news."""
        rows = dict(enumerate(self.alarms.get(component, ()), start=1))
        tables["alarms"] = {(number,): row for number, row in rows.items()}
        scalars = {"sysUpTime": int(self.now * 100), **scalars}
        return self.network.answered(component, Looked(scalars, tables), self.now, self.wall)[1]

    def chassis_answers(self, name):
        slots = {(slot,): row for slot, row in self.slots[name].items()}
        power = {"mscPowerBudget": 160_000, "mscPowerObserved": 9_000 * self.blades, "mscSlotCount": self.blades}
        return self.answer(chassis_id(name), power, slots=slots)

    def blade_answers(self, name, slot, *, streams=3, celsius=48.25):
        names = {(3,): {"entPhysicalName": b"CPU", "entPhySensorType": 8, "entPhySensorScale": 8}}
        sensors = {(3,): {"entPhySensorValue": int(celsius * 1000), "entPhySensorOperStatus": 1}}
        scalars = {"mssPushStreams": streams, "mssPushBytes": int(self.now * 500_000 * streams), "mssCapacity": 900_000}
        return self.answer(blade_id(name, slot), scalars, names=names, sensors=sensors)

    def raise_alarm(self, component, kind, severity, *, slot=0, resource=b"", text=b""):
        """From its next answer on an agent says that something is wrong."""
        row = {"msaAlarmKind": kind, "msaAlarmSeverity": severity, "msaAlarmSlot": slot}
        self.alarms.setdefault(component, []).append(row | {"msaAlarmResource": resource, "msaAlarmText": text})

    def misses(self, component, reason="nothing came in time"):
        return self.network.missed(component, reason, self.now, self.wall)

    def passes(self, seconds):
        self.now += seconds
        self.wall += seconds

    def agents(self, name):
        """All that have one in a station."""
        return [chassis_id(name), *(blade_id(name, slot) for slot in range(1, self.blades + 1))]
