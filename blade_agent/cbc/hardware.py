"""What a CBC asks of the board it stands on. The board, real or emulated, comes from outside.

What a board does not have is left out, and a reading that cannot be had is None: a CBC never makes one up.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from blade_agent.backplane.led_light import LedColor, LedLight
from blade_agent.backplane.sensor_codes import FIRST_INSTANCE, Entity, SensorKind, Threshold, Unit

BLUE_LED = 0
"""PICMG 3.0, 3.2.5.6: says whether the blade may be taken out."""
FAULT_LED = 1
ACTIVITY_LED = 2
"""Lit while the blade is in service: what PICMG leaves LED 2 to."""


_WHOLE = frozenset({Entity.SYSTEM_BOARD, Entity.FRONT_BOARD})


class SensorFacts(Struct, frozen=True, kw_only=True):
    """What is always known of a sensor. Readings and limits are in `unit`."""

    name: str
    """At most 16 ASCII characters."""
    kind: SensorKind
    unit: Unit
    entity: Entity = Entity.FRONT_BOARD
    instance: int = FIRST_INSTANCE
    """Which of the entities of its kind, counted from `FIRST_INSTANCE` on within the controller (IPMI 2.0, 39.1)."""
    lowest: float
    highest: float
    """What it can show: a reading travels as one byte, from `lowest` up in 255 steps of two significant digits."""
    thresholds: Mapping[Threshold, float] = MappingProxyType({})
    hysteresis: float = 0.0
    """How far a reading must come back over a threshold before that counts as back."""


class AnalogSensor(Protocol):
    """A sensor of the board."""

    @property
    def facts(self) -> SensorFacts:
        """What is always known of it."""
        ...

    def reading(self) -> float | None:
        """Measure, without waiting; None when there is no reading now."""
        ...


def watts_of(sensors: Iterable[AnalogSensor]) -> float | None:
    """Give what a board draws: by the sensor of the board itself, or else all of its parts that are measured."""
    measured = [sensor for sensor in sensors if sensor.facts.unit is Unit.WATT]
    whole = [sensor for sensor in measured if sensor.facts.entity in _WHOLE]
    readings = [reading for sensor in whole or measured if (reading := sensor.reading()) is not None]
    return sum(readings) if readings else None


class Led(Protocol):
    """A light at the front of the blade."""

    @property
    def colors(self) -> Sequence[LedColor]:
        """The colours it can have, the usual one first."""
        ...

    def show(self, light: LedLight) -> None:
        """Shine like that from now on."""
        ...


class FanRange(Struct, frozen=True, kw_only=True):
    """Levels of a fan, 0 to 100 (PICMG 3.0, table 3-86)."""

    lowest: int
    highest: int
    normal: int


class Fan(Protocol):
    """What cools the blade, where the blade has it itself."""

    @property
    def range(self) -> FanRange:
        """The levels it can run at."""
        ...

    def level(self) -> int | None:
        """Give the level it runs at by the board's own control; None where that is not known."""
        ...

    def override(self, level: int | None) -> None:
        """Run at least at this level; None leaves it to the board's own control."""
        ...


class PowerBudget(Protocol):
    """How much power the blade may draw, where it can be told."""

    @property
    def levels_w(self) -> Sequence[float]:
        """What the blade draws at most at level 1, 2 and so on, growing; at most 20 levels."""
        ...

    @property
    def desired_level(self) -> int:
        """Level that lets the blade do all it can."""
        ...

    def level(self) -> int:
        """Give the level that is in force; 0 is off."""
        ...

    def set_level(self, level: int) -> None:
        """Draw no more than this level from now on."""
        ...


class BoardAction(Enum):
    """What can be done to the main board from outside."""

    POWER_OFF = "power off"
    POWER_ON = "power on"
    POWER_CYCLE = "power cycle"
    HARD_RESET = "hard reset"
    WARM_RESET = "warm reset"
    GRACEFUL_REBOOT = "graceful reboot"
    SHUTDOWN = "shutdown"
    DIAGNOSTIC_INTERRUPT = "diagnostic interrupt"


STARTING = frozenset(
    {
        BoardAction.POWER_ON,
        BoardAction.POWER_CYCLE,
        BoardAction.HARD_RESET,
        BoardAction.WARM_RESET,
        BoardAction.GRACEFUL_REBOOT,
    }
)
"""After these the main board has started anew."""


class Hardware(Protocol):
    """A board."""

    @property
    def sensors(self) -> Sequence[AnalogSensor]:
        """Its sensors, at most 64, always in the same order."""
        ...

    @property
    def leds(self) -> Mapping[int, Led]:
        """Its lights: 0 blue, 1 fault, 2 and 3 as PICMG numbers them, from 4 on its own."""
        ...

    @property
    def identify_led(self) -> int | None:
        """Which light blinks for the one who looks for this blade."""
        ...

    @property
    def fan(self) -> Fan | None:
        """Its fan, if it has one of its own."""
        ...

    @property
    def power(self) -> PowerBudget | None:
        """Its power levels, if it can be told to draw less."""
        ...

    @property
    def actions(self) -> frozenset[BoardAction]:
        """What can be done to it."""
        ...

    @property
    def restores_power(self) -> bool:
        """Whether, after power was away, the main board is as it was switched last."""
        ...

    def act(self, action: BoardAction) -> None:
        """Begin one of `actions`, without waiting. The answer to who asked goes out first, if that matters."""
        ...


class BareBoard:
    """A board of which nothing is known: no sensor, no light, and no way to act on it."""

    sensors: Sequence[AnalogSensor] = ()
    leds: Mapping[int, Led] = MappingProxyType({})
    identify_led: int | None = None
    fan: Fan | None = None
    power: PowerBudget | None = None
    actions: frozenset[BoardAction] = frozenset()
    restores_power = False

    def act(self, action: BoardAction) -> None:
        """Refuse: there is nothing it could do."""
        message = f"this board cannot do {action.value}"
        raise ValueError(message)
