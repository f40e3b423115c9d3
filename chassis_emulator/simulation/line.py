"""A simulated serial wire: two ends, bytes at the pace of a baud rate, noise, cuts.

An end is a `blade_agent.backplane.line.Line`. The wire stays when the host at its end crashes; the next boot opens its
end again.
"""

import random
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import partial

from blade_agent.backplane.line import Line
from chassis_emulator.faults.kinds import Direction, LineFault
from chassis_emulator.lines.impairment import Impairment
from chassis_emulator.simulation.hosts import CURRENT_BOOT
from chassis_emulator.simulation.links import Links

_BITS_A_BYTE = 10  # 8N1: a start bit, eight data bits, a stop bit
_FIFO_BYTES = 16
_UNSENT_BYTES_MAX = 4096


class SerialWire:
    """A wire between two UARTs, ends 0 and 1."""

    def __init__(self, links: Links, rng: random.Random, name: str, baud_rate_bps: int = 115200) -> None:
        self.links = links
        self.rng = rng
        self.name = name
        self.byte_s = _BITS_A_BYTE / baud_rate_bps
        self.bit_error_rate = 0.0
        self.delay_s = 0.0
        self.is_cut = False
        self.errors = 0
        """Bytes that arrived other than they were sent, or not at all."""
        self._impairments = (Impairment(), Impairment())
        """By the end that sends: 0 the blade's, 1 the chassis manager's."""
        self.faults: tuple[LineFault, ...] = ()
        self._ends: list[LineEnd | None] = [None, None]

    def open(self, side: int) -> "LineEnd":
        """Take hold of an end, for the host that runs. Who held it hears nothing any more."""
        end = LineEnd(self, side)
        self._ends[side] = end
        return end

    def suffer(self, faults: Sequence[LineFault]) -> None:
        """Have these faults, and no others, from now on."""
        self.faults = tuple(faults)
        for source, way in enumerate((Direction.TO_MANAGER, Direction.TO_BLADE)):
            concerned = [fault for fault in faults if fault.direction in (Direction.BOTH, way)]
            self._impairments[source].suffer(concerned, f"{self.name}/{way}", self.links.now_s)
            self._release_when_due(source)

    def carry(self, source: int, content: bytes) -> None:
        """Some bytes have come to the other end."""
        if self.is_cut:
            self.errors += len(content)
            return
        impairment = self._impairments[source]
        if impairment.clear:
            self._arrive(source, content)
        else:
            impairment.push(content, self.links.now_s)
            self._release(source)

    def _release(self, source: int) -> None:
        content = self._impairments[source].due(self.links.now_s)
        if content:
            self._arrive(source, content)
        self._release_when_due(source)

    def _release_when_due(self, source: int) -> None:
        at_s = self._impairments[source].next_at()
        if at_s is not None:
            self.links.at(at_s, self._release, source)

    def _arrive(self, source: int, content: bytes) -> None:
        content = self._disturb(content)
        self.links.trace("serial", f"{self.name}/{source}", f"{self.name}/{1 - source}", content)
        end = self._ends[1 - source]
        if end:
            end.arrive(content)

    def _disturb(self, content: bytes) -> bytes:
        if not self.bit_error_rate:
            return content
        disturbed = bytearray(content)
        for index in range(len(disturbed)):
            if self.rng.random() < 8 * self.bit_error_rate:
                disturbed[index] ^= 1 << self.rng.randrange(8)
                self.errors += 1
        return bytes(disturbed)


class LineEnd(Line):
    """A UART at one end of a wire, held by one boot."""

    def __init__(self, wire: SerialWire, side: int) -> None:
        self._wire = wire
        self._side = side
        self._boot = CURRENT_BOOT.get()
        self._context: Context = copy_context()
        self._receive: Callable[[bytes], None] | None = None
        self._free_at_s = 0.0
        self._open = True
        self.dropped_bytes = 0
        """Bytes not sent because too many waited already."""

    def attach(self, receive: Callable[[bytes], None]) -> None:
        """Hand what arrives to `receive` from now on, in the pieces in which a UART's FIFO gives them."""
        self._receive = receive
        self._context = copy_context()

    def write(self, data: bytes) -> None:
        """Send without waiting; drop the whole when the line is so far behind that its buffer is full."""
        if not self.usable:
            return
        wire = self._wire
        begins_s = max(wire.links.now_s, self._free_at_s)
        if (begins_s - wire.links.now_s) / wire.byte_s + len(data) > _UNSENT_BYTES_MAX:
            self.dropped_bytes += len(data)
            return
        sent = 0
        while sent < len(data):
            piece = data[sent : sent + wire.rng.randint(1, _FIFO_BYTES)]
            sent += len(piece)
            self._free_at_s = begins_s + sent * wire.byte_s
            wire.links.at(self._free_at_s + wire.delay_s, partial(wire.carry, self._side, piece))

    def arrive(self, content: bytes) -> None:
        """Bytes came from the wire."""
        if self.usable and self._receive:
            if self._boot:
                self._boot.call(self._context, self._receive, content)
            else:
                self._context.run(self._receive, content)

    def close(self) -> None:
        """Give the end back. Nothing is received afterwards."""
        self._open = False

    @property
    def usable(self) -> bool:
        """Whether it is open. A UART cannot tell that the wire is cut."""
        return self._open and (self._boot is None or self._boot.alive)
