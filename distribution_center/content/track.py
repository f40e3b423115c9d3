"""Time stamps and lengths of one stream of a film: some 30 bytes a picture or sound, however long the film is."""

from array import array
from dataclasses import dataclass
from itertools import compress, pairwise
from statistics import median

from distribution_center.content.source import MediaPacket, time_us
from distribution_center.content.timeline import Shift

_UNKNOWN_STEP_US = 40_000
_STEPS_LOOKED_AT = 1000


@dataclass(frozen=True)
class TrackTable:
    """When each picture or sound of a program is due at the decoder, and its length, in the order of decoding."""

    due_us: "array[int]"
    lengths: "array[int]"


class Track:
    """One stream as it is read. Times are on the film's own clock until `move`."""

    def __init__(self) -> None:
        self.due_us = array("q")
        self.in_order = True
        """Whether all are dated, and due one after the other."""
        self._shown_us = array("q")
        self._lasts_us = array("l")
        self._lengths = array("l")
        self._counts = array("b")
        """Whether it is shown or heard: what is discarded only helps to decode others."""
        self._keys = array("l")

    @property
    def count(self) -> int:
        """Packets read, those without bytes included."""
        return len(self.due_us)

    @property
    def last_due_us(self) -> int:
        """When the one read last is decoded."""
        return self.due_us[-1]

    @property
    def read_us(self) -> int:
        """From the first to the last one read."""
        return self.due_us[-1] - self.due_us[0] if self.count else 0

    def add(self, packet: MediaPacket, *, key: bool) -> tuple[int, int, int]:
        """Read one packet: when it is due and shown, and how long."""
        stamps = [stamp for stamp in (packet.dts, packet.pts) if stamp is not None]
        lasts_us = time_us(packet.duration, packet)
        if stamps:
            due_us, shown_us = time_us(stamps[0], packet), time_us(stamps[-1], packet)
        else:
            due_us = shown_us = self.due_us[-1] + (self._lasts_us[-1] or _UNKNOWN_STEP_US) if self.count else 0
        if packet.size:
            self.in_order &= len(stamps) == 2
        if key:
            self._keys.append(self.count)
        self.due_us.append(due_us)
        self._shown_us.append(shown_us)
        self._lasts_us.append(lasts_us)
        self._lengths.append(packet.size)
        self._counts.append(not packet.is_discard)
        return due_us, shown_us, lasts_us

    def move(self, shift: Shift) -> None:
        """All has been read: put it on the film's time line."""
        for place in range(self.count):
            by_us = shift.next_us()
            self.due_us[place] += by_us
            self._shown_us[place] += by_us
        self.in_order &= all(before < after for before, after in pairwise(compress(self.due_us, self._lengths)))

    @property
    def begin_us(self) -> int:
        """When the first in time is shown or heard; of a stream that has any."""
        return min(compress(self._shown_us, self._counts), default=self._shown_us[0])

    @property
    def last_us(self) -> int:
        """When the last in time begins."""
        return max(compress(self._shown_us, self._counts), default=self._shown_us[-1])

    @property
    def end_us(self) -> int:
        """When the last in time ends. If it is not decoded last, its stated length is until the next one is decoded."""
        is_last_decoded = self._shown_us[-1] == self.last_us
        return self.last_us + (self._lasts_us[-1] if is_last_decoded and self._lasts_us[-1] else self.usual_step_us())

    @property
    def begins_with_key(self) -> bool:
        """Whether decoding can begin with the first one."""
        return bool(self._keys) and self._keys[0] == 0

    def keys_us(self) -> list[int]:
        """When decoding can begin."""
        return [self._shown_us[place] for place in self._keys]

    def usual_step_us(self) -> int:
        """How long one lasts, usually; never 0."""
        shown = sorted(self._shown_us[:_STEPS_LOOKED_AT])
        steps = [after - before for before, after in pairwise(shown) if after > before]
        return round(median(steps)) if steps else max(self._lasts_us, default=0) or _UNKNOWN_STEP_US

    def table(self, begin_us: int, *, first_us: int | None = None) -> TrackTable:
        """What is sent of it, counted from the beginning of the program; the first one is shown at `first_us`."""
        sent = [bool(length and counts) for length, counts in zip(self._lengths, self._counts, strict=True)]
        due_us = array("q", (due - begin_us for due in compress(self.due_us, sent)))
        if first_us is not None and due_us:
            due_us[0] -= self.begin_us - first_us
        return TrackTable(due_us, array("l", compress(self._lengths, sent)))
