"""What the management board measures of the chassis itself: its sensors and its supplies. Read off the event loop."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from blade_agent.chassis_manager.board.supplies import Supplies, Supply
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.hardware.board import Board
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.hardware.reading import Reading
from blade_agent.hardware.supply import SupplyReading, read_supply
from blade_agent.profiled_board.measurements import SENSOR, Measurements, measure

logger = logging.getLogger(__name__)


class Gauges:
    """The readings of a management board; without a profile there are none."""

    def __init__(self, settings: ManagerSettings, profile: HardwareProfile | None) -> None:
        self.profile = profile
        self.measurements = Measurements(asyncio.get_running_loop().time)
        self.supplies = Supplies(
            tuple(
                Supply(name=facts.name, capacity_w=facts.capacity_w, lowest_v=facts.voltage_min_v)
                for facts in (profile.supplies if profile else ())
            )
        )
        self._root = Path(settings.root)
        self._interval_s = settings.timing.supplies_s

    @property
    def inlet_celsius(self) -> float | None:
        """Temperature of the air that the chassis takes in, where the profile names its sensor."""
        sensors = self.profile.sensors if self.profile else ()
        inlet = next((sensor.name for sensor in sensors if sensor.entity == "air_inlet"), None)
        return None if inlet is None else self.measurements.value(SENSOR, inlet)

    async def run(self, measured: Callable[[list[tuple[int, bool]]], None]) -> None:
        """Measure until cancelled. `measured` is called after each look, with the supplies, by their place from 0,
        that fail since the last one, or work again.
        """
        if self.profile is None:
            return
        loop = asyncio.get_running_loop()
        board = Board(self.profile, self._root)
        while True:
            due = loop.time() + self._interval_s
            readings, supplies = await loop.run_in_executor(None, _look, board)
            self.measurements.take(readings)
            changes = self.supplies.take(supplies)
            for index, works in changes:
                logger.warning("%s %s", self.supplies.all[index].name, "works again" if works else "has failed")
            measured(changes)
            await asyncio.sleep(due - loop.time())


def _look(board: Board) -> tuple[dict[tuple[str, str], Reading], tuple[SupplyReading, ...]]:
    """Measure everything. Blocks for some files."""
    return measure(board), tuple(read_supply(board.root, supply) for supply in board.profile.supplies)
