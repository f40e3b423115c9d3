"""Emulated serial lines: the backplane's UARTs as pairs of pseudo-terminals.

A PTY has no baud rate, and code that was only run on one hides its timing faults; so each line carries its bytes one
after the other at its own rate, ten bits a byte (start, eight data, stop). Each end of a line is a PTY of which the
program on that end opens the slave by its path. The environment keeps the slaves open itself, so that a blade that
dies and comes back finds its line where it was. Faults on purpose come upon the bytes before they enter the wire.
"""

import asyncio
import os
import termios
import tty
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chassis_emulator.faults.kinds import Direction, LineFault
from chassis_emulator.lines.impairment import Impairment, ImpairmentCounters

_BITS_A_BYTE = 10
_FIFO_BYTES = 4096
"""What a sender may have written before its tty makes it wait, as the kernel's own."""
_READ_BYTES = 1024
_TICK_S = 0.001
"""The event loop wakes no oftener; bytes due meanwhile are delivered together."""


class Wire:
    """One direction of a line: bytes in, and out again when the last of their bits has passed. Does no I/O.

    Times are seconds on any clock that does not go back.
    """

    def __init__(self, baud_rate: int) -> None:
        self._byte_s = _BITS_A_BYTE / baud_rate
        self._waiting: deque[bytes] = deque()
        self._in_flight = 0
        self._free_at = 0.0

    @property
    def in_flight(self) -> int:
        """Bytes accepted and not yet delivered."""
        return self._in_flight

    @property
    def full(self) -> bool:
        """Whether the sender must wait."""
        return self._in_flight >= _FIFO_BYTES

    def push(self, data: bytes, now: float) -> None:
        """Accept bytes from the sender."""
        if not self._in_flight:
            self._free_at = max(self._free_at, now)
        self._waiting.append(data)
        self._in_flight += len(data)

    def due(self, now: float) -> bytes:
        """The bytes that have passed by `now`."""
        # A clock read a rounding error early must not cost the byte a whole tick.
        passed = min(self._in_flight, int((now - self._free_at) / self._byte_s + 1e-6))
        if passed <= 0:
            return b""
        self._in_flight -= passed
        self._free_at += passed * self._byte_s
        return self._take(passed)

    def next_at(self, now: float) -> float | None:
        """When to call `due` again: the end of what is in flight, but no later than a tick; None if nothing is."""
        if not self._in_flight:
            return None
        first, last = self._free_at + self._byte_s, self._free_at + self._in_flight * self._byte_s
        return max(first, min(last, now + _TICK_S))

    def _take(self, count: int) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            chunk = self._waiting.popleft()
            room = count - len(taken)
            taken += chunk[:room]
            if len(chunk) > room:
                self._waiting.appendleft(chunk[room:])
        return bytes(taken)


@dataclass
class WireCounters:
    """What one direction has carried."""

    delivered_bytes: int = 0
    overrun_bytes: int = 0
    """Lost because the receiver had not read what came before, as in a UART's overrun."""


class _Direction:
    """Carries bytes from one master to another."""

    def __init__(self, source: int, sink: int, baud_rate: int) -> None:
        self._source = source
        self._sink = sink
        self._wire = Wire(baud_rate)
        self._timer: asyncio.TimerHandle | None = None
        self._reading = False
        self.impairment = Impairment()
        self.plugged = True
        """Whether there is a blade at the line; without one all bytes are lost."""
        self.counters = WireCounters()

    def open(self) -> None:
        self._listen(wanted=True)

    def close(self) -> None:
        self._listen(wanted=False)
        if self._timer:
            self._timer.cancel()

    def suffer(self, faults: Sequence[LineFault], way: str) -> None:
        self.impairment.suffer(faults, way, asyncio.get_running_loop().time())
        self._wake_when_due()

    def _listen(self, *, wanted: bool) -> None:
        loop = asyncio.get_running_loop()
        if wanted and not self._reading:
            loop.add_reader(self._source, self._read)
        elif self._reading and not wanted:
            loop.remove_reader(self._source)
        self._reading = wanted

    @property
    def _full(self) -> bool:
        return self._wire.full or self.impairment.held_bytes >= _FIFO_BYTES

    def _read(self) -> None:
        try:
            data = os.read(self._source, _READ_BYTES)
        except BlockingIOError:
            return
        if not self.plugged:
            return
        now = asyncio.get_running_loop().time()
        if self.impairment.clear:
            self._wire.push(data, now)
        else:
            self.impairment.push(data, now)
            self._enter_wire(now)
        self._listen(wanted=not self._full)
        self._wake_when_due()

    def _enter_wire(self, now: float) -> None:
        data = self.impairment.due(now)
        if data and not self._wire.full:
            self._wire.push(data, now)

    def _wake_when_due(self) -> None:
        """See that `_deliver` is called when the next byte is due, and no earlier."""
        loop = asyncio.get_running_loop()
        moments = (self._wire.next_at(loop.time()), self.impairment.next_at())
        at = min((moment for moment in moments if moment is not None), default=None)
        if self._timer is not None:
            if at is not None and self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = None if at is None else loop.call_at(at, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        if not self.impairment.clear:
            self._enter_wire(now)
        self._write(self._wire.due(now))
        self._listen(wanted=not self._full)
        self._wake_when_due()

    def _write(self, data: bytes) -> None:
        if not self.plugged:
            return
        try:
            written = os.write(self._sink, data) if data else 0
        except BlockingIOError:
            written = 0
        self.counters.delivered_bytes += written
        self.counters.overrun_bytes += len(data) - written


@dataclass(frozen=True)
class _Terminal:
    """A pseudo-terminal in raw mode."""

    master: int
    slave: int
    path: str

    @classmethod
    def make(cls) -> "_Terminal":
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        return cls(master, slave, os.ttyname(slave))

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


class Line:
    """One serial line of the backplane, between a blade and the chassis manager."""

    def __init__(self, blade: _Terminal, manager: _Terminal, baud_rate: int) -> None:
        self._blade = blade
        self._manager = manager
        self._to_manager = _Direction(blade.master, manager.master, baud_rate)
        self._to_blade = _Direction(manager.master, blade.master, baud_rate)

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
        termios.tcflush(self._blade.slave, termios.TCIFLUSH)

    def forget_unread_at_manager(self) -> None:
        """Drop what a chassis manager that died had not read."""
        termios.tcflush(self._manager.slave, termios.TCIFLUSH)


@contextmanager
def open_line(baud_rate: int) -> Iterator[Line]:
    """A line that carries bytes on the running loop while the context is open."""
    line = Line(_Terminal.make(), _Terminal.make(), baud_rate)
    line.open()
    try:
        yield line
    finally:
        line.close()
