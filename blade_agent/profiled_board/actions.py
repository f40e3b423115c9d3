"""What is done to the main board from outside: after the answer to who asked has gone out."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from blade_agent.cbc.hardware import BoardAction
from blade_agent.profiled_board.power import KeptPower, MainBoardPower
from blade_agent.run_command import run_command

CYCLE_OFF_S: Final = 2.0
"""How long a power cycle leaves the main board off."""
DRAIN_MOST_S: Final = 10.0
_DRAIN_LOOK_S: Final = 0.25
_COMMAND_WITHIN_S: Final = 60.0
"""A command that resets the board or switches it off never ends where it works."""

_RESETS: Final = {BoardAction.HARD_RESET, BoardAction.WARM_RESET, BoardAction.POWER_CYCLE, BoardAction.GRACEFUL_REBOOT}
_OFF: Final = {BoardAction.POWER_OFF, BoardAction.SHUTDOWN}
_GRACEFUL: Final = {BoardAction.GRACEFUL_REBOOT, BoardAction.SHUTDOWN}
ACTIONS: Final = frozenset(_RESETS | _OFF | {BoardAction.POWER_ON})


class BoardCommands(Struct, frozen=True, kw_only=True):
    """Programs, with their arguments, that act on the whole board and take the CBC along; empty: there is none."""

    reset: tuple[str, ...] = ()
    power_off: tuple[str, ...] = ()


class BoardActions:
    """Acts on the main board's software or, where there is a command for it, on the whole board."""

    def __init__(self, power: MainBoardPower, kept: KeptPower, commands: BoardCommands) -> None:
        self._power = power
        self._kept = kept
        self._commands = commands
        self._next: asyncio.Handle | None = None
        self._running: set[asyncio.Task[None]] = set()

    def act(self, action: BoardAction) -> None:
        """Begin one of `ACTIONS`. What an earlier one still had to do is no longer done."""
        self._soon(lambda: self._begin(action))

    def _begin(self, action: BoardAction) -> None:
        if action is BoardAction.POWER_ON:
            self._choose(on=True)
            self._power.on()
        elif self._power.is_on:
            if action in _GRACEFUL:
                self._drain(action, asyncio.get_running_loop().time() + DRAIN_MOST_S)
            else:
                self._carry_out(action)
        elif action in _OFF:
            self._choose(on=False)

    def _drain(self, action: BoardAction, until_s: float) -> None:
        """Ask until nothing is carried any more, or it takes too long."""
        loop = asyncio.get_running_loop()
        if self._power.hand_over() and loop.time() < until_s:
            self._later(_DRAIN_LOOK_S, lambda: self._drain(action, until_s))
        else:
            self._carry_out(action)

    def _carry_out(self, action: BoardAction) -> None:
        command = self._commands.power_off if action in _OFF else self._commands.reset
        if command:
            self._run(command)
            return
        if action in _OFF:
            self._choose(on=False)
        self._power.off()
        if action is BoardAction.POWER_CYCLE:
            self._later(CYCLE_OFF_S, self._power.on)
        elif action in _RESETS:
            self._power.on()

    def _choose(self, *, on: bool) -> None:
        self._kept.choose(msgspec.structs.replace(self._kept.choice, on=on))

    def _run(self, command: tuple[str, ...]) -> None:
        task = asyncio.get_running_loop().create_task(
            run_command(command, within_s=_COMMAND_WITHIN_S), name=f"run {command[0]}"
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _soon(self, call: Callable[[], None]) -> None:
        self._cancel()
        self._next = asyncio.get_running_loop().call_soon(call)

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._cancel()
        self._next = asyncio.get_running_loop().call_later(delay_s, call)

    def _cancel(self) -> None:
        if self._next is not None:
            self._next.cancel()
