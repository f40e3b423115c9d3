"""One time line for films that were joined from several: time stamps that begin again, jump or wrap are continued.

No I/O. Where a stream's time jumps a new stretch begins, and the other stream follows into it when its own time jumps.
Stretches are put one behind the other, and inside one sound and picture keep their distance.
"""

from dataclasses import dataclass
from fractions import Fraction

_BACK_US = 100_000
"""Time that runs back further begins again; less is what careless multiplexers write."""
_JOINT_US = 500_000
_AHEAD_US = 10_000_000
"""In containers that are made to be cut, a longer step with nothing in it is where two films were joined."""


@dataclass
class _Stretch:
    """Time stamps that follow each other, of all streams."""

    entered_us: int
    begin_us: int | None = None
    end_us: int = 0

    def cover(self, begin_us: int, end_us: int) -> None:
        if self.begin_us is None:
            self.begin_us, self.end_us = begin_us, end_us
        self.begin_us, self.end_us = min(self.begin_us, begin_us), max(self.end_us, end_us)


class _Reading:
    """Where a stream is."""

    def __init__(self) -> None:
        self.stretch = 0
        self.due_us: int | None = None
        self.packets = 0
        self.entries: list[tuple[int, int]] = []
        """Which packet is the first of which stretch."""


class TimelineReader:
    """Reads time stamps of streams, known by number, in the file's order."""

    def __init__(self, streams: int, *, spliced: bool) -> None:
        self._readings = [_Reading() for _ in range(streams)]
        self._stretches = [_Stretch(0)]
        self._spliced = spliced

    def read(self, stream: int, due_us: int) -> int:
        """The next packet of a stream is due then; the number of the stretch that it is in."""
        reading = self._readings[stream]
        if reading.due_us is not None and self._jumps(reading, due_us):
            reading.stretch = self._next_stretch(reading.stretch, due_us)
            reading.entries.append((reading.packets, reading.stretch))
        reading.due_us = due_us
        reading.packets += 1
        return reading.stretch

    def cover(self, stretch: int, begin_us: int, end_us: int) -> None:
        """A picture or sound lasts from when to when."""
        self._stretches[stretch].cover(begin_us, end_us)

    def is_joint(self, stretch: int, due_us: int) -> bool:
        """Whether a packet is where films were joined: what seems to be missing there never was there."""
        found = self._stretches[stretch]
        begins = stretch > 0 and found.begin_us is not None and due_us < found.begin_us + _JOINT_US
        ends = stretch < len(self._stretches) - 1 and due_us > found.end_us - _JOINT_US
        return begins or ends

    def timeline(self) -> "Timeline":
        """What was read, continued."""
        offsets_us = []
        at_us: int | None = None
        for stretch in self._stretches:
            begin_us = stretch.begin_us if stretch.begin_us is not None else stretch.entered_us
            offset_us = 0 if at_us is None else at_us - begin_us
            offsets_us.append(offset_us)
            at_us = stretch.end_us + offset_us if stretch.begin_us is not None else at_us
        shifts = tuple(
            tuple((packet, offsets_us[stretch]) for packet, stretch in reading.entries) for reading in self._readings
        )
        return Timeline(shifts, len(self._stretches) - 1)

    def _jumps(self, reading: _Reading, due_us: int) -> bool:
        last_us = reading.due_us or 0
        if due_us < last_us - _BACK_US:
            return True
        if not self._spliced or due_us <= last_us + _AHEAD_US:
            return False
        middle_us = (last_us + due_us) // 2  # a still, if the other stream has gone on meanwhile
        return not any(
            other.stretch == reading.stretch and other.due_us is not None and other.due_us > middle_us
            for other in self._readings
            if other is not reading
        )

    def _next_stretch(self, stretch: int, due_us: int) -> int:
        """Where the other stream is already, if that fits; else a new one."""
        for number in range(stretch + 1, len(self._stretches)):
            if abs(due_us - self._stretches[number].entered_us) < _AHEAD_US:
                return number
        self._stretches.append(_Stretch(due_us))
        return len(self._stretches) - 1


@dataclass(frozen=True)
class Timeline:
    """By how much the time stamps of each stream are moved, and from which of its packets on."""

    shifts: tuple[tuple[tuple[int, int], ...], ...]
    """Number of the packet and microseconds, by stream."""
    joints: int
    """How often time jumped."""

    def follow(self, stream: int) -> "Shift":
        """Move the packets of a stream, from its first."""
        return Shift(self.shifts[stream])


class Shift:
    """Tells of packet after packet of one stream how far it is moved."""

    def __init__(self, shifts: tuple[tuple[int, int], ...]) -> None:
        self._coming = list(reversed(shifts))
        self._packets = 0
        self._shift_us = 0

    def next_us(self) -> int:
        """How far the next packet is moved."""
        if self._coming and self._coming[-1][0] == self._packets:
            self._shift_us = self._coming.pop()[1]
        self._packets += 1
        return self._shift_us


def ticks_of(us: int, time_base: Fraction) -> int:
    """Microseconds in a stream's own time."""
    return round(us / (1_000_000 * time_base))
