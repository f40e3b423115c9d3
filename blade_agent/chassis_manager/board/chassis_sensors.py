"""The sensors of a chassis: its slots, its supplies, its management board. Numbers are those of the event log."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.sensor_codes import (
    FIRST_INSTANCE,
    LAST_INSTANCE,
    Entity,
    ReadingType,
    SensorKind,
    Threshold,
    Unit,
)
from blade_agent.cbc.hardware import AnalogSensor, SensorFacts
from blade_agent.cbc.own_sensors import hot_swap_sensor
from blade_agent.cbc.sensor import DiscreteSensor
from blade_agent.cbc.sensor_records import EventSource
from blade_agent.chassis_manager.board import chassis_log
from blade_agent.chassis_manager.board.supplies import Supplies, Supply
from blade_agent.chassis_manager.slots.slot import Slot

_PRESENT: Final = 0x01
_SUPPLY_STATES: Final = 0x0003
_MOST_W_OVER_CAPACITY: Final = 1.5
_MOST_V: Final = 60.0


class _SupplySensor:
    """What a supply gives, or the voltage at its output."""

    def __init__(self, index: int, supply: Supply, *, power: bool) -> None:
        self._supply = supply
        self._power = power
        highest = supply.capacity_w * _MOST_W_OVER_CAPACITY if power else _MOST_V
        self.facts = SensorFacts(
            name=f"{supply.name[:13]} {'W' if power else 'V'}",
            kind=SensorKind.OTHER if power else SensorKind.VOLTAGE,
            unit=Unit.WATT if power else Unit.VOLT,
            entity=Entity.POWER_SUPPLY,
            instance=supply_instance(index),
            lowest=0.0,
            highest=highest,
            thresholds={} if power or supply.lowest_v is None else {Threshold.LOWER_CRITICAL: supply.lowest_v},
        )

    def reading(self) -> float | None:
        """See `AnalogSensor`."""
        return self._supply.watts if self._power else self._supply.volts


def supply_meters(supplies: Supplies) -> Sequence[AnalogSensor]:
    """Give what each supply measures of itself: volts, then watts."""
    return [
        _SupplySensor(index, supply, power=power)
        for index, supply in enumerate(supplies.all)
        for power in (False, True)
    ]


def supply_instance(index: int) -> int:
    """Give the entity instance of a supply by its place from 0."""
    return min(FIRST_INSTANCE + 1 + index, LAST_INSTANCE)


def supply_sensors(supplies: Supplies) -> Sequence[DiscreteSensor]:
    """Give whether each supply is there, and whether it has failed."""
    return [
        DiscreteSensor(
            chassis_log.SUPPLY_SENSOR + index,
            supply.name,
            SensorKind.POWER_SUPPLY,
            _SUPPLY_STATES,
            partial(_supply_state, supply),
            entity=Entity.POWER_SUPPLY,
            instance=supply_instance(index),
        )
        for index, supply in enumerate(supplies.all)
    ]


def slot_sensors(slots: Mapping[int, Slot]) -> Sequence[DiscreteSensor]:
    """Give the hot-swap state of each slot as the manager sees it."""
    return [
        # The instance is one of the system, the slot's number: those of a blade's own controller are its own.
        hot_swap_sensor(
            chassis_log.SLOT_SENSOR + number, f"Slot {number}", partial(_hot_swap_of, slot), instance=number
        )
        for number, slot in slots.items()
    ]


def service_sensor() -> DiscreteSensor:
    """Give the hot-swap state of the management board itself: one that runs is in service."""
    return hot_swap_sensor(
        chassis_log.SERVICE_SENSOR, "Hot Swap", lambda: HotSwapState.M4_ACTIVE, entity=Entity.SHELF_MANAGER
    )


def event_sources() -> Sequence[EventSource]:
    """Give what the management board only notices: nobody reads it, and its events have a name."""
    return [
        EventSource(number=number, name=name, kind=kind, reading_type=reading_type, entity=Entity.SHELF_MANAGER)
        for number, name, kind, reading_type in (
            (chassis_log.BUDGET_SENSOR, "Power budget", SensorKind.POWER_UNIT, ReadingType.SENSOR_SPECIFIC),
            (chassis_log.DIRECTOR_SENSOR, "Director", SensorKind.DIRECTOR, ReadingType.SENSOR_SPECIFIC),
            (chassis_log.LOGIN_SENSOR, "Logins", SensorKind.PLATFORM_SECURITY, ReadingType.SENSOR_SPECIFIC),
            (chassis_log.HEAT_SENSOR, "Overheating", SensorKind.TEMPERATURE, ReadingType.DIGITAL),
        )
    ]


def _hot_swap_of(slot: Slot) -> HotSwapState:
    return slot.hot_swap


def _supply_state(supply: Supply) -> int:
    return _PRESENT | (not supply.works) << chassis_log.SUPPLY_FAILED
