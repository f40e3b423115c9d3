"""One direction of an emulated line: what was written to one pseudo-terminal comes out of another, paced."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass

from chassis_emulator.faults.kinds import LineFault
from chassis_emulator.lines.impairment import Impairment
from chassis_emulator.lines.wire import FIFO_BYTES, Wire

_READ_BYTES = 1024


@dataclass
class WireCounters:
    """What one direction has carried."""

    delivered_bytes: int = 0
    overrun_bytes: int = 0
    """Lost because the receiver had not read what came before, as in a UART's overrun."""


class OneWay:
    """Carries bytes from one master to another; faults befall them before they enter the wire."""

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
        """Carry from now on, on the running loop."""
        self._listen(wanted=True)

    def close(self) -> None:
        """Carry no more."""
        self._listen(wanted=False)
        if self._timer:
            self._timer.cancel()

    def suffer(self, faults: Sequence[LineFault], way: str) -> None:
        """Have these faults, and no others, from now on. `way` names the direction of all lines."""
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
        return self._wire.full or self.impairment.held_bytes >= FIFO_BYTES

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
