"""Faults in force: after every change of the book, lines, processes and physics are made to be as it says.

Nothing is done twice and nothing is forgotten: what is to be true follows from the faults that are on, whatever was on
before, so that faults may overlap and end in any order.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

import msgspec

from chassis_emulator.chassis.living_chassis import LivingChassis
from chassis_emulator.faults.book import FaultBook, FaultEntry
from chassis_emulator.faults.hung_channels import hang
from chassis_emulator.faults.kinds import (
    AnyFault,
    BrownOut,
    Crash,
    FanFailure,
    Fault,
    Hang,
    HangingChannel,
    HotInlet,
    LineFault,
    OverTemperature,
    SupplyFailure,
)
from chassis_emulator.faults.targets import Targets, channel_name, supply_name
from chassis_emulator.processes.processes import Process, Processes

_CRASH = "crash"
_Kind = TypeVar("_Kind", bound=Fault)


class FaultsInForce:
    """The faults of a network. `chassis` are by station."""

    def __init__(
        self, targets: Targets, chassis: Mapping[str, LivingChassis], processes: Processes, rng: random.Random
    ) -> None:
        self.book = FaultBook()
        self._targets = targets
        self._chassis = chassis
        self._processes = processes
        self._rng = rng
        self._striking = asyncio.Lock()
        self._changed = asyncio.Event()

    def now(self) -> float:
        """What the book's times are to be compared with."""
        return asyncio.get_running_loop().time()

    async def begin(self, fault: AnyFault, for_s: float | None) -> FaultEntry:
        """Let something go wrong, for a while or until it is cleared. Raises BadTarget."""
        self._targets.befallen(fault)
        if isinstance(fault, LineFault) and fault.seed is None:
            fault = msgspec.structs.replace(fault, seed=self._rng.getrandbits(32))
        entry = self.book.begin(fault, self.now(), for_s)
        await self._strike()
        return entry

    async def clear(self, ids: Iterable[str]) -> tuple[FaultEntry, ...]:
        """End faults by their ids."""
        cleared = self.book.clear(ids)
        await self._strike()
        return cleared

    async def end_in_time(self) -> None:
        """End each fault that has a duration when it is over, until cancelled; then no disk hangs any more."""
        self._strike_channels()  # a network that was killed may have left some that do
        try:
            while True:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self.book.next_end):
                        await self._changed.wait()
                if self.book.expire(self.now()):
                    await self._strike()
        finally:
            self.book.clear([entry.id for entry in self.book.entries])
            self._strike_channels()

    async def _strike(self) -> None:
        self._changed.set()
        async with self._striking:
            self._strike_lines()
            self._strike_physics()
            self._strike_channels()
            await self._strike_processes()
            await asyncio.gather(*(chassis.step() for chassis in self._chassis.values()))

    def _on(self, kind: type[_Kind], victim: str) -> list[_Kind]:
        """The faults of a kind that befall a blade, process, supply or chassis of this name."""
        faults = (entry.fault for entry in self.book.entries)
        return [fault for fault in faults if isinstance(fault, kind) and victim in self._targets.befallen(fault)]

    def _strike_lines(self) -> None:
        for chassis in self._chassis.values():
            for slot in chassis.slots.values():
                slot.line.suffer(self._on(LineFault, slot.plan.name), slot.plan.name)

    def _strike_physics(self) -> None:
        for station, chassis in self._chassis.items():
            physics = chassis.physics
            physics.warm_inlet(sum(fault.rise_k for fault in self._on(HotInlet, station)))
            for number in range(1, chassis.plan.supplies + 1):
                broken = self._on(SupplyFailure, supply_name(station, number))
                physics.break_supply(number, broken=bool(broken))
            for number, slot in chassis.slots.items():
                name = slot.plan.name
                physics.loosen_heat_sink(number, sum(fault.rise_k for fault in self._on(OverTemperature, name)))
                physics.break_fan(number, broken=bool(self._on(FanFailure, name)))
                shares = [fault.voltage_share for fault in self._on(BrownOut, name)]
                physics.brown_out(number, min(shares, default=1.0))

    def _strike_channels(self) -> None:
        for chassis in self._chassis.values():
            for slot in chassis.slots.values():
                for folder in slot.plan.channels:
                    hangs = bool(self._on(HangingChannel, channel_name(slot.plan.name, folder)))
                    hang(folder, hangs=hangs)

    async def _strike_processes(self) -> None:
        for process in self._processes.all:
            await self._crash(process, crashed=bool(self._on(Crash, process.name)))
            hung = bool(self._on(Hang, process.name))
            if process.pid is not None and process.hung != hung:
                await self._processes.hang(process, hung=hung)

    async def _crash(self, process: Process, *, crashed: bool) -> None:
        if crashed and _CRASH not in process.held_by:
            process.held_by.add(_CRASH)
            await self._processes.kill(process)
        elif not crashed and _CRASH in process.held_by:
            process.held_by.discard(_CRASH)
            await self._processes.start(process)
