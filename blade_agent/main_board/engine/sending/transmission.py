"""A segment on its way out: its bytes, its schedule, and where they go. It knows nothing of turns and messages."""

from typing import Protocol

from blade_agent.main_board.engine.sending.pacing import Pacing
from blade_agent.main_board.engine.sending.read_ahead import ReadAhead
from blade_agent.main_board.engine.store.stored_segment import StoredSegment
from media_network.address import Address
from media_network.packets import TS_PACKET_BYTES


class TransmissionWatch(Protocol):
    """Whoever has to know how a transmission fares."""

    def moved(self, now_s: float, *, left: bool) -> None:
        """More may have been sent; `left` says that all of that has left the machine."""
        ...

    def failed(self) -> None:
        """The segment cannot be read: its file is damaged, or the whole channel."""
        ...


class Transmission:
    """What is sent, and how far it is. The caller closes it."""

    def __init__(self, stored: StoredSegment, to: Address, rate_bps: int, progress: TransmissionWatch) -> None:
        self.stored = stored
        self.to = to
        self.progress = progress
        self.read_ahead = ReadAhead(stored.length_bytes, rate_bps)
        self._rate_bps = rate_bps
        self._packets = stored.length_bytes // TS_PACKET_BYTES
        self.pacing = Pacing(rate_bps, self._packets, 0, 0.0)

    async def read_first(self, packet: int) -> None:
        """Have the window that begins with this packet in memory. Raises ChannelFailed."""
        self.read_ahead.seek(packet * TS_PACKET_BYTES)
        if part := self.read_ahead.ask():
            await self.stored.read_into(*part)
            self.read_ahead.put(part)

    def begin(self, packet: int, due_s: float) -> None:
        """Lay down the schedule: this packet first, due then."""
        self.pacing = Pacing(self._rate_bps, self._packets, packet, due_s)
        self.read_ahead.seek(packet * TS_PACKET_BYTES)

    def close(self) -> None:
        """Let go of the segment."""
        self.stored.close()
