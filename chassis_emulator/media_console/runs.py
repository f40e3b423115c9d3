"""The runs of a stream: from where it began, or its console had it go on, to where it jumped next.

A stream carries no numbers, so where a run ends among what has come is counted: a director tells where it left off. As
long as a jump may be under way what comes is held, for nobody can say yet of which run it is.
"""

from itertools import accumulate

from chassis_emulator.media_console.reassembly import KEPT_BYTES_MAX, Reassembly
from chassis_emulator.media_console.reception import ReceivedSegment
from chassis_emulator.media_console.trick_run import TrickRun
from media_network.messages.watching import Jump, ProgramPoint
from media_network.packets import TS_PACKET_BYTES
from media_network.program_header import ProgramHeader
from media_network.segment_table import Segment
from media_network.trick import Trick

_PAT_HEADER = b"\x47\x40\x00"
"""What every segment begins with, and so a run after a jump (ISO/IEC 13818-1, 2.4.3.2)."""


class Runs:
    """Datagrams in, in the order of their arrival, and what is told of them; received segments out."""

    def __init__(self, program: ProgramHeader) -> None:
        self._program = program
        self._past: list[Reassembly | TrickRun] = []
        self._present: Reassembly | TrickRun = Reassembly(program)
        self._held: list[tuple[bytes, str]] | None = None

    def hold(self) -> None:
        """The stream may jump at any moment."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """It has not jumped, or it is known by now."""
        held, self._held = self._held or [], None
        for datagram, source in held:
            self._present.feed(datagram, source)

    def jump(self, jump: Jump, trick: Trick | None = None) -> None:
        """It has, and goes on at that speed. What was held until the place where it left off is of the run before."""
        held, self._held = self._held or [], None
        first = _first_after_run(self._present, held, jump.left, trick)
        for datagram, source in held[:first]:
            self._present.feed(datagram, source)
        self._present.break_off(jump.left)
        self._past.append(self._present)
        if trick:
            self._present = TrickRun(self._program, self._present, jump.begins, trick)
        else:
            self._present = Reassembly(self._program, self._present, jump.begins)
        for datagram, source in held[first:]:
            self._present.feed(datagram, source)

    def feed(self, datagram: bytes, source: str) -> bool:
        """Take a datagram. False, and not taken, if it cannot be one of the stream's."""
        if self._held is None or not datagram or len(datagram) % TS_PACKET_BYTES:
            return self._present.feed(datagram, source)
        self._held.append((datagram, source))
        if self._held_bytes > KEPT_BYTES_MAX:
            self.release()
        return True

    def tell(self, segment: Segment, trick: Trick | None = None, packet: int = 0) -> None:
        """Take what a segment is like, or a turn that begins with this packet; see `Reassembly`, `TrickRun`."""
        if isinstance(self._present, TrickRun):
            self._present.tell(trick, packet)
        else:
            self._present.tell(segment)

    def finish(self, *, stopped: bool) -> None:
        """Nothing more will come."""
        self.release()
        self._present.finish(stopped=stopped)

    @property
    def is_ahead(self) -> bool:
        """Whether more came than the segments that were told have: another turn has begun."""
        return self._present.is_ahead

    @property
    def is_whole(self) -> bool:
        """Whether the end of the program has come."""
        return not self._held and self._present.is_whole

    @property
    def jumps(self) -> int:
        """How often it has gone on elsewhere."""
        return len(self._past)

    @property
    def reached_bytes(self) -> int:
        """How many bytes of the program lie before what comes next, if nothing was lost."""
        return self._present.reached_bytes + self._held_bytes

    @property
    def bytes(self) -> int:
        """All that came."""
        return sum(run.bytes for run in self._runs) + self._held_bytes

    @property
    def sha256(self) -> str:
        """Of everything accepted, after `finish`."""
        return self._present.sha256

    @property
    def segments(self) -> tuple[ReceivedSegment, ...]:
        """Those whose fate is settled, in the order in which they came."""
        return tuple(segment for run in self._runs for segment in run.segments)

    @property
    def strays(self) -> int:
        """What was not taken."""
        return sum(run.strays for run in self._runs)

    @property
    def hand_overs(self) -> int:
        """How often another engine went on."""
        return sum(run.hand_overs for run in self._runs)

    @property
    def _runs(self) -> tuple[Reassembly | TrickRun, ...]:
        return (*self._past, self._present)

    @property
    def _held_bytes(self) -> int:
        return sum(len(datagram) for datagram, _ in self._held or ())


def _first_after_run(
    run: Reassembly | TrickRun, held: list[tuple[bytes, str]], left: ProgramPoint, trick: Trick | None
) -> int:
    """The first of what was held that is of the next run. One at another speed begins with anything."""
    if isinstance(run, TrickRun):
        missing_bytes = run.missing_bytes(left)
    else:
        missing_bytes = left.packets * TS_PACKET_BYTES - run.reached_bytes
    if trick:
        before = accumulate((len(datagram) for datagram, _ in held), initial=0)
        return max((number for number, length in enumerate(before) if length <= missing_bytes), default=0)
    return _first_after(held, missing_bytes, is_exact=not isinstance(run, TrickRun))


def _first_after(held: list[tuple[bytes, str]], missing_bytes: int, *, is_exact: bool) -> int:
    """The first of what was held that is of the new run. Where something was lost, it is not where it should be; and of
    what went fast it is known only about how much is missing."""
    before = list(accumulate((len(datagram) for datagram, _ in held), initial=0))
    begins = [number for number, (datagram, _) in enumerate(held) if datagram.startswith(_PAT_HEADER)]
    exactly = [number for number, length_bytes in enumerate(before) if length_bytes == missing_bytes]
    if is_exact and exactly and exactly[0] in (*begins, len(held)):
        return exactly[0]
    return max((number for number in begins if before[number] <= missing_bytes), default=len(held))
