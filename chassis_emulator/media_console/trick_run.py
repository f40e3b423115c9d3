"""A run of a stream at another speed: key pictures alone, of which no digest is known."""

from typing import TYPE_CHECKING

from chassis_emulator.media_console.reassembly import EarlierRun
from chassis_emulator.media_console.reception import ReceivedSegment
from media_network.messages.watching import ProgramPoint
from media_network.packets import TS_PACKET_BYTES
from media_network.program_header import ProgramHeader
from media_network.trick import Trick

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

_ROUNDING_BYTES = 4 * TS_PACKET_BYTES
"""A packet a turn, of which one or two are told together."""


class TrickRun:
    """Datagrams in; how far the stream is in the program follows from how many have come."""

    def __init__(self, program: ProgramHeader, after: EarlierRun, begins: ProgramPoint, trick: Trick) -> None:
        self._program = program
        self._begins = begins
        self._scale = trick.scale
        self._digest = after.digest()
        self._told_packets = 0
        self.source = after.source
        self.bytes = 0
        self.hand_overs = 0
        self.strays = 0
        self.segments: list[ReceivedSegment] = []
        """None: no segment comes."""

    def feed(self, datagram: bytes, source: str) -> bool:
        """Take a datagram. False, and not taken, if it cannot be one of the stream's."""
        if not datagram or len(datagram) % TS_PACKET_BYTES:
            self.strays += 1
            return False
        if source != self.source:
            self.hand_overs += bool(self.source)
            self.source = source
        self._digest.update(datagram)
        self.bytes += len(datagram)
        return True

    def tell(self, trick: Trick | None, packet: int) -> None:
        """A turn has begun with this packet of it."""
        if trick:
            self._told_packets += trick.packets - packet

    def break_off(self, left: ProgramPoint) -> None:
        """The stream has jumped from there."""

    def finish(self, *, stopped: bool) -> None:
        """Nothing more will come."""

    def digest(self) -> "HASH":
        """Of everything accepted, to go on with."""
        return self._digest.copy()

    def missing_bytes(self, left: ProgramPoint) -> int:
        """How much of it has yet to come where it has ended there."""
        packets = abs(left.packets - self._begins.packets) // abs(self._scale)
        return packets * TS_PACKET_BYTES - self.bytes + _ROUNDING_BYTES

    @property
    def reached_bytes(self) -> int:
        """How many bytes of the program lie before what comes next, if nothing was lost."""
        reached = self._begins.packets * TS_PACKET_BYTES + self.bytes * self._scale
        return min(max(0, reached), self._program.length_bytes)

    @property
    def is_whole(self) -> bool:
        """Never: its end is told."""
        return False

    @property
    def is_ahead(self) -> bool:
        """Whether another turn has begun than those that were told."""
        return self.bytes > self._told_packets * TS_PACKET_BYTES

    @property
    def sha256(self) -> str:
        """Of everything accepted."""
        return self._digest.hexdigest()
