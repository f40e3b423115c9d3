"""A board on a desk: what it measures is what a test says, and what is set is there to be seen."""

from types import MappingProxyType

from blade_agent.backplane.sensor_codes import SensorKind, Threshold, Unit
from blade_agent.cbc.hardware import BoardAction, FanRange, SensorFacts


class DeskSensor:
    def __init__(self, name="CPU temp", celsius=40.0):
        self.celsius = celsius
        self.facts = SensorFacts(
            name=name,
            kind=SensorKind.TEMPERATURE,
            unit=Unit.CELSIUS,
            lowest=-10.0,
            highest=117.5,
            thresholds={
                Threshold.UPPER_NON_CRITICAL: 70.0,
                Threshold.UPPER_CRITICAL: 80.0,
                Threshold.UPPER_NON_RECOVERABLE: 90.0,
            },
            hysteresis=2.0,
        )

    def reading(self):
        return self.celsius


class DeskFan:
    range = FanRange(lowest=10, highest=60, normal=30)

    def __init__(self):
        self.overridden = None

    def level(self):
        return 20

    def override(self, level):
        self.overridden = level


class DeskPower:
    def __init__(self, levels_w=(6.0, 9.0, 12.0)):
        self.levels_w = levels_w
        self.desired_level = len(levels_w)
        self.at = self.desired_level
        self.set = []

    def level(self):
        return self.at

    def set_level(self, level):
        self.at = level
        self.set.append(level)


class DeskHardware:
    leds = MappingProxyType({})
    identify_led = None
    restores_power = False

    def __init__(self, levels_w=(6.0, 9.0, 12.0)):
        self.temperature = DeskSensor()
        self.sensors = (self.temperature,)
        self.fan = DeskFan()
        self.power = DeskPower(levels_w)
        self.actions = frozenset(BoardAction)
        self.acted = []

    def act(self, action):
        self.acted.append(action)
