"""Sensors of what the CBC knows by itself: hot swap (PICMG 3.0, 3.2.4.3) and the watchdog (IPMI 2.0, table 42-3)."""

from collections.abc import Callable, Mapping
from typing import Final

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.hot_swap import HotSwap, HotSwapEvent, HotSwapState
from blade_agent.backplane.sensor_codes import FIRST_INSTANCE, Entity, SensorKind
from blade_agent.cbc.sensor import DiscreteSensor
from blade_agent.cbc.watchdog import Watchdog, WatchdogSettings

HOT_SWAP_SENSOR: Final = 0
WATCHDOG_SENSOR: Final = 1

_HOT_SWAP_STATES: Final = 0x00FF
_WATCHDOG_STATES: Final = 0x000F
_TWO_BYTES_FOLLOW: Final = 0xA0
_ONE_BYTE_FOLLOWS: Final = 0xC0
_BLADE_FRU: Final = 0
_NO_INTERRUPT: Final = 0xF0
_UNSPECIFIED: Final = 0xFF

_NORMAL: Final = 0
_CAUSES: Final[Mapping[HotSwapEvent, int]] = {
    HotSwapEvent.ACTIVATE: 1,
    HotSwapEvent.DEACTIVATE: 1,
    HotSwapEvent.HANDLE_CLOSED: 2,
    HotSwapEvent.HANDLE_OPENED: 2,
}
"""Why a state changed (PICMG 3.0, table 3-22): 1 commanded, 2 by the handle; all else is the normal course."""


def hot_swap_sensor(
    number: int,
    name: str,
    state: Callable[[], HotSwapState],
    *,
    entity: Entity = Entity.FRONT_BOARD,
    instance: int = FIRST_INSTANCE,
) -> DiscreteSensor:
    """Make a sensor that shows a hot-swap state."""
    return DiscreteSensor(
        number,
        name,
        SensorKind.HOT_SWAP,
        _HOT_SWAP_STATES,
        lambda: 1 << state(),
        entity=entity,
        instance=instance,
    )


class OwnSensors:
    """The hot-swap and the watchdog sensor."""

    def __init__(self, hot_swap: HotSwap, watchdog: Watchdog) -> None:
        self._hot_swap = hot_swap
        self._watchdog = watchdog
        self.hot_swap = hot_swap_sensor(HOT_SWAP_SENSOR, "Hot Swap", lambda: hot_swap.state)
        self.watchdog = DiscreteSensor(
            WATCHDOG_SENSOR, "Watchdog", SensorKind.WATCHDOG, _WATCHDOG_STATES, self._watchdog_states
        )
        self.all = (self.hot_swap, self.watchdog)

    def hot_swap_event(self, before: HotSwapState, cause: HotSwapEvent | None) -> SensorEvent:
        """Tell of a change to the state of now, or, without a cause, of the state alone."""
        why = _NORMAL if cause is None else _CAUSES.get(cause, _NORMAL)
        return self.hot_swap.event(bytes((_TWO_BYTES_FOLLOW | self._hot_swap.state, why << 4 | before, _BLADE_FRU)))

    def watchdog_event(self, settings: WatchdogSettings) -> SensorEvent:
        """Tell that the timer ran out."""
        return self.watchdog.event(
            bytes((_ONE_BYTE_FOLLOWS | settings.action.value, _NO_INTERRUPT | settings.use.value, _UNSPECIFIED))
        )

    def _watchdog_states(self) -> int:
        """The action of the timer that has run out, as a state, until its flag is cleared."""
        settings = self._watchdog.settings
        if settings is None or not self._watchdog.expired_uses & 1 << settings.use.value:
            return 0
        return 1 << settings.action.value
