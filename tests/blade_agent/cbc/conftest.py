import heapq
from itertools import count

import pytest

from blade_agent.backplane.led_light import LedColor
from blade_agent.backplane.role import MainBoardState, MainBoardStatus
from blade_agent.backplane.sensor_codes import SensorKind, Threshold, Unit
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.hardware import BareBoard, BoardAction, FanRange, SensorFacts
from blade_agent.cbc.identity import Identity
from media_network.address import Address

IDENTITY = Identity(
    device_id=0x21,
    device_revision=3,
    manufacturer=8072,
    product=0x0102,
    guid=bytes(range(16)),
    firmware_version="1.42.7",
)


class DeskBoard:
    """A main board that takes every role at once and remembers them."""

    def __init__(self):
        self.state = MainBoardState.READY
        self.address = Address("127.1.2.3", 8080)
        self.assignments = []
        self.draining = False
        self.streams = 0

    def assign(self, assignment):
        self.assignments.append(assignment)

    def drain(self, draining):
        self.draining = draining
        return self.streams if draining else 0

    def know_blades(self, blades):
        self.blades = blades

    def status(self):
        return MainBoardStatus(state=self.state, address=self.address)


class DeskAlarm:
    def __init__(self, call):
        self.call = call

    def cancel(self):
        self.call = None


class DeskClock:
    """Time that passes when it is told to."""

    def __init__(self, wall_s=1_800_000_000.0):
        self.now = 0.0
        self.started_wall_s = wall_s
        self._alarms = []
        self._order = count()

    def now_s(self):
        return self.now

    def wall_s(self):
        return self.started_wall_s + self.now

    def call_later(self, delay_s, call):
        alarm = DeskAlarm(call)
        heapq.heappush(self._alarms, (self.now + delay_s, next(self._order), alarm))
        return alarm

    def pass_s(self, duration_s):
        until = self.now + duration_s
        while self._alarms and self._alarms[0][0] <= until:
            self.now, _, alarm = heapq.heappop(self._alarms)
            if alarm.call is not None:
                alarm.call()
        self.now = until


class DeskSensor:
    """A sensor that shows what is put in."""

    def __init__(self, facts, value):
        self.facts = facts
        self.value = value

    def reading(self):
        return self.value


class DeskLed:
    def __init__(self, *colors):
        self.colors = colors
        self.light = None

    def show(self, light):
        self.light = light


class DeskFan:
    range = FanRange(lowest=10, highest=100, normal=40)

    def __init__(self):
        self.override_level = None

    def level(self):
        return 35

    def override(self, level):
        self.override_level = level


class DeskPower:
    levels_w = (6.5, 9.0, 30.0)
    desired_level = 3

    def __init__(self):
        self.present = 2

    def level(self):
        return self.present

    def set_level(self, level):
        self.present = level


class DeskHardware(BareBoard):
    """A board with one of everything, its readings set by hand."""

    identify_led = 1
    actions = frozenset(BoardAction)

    def __init__(self):
        self.temperature = DeskSensor(
            SensorFacts(
                name="CPU Temp",
                kind=SensorKind.TEMPERATURE,
                unit=Unit.CELSIUS,
                lowest=0.0,
                highest=127.5,
                thresholds={
                    Threshold.LOWER_NON_CRITICAL: 5.0,
                    Threshold.UPPER_NON_CRITICAL: 70.0,
                    Threshold.UPPER_CRITICAL: 80.0,
                    Threshold.UPPER_NON_RECOVERABLE: 90.0,
                },
                hysteresis=2.0,
            ),
            41.5,
        )
        self.tachometer = DeskSensor(
            SensorFacts(name="Fan", kind=SensorKind.FAN, unit=Unit.RPM, lowest=0.0, highest=12000.0), 4080.0
        )
        self.supply = DeskSensor(
            SensorFacts(name="5V", kind=SensorKind.VOLTAGE, unit=Unit.VOLT, lowest=0.0, highest=6.0), None
        )
        self.sensors = (self.temperature, self.tachometer, self.supply)
        self.blue, self.fault = DeskLed(LedColor.BLUE), DeskLed(LedColor.RED, LedColor.AMBER)
        self.leds = {0: self.blue, 1: self.fault, 4: DeskLed(LedColor.GREEN)}
        self.fan = DeskFan()
        self.power = DeskPower()
        self.acted = []

    def act(self, action):
        self.acted.append(action)


@pytest.fixture
def make_controller():
    """Make the CBC of a blade in a slot, its handle closed; `.board` is its main board, `.clock` its time."""

    def make(slot=3, **settings):
        board = DeskBoard()
        settings.setdefault("clock", DeskClock())
        controller = Controller(
            identity=IDENTITY, address=SlotAddress(slot), main_board=board, boot_id=0x0123456789ABCDEF, **settings
        )
        controller.board = board
        controller.clock = settings["clock"]
        return controller

    return make


@pytest.fixture
def controller(make_controller):
    return make_controller()


@pytest.fixture
def equipped(make_controller):
    """A CBC on a board with one of everything, which is `.hardware`."""
    hardware = DeskHardware()
    controller = make_controller(hardware=hardware)
    controller.hardware = hardware
    return controller


@pytest.fixture
def make_hardware():
    return DeskHardware
