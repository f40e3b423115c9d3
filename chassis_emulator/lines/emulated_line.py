"""Emulated serial lines: the backplane's UARTs as pairs of pseudo-terminals.

Each end of a line is a PTY of which the program on that end opens the slave by its path; the environment carries the
bytes between the masters. It keeps the slaves open itself, so that a blade that dies and comes back finds its line
where it was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chassis_emulator.faults.kinds import Direction, LineFault
from chassis_emulator.lines.impairment import ImpairmentCounters
from chassis_emulator.lines.one_way import OneWay, WireCounters
from chassis_emulator.lines.terminal import Terminal


class EmulatedLine:
    """One serial line of the backplane, between a blade and the chassis manager."""

    def __init__(self, blade: Terminal, manager: Terminal, baud_rate: int) -> None:
        self._blade = blade
        self._manager = manager
        self._to_manager = OneWay(blade.master, manager.master, baud_rate)
        self._to_blade = OneWay(manager.master, blade.master, baud_rate)

    @property
    def blade_path(self) -> str:
        """Device that the blade opens."""
        return self._blade.path

    @property
    def manager_path(self) -> str:
        """Device that the chassis manager opens."""
        return self._manager.path

    @property
    def to_blade(self) -> WireCounters:
        """What the chassis manager sent."""
        return self._to_blade.counters

    @property
    def to_manager(self) -> WireCounters:
        """What the blade sent."""
        return self._to_manager.counters

    def suffer(self, faults: Sequence[LineFault], name: str) -> None:
        """Have these faults, and no others, from now on. `name` tells lines apart that have the same: each has its own
        chance.
        """
        for way, direction in ((Direction.TO_BLADE, self._to_blade), (Direction.TO_MANAGER, self._to_manager)):
            direction.suffer([fault for fault in faults if fault.direction in (Direction.BOTH, way)], f"{name}/{way}")

    @property
    def impairments(self) -> tuple[ImpairmentCounters, ImpairmentCounters]:
        """What faults have done to it: on the way to the blade, and to the chassis manager."""
        return self._to_blade.impairment.counters, self._to_manager.impairment.counters

    def plug(self, *, plugged: bool) -> None:
        """Let there be a blade at the line, or none: then it is silent, and what the manager sends reaches nobody."""
        self._to_blade.plugged = self._to_manager.plugged = plugged

    def open(self) -> None:
        """Carry bytes from now on."""
        self._to_blade.open()
        self._to_manager.open()

    def close(self) -> None:
        """Carry no more; both devices vanish."""
        self._to_blade.close()
        self._to_manager.close()
        self._blade.close()
        self._manager.close()

    def forget_unread_at_blade(self) -> None:
        """Drop what a blade that died had not read: a UART that loses its power forgets."""
        self._blade.forget_unread()

    def forget_unread_at_manager(self) -> None:
        """Drop what a chassis manager that died had not read."""
        self._manager.forget_unread()


@contextmanager
def open_line(baud_rate: int) -> Iterator[EmulatedLine]:
    """A line that carries bytes on the running loop while the context is open."""
    line = EmulatedLine(Terminal.make(), Terminal.make(), baud_rate)
    line.open()
    try:
        yield line
    finally:
        line.close()
