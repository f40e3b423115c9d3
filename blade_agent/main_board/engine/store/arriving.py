"""Segments that are being received, for those who read them meanwhile (claim 14): as far as they are verified.

Whoever copies says how far that is. No reader gets a byte beyond it, for what has not been verified may be anything.
"""

import asyncio
from contextlib import suppress
from typing import BinaryIO

from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.layout import SegmentKey, content_of
from blade_agent.main_board.engine.store.reception import SegmentReception
from blade_agent.main_board.engine.store.stored_segment import Filling, StoredSegment
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.segment_index import SegmentIndex
from media_network.segment_table import Segment


class ArrivalBroken(StoreError):
    """A segment that was being received does not come: who reads it gets no more of it."""

    def __init__(self, program: ProgramId, number: int) -> None:
        super().__init__(program, number)
        self.program = program
        self.number = number

    def __str__(self) -> str:
        return f"segment {self.number} of {self.program} does not come: its copy has failed"


class Arrival:
    """One segment on its way in, from the order to receive it on."""

    def __init__(self, cut: Cut, segment: Segment) -> None:
        self.key = SegmentKey(cut, segment.number)
        self.segment = segment
        self.reception: SegmentReception | None = None
        """Where it is received at present."""
        self.over = False
        self.stored = False
        self._moved = asyncio.Event()
        self._began: tuple[SegmentReception, float, int] | None = None
        """What is being received, since when, and what there was of it then."""
        self._last_at = 0.0

    def tell(self) -> None:
        """More may be verified, or nothing more comes."""
        reception, self._last_at = self.reception, asyncio.get_running_loop().time()
        if reception and (self._began is None or self._began[0] is not reception):
            self._began = reception, self._last_at, reception.length_bytes
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def next_word(self) -> asyncio.Event:
        """Set when somebody tells the next time: to be asked for before looking, so that nothing is missed."""
        return self._moved

    def filling(self) -> Filling | None:
        """How it comes in; None: nothing of it does."""
        if self._began is None:
            return None
        reception, began_at, began_bytes = self._began
        come, took_s = reception.length_bytes - began_bytes, self._last_at - began_at
        return Filling(
            length_bytes=self.segment.length_bytes,
            verified_bytes=reception.verified_bytes,
            began_at=began_at,
            began_bytes=began_bytes,
            bytes_s=come / took_s if took_s > 0 else 0.0,
        )

    def breakage(self) -> ArrivalBroken:
        """What is said to who waits for it in vain."""
        return ArrivalBroken(self.key.cut.program, self.key.number)


class ArrivingSegment(StoredSegment):
    """A segment on its way in, open for reading as far as it is verified.

    It reads what one reception writes: where that is given up, another one begins another file.
    """

    def __init__(self, arrival: Arrival, reception: SegmentReception, file: BinaryIO) -> None:
        super().__init__(arrival.key, content_of(arrival.segment), reception.channel, file)
        self._arrival = arrival
        self._reception = reception

    @property
    def readable_bytes(self) -> int:
        """See `StoredSegment`."""
        return self._reception.verified_bytes

    @property
    def broken(self) -> bool:
        """See `StoredSegment`."""
        return not self._reception.stored and self._arrival.reception is not self._reception

    @property
    def index(self) -> SegmentIndex | None:
        """What is known of its inside; None: it has no index, or one of a newer layout."""
        return self._reception.index

    @property
    def filling(self) -> Filling | None:
        """See `StoredSegment`."""
        return None if self.readable_bytes == self.length_bytes else self._arrival.filling()

    async def past(self, offset: int) -> int:
        """See `StoredSegment`. Raises ArrivalBroken."""
        while self.readable_bytes <= offset:
            if self.broken:
                raise self._arrival.breakage()
            await self._arrival.next_word().wait()
        return self.readable_bytes


class Arrivals:
    """All that is on its way into a store."""

    def __init__(self) -> None:
        self._arrivals: dict[SegmentKey, Arrival] = {}

    def begin(self, cut: Cut, segment: Segment) -> Arrival:
        """A segment is going to be received."""
        arrival = Arrival(cut, segment)
        self._arrivals[arrival.key] = arrival
        return arrival

    def end(self, arrival: Arrival, *, stored: bool) -> None:
        """It has been, or is given up; what is said of it later does not matter."""
        if arrival.over:
            return
        if self._arrivals.get(arrival.key) is arrival:
            del self._arrivals[arrival.key]
        arrival.over, arrival.stored, arrival.reception = True, stored, None
        arrival.tell()

    def find(self, cut: Cut, number: int) -> Arrival | None:
        """A segment on its way in; None: it is not."""
        return self._arrivals.get(SegmentKey(cut, number))


async def open_arriving(arrival: Arrival, past: int) -> ArrivingSegment | None:
    """Open a segment that is coming, as soon as it is verified past an offset; the caller closes it.

    None: it is stored by now, and to be read as any other. Raises ArrivalBroken, ChannelFailed.
    """
    while not arrival.over:
        word, reception = arrival.next_word(), arrival.reception
        if reception and reception.verified_bytes > past:
            channel = reception.channel
            with suppress(FileNotFoundError):  # it is just getting its name
                file = await channel.run(channel.files.read, reception.partial)
                if arrival.reception is reception or reception.stored:
                    return ArrivingSegment(arrival, reception, file)
                file.close()
                continue
        await word.wait()
    if not arrival.stored:
        raise arrival.breakage()
    return None
