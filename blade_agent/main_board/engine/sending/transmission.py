"""A segment on its way out: its bytes, its schedule, and where they go. It knows nothing of turns and messages."""

from typing import NamedTuple, Protocol

from blade_agent.main_board.engine.sending.pacing import Pacing
from blade_agent.main_board.engine.sending.read_ahead import ReadAhead, SegmentPart
from blade_agent.main_board.engine.sending.trick_play import TrickPlay
from blade_agent.main_board.engine.store.stored_segment import StoredSegment
from media_network.address import Address
from media_network.packets import TS_PACKET_BYTES
from media_network.rtp import RtpPlace

_SWAPPED_WITHIN_S = 0.3
"""So long before it is due what is needed should be here: who takes over has to be asked first."""


class TransmissionWatch(Protocol):
    """Whoever has to know how a transmission fares."""

    def moved(self, now_s: float, *, left: bool) -> None:
        """More may have been sent; `left` says that all of that has left the machine."""
        ...

    def failed(self) -> None:
        """The segment cannot be read: its file is damaged, or the whole channel."""
        ...


class Missed(NamedTuple):
    """A packet that will not be here when it is due, and when that is, by the event loop's time."""

    packet: int
    due_s: float


class Bytes(Protocol):
    """What of a turn is in memory: of its segment as it is, or at another speed."""

    def seek(self, offset: int) -> None:
        """Go on at another place."""
        ...

    def ask(self, readable_bytes: int) -> SegmentPart | None:
        """The part of the segment to read next; None: nothing now."""
        ...

    def put(self, part: SegmentPart) -> None:
        """Take what has been read for `ask`."""
        ...

    def take(self, length_bytes: int) -> memoryview:
        """Up to so many of the next bytes. Use them before the next call."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether there is something to send."""
        ...


class Transmission:
    """What is sent, and how far it is. The caller closes it."""

    def __init__(
        self,
        stored: StoredSegment,
        to: Address,
        rate_bps: int,
        progress: TransmissionWatch,
        trick: TrickPlay | None = None,
        *,
        rtp: RtpPlace | None = None,
    ) -> None:
        """`trick`: at another speed; `rtp`: its place in the RTP stream that it is part of."""
        self.stored = stored
        self.to = to
        self.progress = progress
        self.read_ahead: Bytes = trick or ReadAhead(stored.length_bytes, rate_bps)
        self._trick = trick
        self.rtp = rtp
        self.rate_bps = rate_bps
        self._packets = trick.packets if trick else stored.length_bytes // TS_PACKET_BYTES
        self.pacing = Pacing(rate_bps, self._packets, 0, 0.0)

    async def read_first(self, packet: int) -> None:
        """Have what begins with this packet in memory, if it may be read. Raises ChannelFailed."""
        self.read_ahead.seek(packet * TS_PACKET_BYTES)
        while not self.read_ahead.is_ready and (part := self.read_ahead.ask(self.stored.readable_bytes)):
            await self.stored.read_into(*part)
            self.read_ahead.put(part)

    def begin(self, packet: int, due_s: float) -> None:
        """Lay down the schedule: this packet first, due then."""
        self.pacing = Pacing(self.rate_bps, self._packets, packet, due_s)
        self.read_ahead.seek(packet * TS_PACKET_BYTES)

    def underrun(self, now_s: float) -> Missed | None:
        """What will be needed before it is here, of a segment that is still arriving (claim 21); None: nothing."""
        filling = self.stored.filling
        if filling is None:
            return None
        needs = self._trick.needs() if self._trick else filling.blocks_to_come(TS_PACKET_BYTES)
        for packet, until_byte in needs:
            if until_byte <= filling.verified_bytes:
                continue
            due_s = self.pacing.due_s(max(packet, self.pacing.packet))
            if filling.here_at(until_byte, now_s) + _SWAPPED_WITHIN_S > due_s:
                return Missed(packet, due_s)
        return None

    def close(self) -> None:
        """Let go of the segment."""
        self.stored.close()
