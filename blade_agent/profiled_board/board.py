"""A board of a profile as the CBC's `Hardware`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

from msgspec import Struct

from blade_agent.cbc.hardware import AnalogSensor, BoardAction, Fan, Led, PowerBudget
from blade_agent.hardware.board import Board, LedReading
from blade_agent.hardware.reading import Reading, Unknown
from blade_agent.profiled_board.actions import ACTIONS, BoardActions, BoardCommands
from blade_agent.profiled_board.cooling import CooledFan, driven_fan
from blade_agent.profiled_board.lights import identify_light, lights
from blade_agent.profiled_board.measurements import Measurements, measure
from blade_agent.profiled_board.power import KeptPower, MainBoardPower, PowerLevels
from blade_agent.profiled_board.sensors import measured_sensors
from blade_agent.profiled_board.writes import Writes

LOOK_S: Final = 1.0
FIND_AGAIN_S: Final = 10.0


class ProfiledBoard:
    """The board under one CBC. Made and used inside a running event loop; the CBC's calls touch memory only."""

    def __init__(self, board: Board, power: MainBoardPower, kept: KeptPower, commands: BoardCommands) -> None:
        """Raises ValueError for a profile with more sensors than a CBC has numbers for."""
        self._board = board
        self.measurements = Measurements(asyncio.get_running_loop().time)
        """What was measured last."""
        self._writes = Writes()
        self._actions = BoardActions(power, kept, commands)
        self._lights = lights(board, self._writes)
        self.sensors: Sequence[AnalogSensor] = measured_sensors(board.profile, self.measurements)
        self.leds: Mapping[int, Led] = self._lights
        self.identify_led = identify_light(self._lights)
        facts = driven_fan(board.profile)
        self._fan = CooledFan(board, facts, self.measurements, self._writes) if facts else None
        self.fan: Fan | None = self._fan
        self.power: PowerBudget | None = PowerLevels(board.profile.power, power, kept) if board.profile.power else None
        self.actions: frozenset[BoardAction] = ACTIONS
        self.restores_power = True

    def act(self, action: BoardAction) -> None:
        """See `Hardware`."""
        self._actions.act(action)

    def light_readings(self) -> tuple[LedReading, ...]:
        """What the lights were told to show."""
        return tuple(LedReading(light.facts.name, light.reading()) for light in self._lights.values())

    async def run(self, measured: Callable[[], None], handle_moved: Callable[[bool], None]) -> None:
        """Measure, and carry out what is written, until cancelled.

        `measured` is called after every look at the sensors, `handle_moved` with whether the handle is open when it
        was moved.
        """
        # One thread of its own: of several that wait for work, each piece of it wakes two.
        thread = ThreadPoolExecutor(1, thread_name_prefix="board")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._writes.run(), name="write to the board")
                tasks.create_task(self._look_on(thread, measured, handle_moved), name="look at the board")
        finally:
            thread.shutdown(wait=False)

    async def read_handle(self) -> bool | None:
        """Tell whether the handle is open; None where that is not known."""
        return _known(await asyncio.get_running_loop().run_in_executor(None, self._board.read_handle))

    async def _look_on(
        self, thread: Executor, measured: Callable[[], None], handle_moved: Callable[[bool], None]
    ) -> None:
        """Look at the handle and all else at once: it is being woken that costs, not what is read."""
        loop = asyncio.get_running_loop()
        handle_is_open: bool | None = None
        find_again_s = loop.time()
        while True:
            now_s = loop.time()
            find_again = now_s >= find_again_s
            look = await loop.run_in_executor(thread, _look, self._board, find_again)
            if find_again:
                find_again_s = now_s + FIND_AGAIN_S
            self.measurements.take(look.readings)
            self._follow(measured)
            # A switch that cannot be read any more has not moved.
            if look.handle_is_open is not None and look.handle_is_open is not handle_is_open:
                handle_is_open = look.handle_is_open
                handle_moved(handle_is_open)
            await asyncio.sleep(now_s + LOOK_S - loop.time())

    def _follow(self, measured: Callable[[], None]) -> None:
        if self._fan:
            self._fan.follow()
        measured()


class _Look(Struct):
    handle_is_open: bool | None
    readings: dict[tuple[str, str], Reading]


def _look(board: Board, find_again: bool) -> _Look:  # noqa: FBT001 -- by position, for a thread
    if find_again:
        board.find_again()
    return _Look(_known(board.read_handle()), measure(board))


def _known(handle_is_open: bool | Unknown | None) -> bool | None:  # noqa: FBT001 -- a reading
    return handle_is_open if isinstance(handle_is_open, bool) else None
