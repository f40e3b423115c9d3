"""Opening what a turn sends: its segment, as far as it is here, and what it is to be at another speed."""

import asyncio
from contextlib import suppress

from blade_agent.main_board.engine.sending.read_ahead import window_bytes
from blade_agent.main_board.engine.sending.transmission import Transmission, TransmissionWatch
from blade_agent.main_board.engine.sending.trick_play import TrickPlay
from blade_agent.main_board.engine.store.arriving import Arrivals, ArrivingSegment, open_arriving
from blade_agent.main_board.engine.store.errors import NotHeld
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.engine.store.stored_segment import StoredSegment
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.streaming import Preload
from media_network.packets import TS_PACKET_BYTES
from media_network.segment_index import BadIndex, SegmentIndex, parse_index

_ARRIVES_WITHIN_S = 0.6
"""So long who asks to preload is kept waiting for the first bytes of a segment that is being received."""


class TurnOpener:
    """Opens what is held, and what is being received."""

    def __init__(self, store: SegmentStore, arrivals: Arrivals) -> None:
        self._store = store
        self._arrivals = arrivals

    async def open(self, request: Preload, progress: TransmissionWatch) -> Transmission:
        """A transmission with its first window in memory. Raises StoreError, ValueError for a bad console address."""
        console = Address.parse(request.console)
        cut = Cut(request.program, request.table)
        stored = await self._segment(cut, request)
        try:
            trick = None
            if request.trick:
                index = await self._index(cut, request, stored)
                trick = TrickPlay(index, request.trick, request.rate_bps, stored.length_bytes)
            transmission = Transmission(stored, console, request.rate_bps, progress, trick, rtp=request.rtp)
            await transmission.read_first(request.packet)
        except BaseException:
            stored.close()
            raise
        return transmission

    async def _index(self, cut: Cut, request: Preload, stored: StoredSegment) -> SegmentIndex:
        """Where the pictures of a segment are. Raises StoreError."""
        segment, index = request.segment, None
        if isinstance(stored, ArrivingSegment):
            index = stored.index
        else:
            octets = await self._store.read_index(cut, segment.number)
            with suppress(BadIndex):
                index = parse_index(
                    octets, packets=segment.packets, ticks=segment.duration_ticks, length_bytes=segment.length_bytes
                )
        if index is None:
            raise NotHeld(cut.program, segment.number)
        return index

    async def _segment(self, cut: Cut, request: Preload) -> StoredSegment:
        """A segment that is held, or one that is being received: that when the first of it can be sent.

        Raises StoreError.
        """
        segment = request.segment
        arrival = self._arrivals.find(cut, segment.number)
        if not self._store.holds(cut, segment) and arrival and arrival.segment == segment:
            # At another speed what is needed first is the beginning.
            packet = 0 if request.trick else request.packet
            first_bytes = packet * TS_PACKET_BYTES + window_bytes(request.rate_bps)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ARRIVES_WITHIN_S):
                    if coming := await open_arriving(arrival, min(first_bytes, segment.length_bytes) - 1):
                        return coming
        if not self._store.holds(cut, segment):
            raise NotHeld(cut.program, segment.number)
        return await self._store.read(cut, segment.number)
