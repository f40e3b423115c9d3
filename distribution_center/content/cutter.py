"""Cuts a constant-rate transport stream into segments without changing a byte of it.

No I/O: stream in, in chunks of any length; pieces of segments and finished segments out. A segment begins with a PAT,
a PMT and a random access point of the video. Null packets, other service tables and packets without payload may stand
among the three, because a constant-rate multiplexer fills the time until the picture is due; anything else may not.
"""

from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from hashlib import sha256
from typing import NamedTuple

from distribution_center.content.key_pictures import KeyPictures
from media_network.key_picture_table import ListedPicture, listed
from media_network.packets import TICKS_PER_MS, TS_PACKET_BYTES
from media_network.segment_index import BlockDigests, SegmentIndex
from media_network.segment_table import Segment
from media_network.transport_stream import (
    CLOCK_HZ,
    PAT_PID,
    Packets,
    elementary_bytes,
    presentation_time,
    program_map_pid,
    time_between,
    video_pid,
)

_LONGEST_RUN_BYTES = 64_000 * TS_PACKET_BYTES  # bounds what is held back: 12 MB, a second of 96 Mbit/s
_CLOCK_TOLERANCE = CLOCK_HZ // 2_000_000  # 2.4.2.2: a PCR is right within 500 ns
_CLOCK_TURN = (1 << 33) * 300


@dataclass
class CutError(Exception):
    """The stream cannot be cut; `offset_bytes` is where that was found."""

    offset_bytes: int

    def __str__(self) -> str:
        return f"{self.problem()} at byte {self.offset_bytes}"

    def problem(self) -> str:
        """What is wrong with the stream there."""
        return "the transport stream cannot be cut"


class LostSync(CutError):
    """A packet does not begin with the sync byte."""

    def problem(self) -> str:
        """No sync byte."""
        return "no transport stream packet begins"


class TruncatedPacket(CutError):
    """The stream ends inside a packet."""

    def problem(self) -> str:
        """Part of a packet."""
        return "the transport stream ends inside the packet"


class NoRandomAccess(CutError):
    """The stream does not begin with PAT, PMT and a random access point."""

    def problem(self) -> str:
        """Nothing to begin with."""
        return "no PAT, PMT and random access point of a video stand in a row before what is"


class TimeRunsBack(CutError):
    """A random access point is presented before the one before it."""

    def problem(self) -> str:
        """Time stamps are not in order."""
        return "presentation time runs back"


class NotConstantRate(CutError):
    """A clock reference disagrees with the stated rate."""

    def problem(self) -> str:
        """PCR and position disagree."""
        return "the clock reference does not follow the stated rate"


class Run(Enum):
    """How much of "PAT, PMT, random access point" stands at the end of what was read."""

    BROKEN = auto()
    """Something to be played was read since."""
    OPEN = auto()
    """Nothing to be played was read yet: the beginning of the stream."""
    PAT = auto()
    MAP = auto()


class PacketBeginning(Enum):
    """What begins in a packet."""

    PAT = auto()
    MAP = auto()
    ACCESS = auto()
    """A picture from which decoding can begin."""
    OTHER = auto()
    """Anything else to be played."""
    QUIET = auto()
    """Nothing to be played: a service table, stuffing."""


NEXT_RUN: dict[tuple[Run, PacketBeginning], Run] = {
    **{(run, PacketBeginning.PAT): Run.PAT for run in Run},
    (Run.BROKEN, PacketBeginning.MAP): Run.BROKEN,
    (Run.OPEN, PacketBeginning.MAP): Run.OPEN,
    (Run.PAT, PacketBeginning.MAP): Run.MAP,
    (Run.MAP, PacketBeginning.MAP): Run.MAP,
    **{(run, PacketBeginning.ACCESS): Run.BROKEN for run in Run},
    **{(run, PacketBeginning.OTHER): Run.BROKEN for run in Run},
    **{(run, PacketBeginning.QUIET): run for run in Run},
}
"""The run after a unit. `PacketBeginning.ACCESS` in `Run.MAP` is where a segment can begin."""


class CutPiece(NamedTuple):
    """The next bytes of a segment."""

    number: int
    data: memoryview


class CutSegment(NamedTuple):
    """A segment has ended; what is known of its inside."""

    segment: Segment
    inside: SegmentIndex


class Cutter:
    """Cuts one program.

    Segments begin at the first possible place `target_ms` or more after their predecessor's beginning. Every segment's
    pieces come in order and are followed by its `CutSegment`; all pieces, one after the other, are the stream.
    At most `_LONGEST_RUN_BYTES` are held back. Errors are `CutError`; the cutter is of no use after one.
    """

    def __init__(self, *, target_ms: int, rate_bps: int) -> None:
        self.segments: list[Segment] = []
        self.key_pictures: list[ListedPicture] = []
        """Of all segments that have ended."""
        self.length_bytes = 0
        """Whole packets read so far."""
        self._target_ms = target_ms
        self._clock = _Clock(rate_bps)
        self._timeline = _Timeline()
        self._whole = sha256()
        self._current = sha256()
        self._current_bytes = 0
        self._blocks = BlockDigests()
        self._key_pictures = KeyPictures()
        self._given_bytes = 0
        """Of the segments that have ended."""
        self._partial = b""
        self._run = Run.OPEN
        self._held: list[memoryview] = []
        self._held_bytes = 0
        self._map_pid: int | None = None
        self._video_pid: int | None = None

    @property
    def sha256(self) -> str:
        """Digest of the bytes given out: of the program, once closed."""
        return self._whole.hexdigest()

    def feed(self, data: bytes) -> list[CutPiece | CutSegment]:
        """Read the next bytes of the stream."""
        data = self._partial + data
        end = len(data) - len(data) % TS_PACKET_BYTES
        self._partial = data[end:]
        packets = Packets(data[:end])
        wrong = packets.out_of_step()
        if wrong is not None:
            raise LostSync(self._offset(wrong))
        self._clock.check(packets, self.length_bytes)
        out = self._read(packets)
        self.length_bytes += end
        return out

    def close(self, length_ticks: int) -> list[CutPiece | CutSegment]:
        """The stream has ended, so long after its first picture: where the last picture or sound ends."""
        if self._partial:
            raise TruncatedPacket(self.length_bytes)
        if not self._timeline.begun:
            raise NoRandomAccess(self.length_bytes)
        out: list[CutPiece | CutSegment] = []
        self._give(out, memoryview(b""))
        out.append(self._finish(length_ticks))
        return out

    def _read(self, packets: Packets) -> list[CutPiece | CutSegment]:
        out: list[CutPiece | CutSegment] = []
        view = memoryview(packets.data)
        given = seen = 0
        for index in packets.unit_starts():
            self._look(packets, seen, index)
            self._pass(packets, seen, index)
            seen = index + 1
            unit = self._unit(packets, index)
            if unit is PacketBeginning.PAT:  # a segment may begin here: hold back from here on
                self._give(out, view[given * TS_PACKET_BYTES : index * TS_PACKET_BYTES])
                given = index
            elif unit is PacketBeginning.ACCESS and self._run is Run.MAP:
                self._access(out, self._offset(index))
            elif unit in {PacketBeginning.ACCESS, PacketBeginning.OTHER} and not self._timeline.begun:
                raise NoRandomAccess(self._offset(index))
            self._run = NEXT_RUN[self._run, unit]
        self._look(packets, seen, packets.count)
        self._pass(packets, seen, packets.count)
        self._give_or_hold(out, view[given * TS_PACKET_BYTES :])
        return out

    def _offset(self, index: int) -> int:
        """Place in the stream of a packet of the batch being read."""
        return self.length_bytes + index * TS_PACKET_BYTES

    def _look(self, packets: Packets, begin: int, end: int) -> None:
        """Packets in which nothing begins: a key picture may go on in them."""
        for index in range(begin, end):
            if not self._key_pictures.looks:
                return
            if packets.pid(index) == self._video_pid:
                self._key_pictures.go_on(packets.payload(index))

    def _pass(self, packets: Packets, begin: int, end: int) -> None:
        """Packets in which nothing begins: they break the run if they carry on with something to be played."""
        if self._run is Run.BROKEN or packets.quiet(begin, end):
            return
        if not self._timeline.begun:
            raise NoRandomAccess(self._offset(begin))
        self._run = Run.BROKEN

    def _unit(self, packets: Packets, index: int) -> PacketBeginning:
        """What begins in the packet."""
        pid = packets.pid(index)
        if pid == PAT_PID:
            self._map_pid = program_map_pid(packets.payload(index))
            return PacketBeginning.PAT
        if pid == self._map_pid:
            self._video_pid = video_pid(packets.payload(index))
            return PacketBeginning.MAP
        if pid != self._video_pid:
            return PacketBeginning.QUIET if packets.quiet(index, index + 1) else PacketBeginning.OTHER
        presented = presentation_time(packets.payload(index))
        if presented is None:
            return PacketBeginning.OTHER
        self._timeline.picture(presented)
        packet, access = self._offset(index) // TS_PACKET_BYTES, packets.random_access(index)
        if access:
            payload = elementary_bytes(packets.payload(index))
            self._key_pictures.begin(packet, self._timeline.picture_ticks, payload)
        else:
            self._key_pictures.end(packet)
        return PacketBeginning.ACCESS if access else PacketBeginning.OTHER

    def _access(self, out: list[CutPiece | CutSegment], offset_bytes: int) -> None:
        """The last picture is a random access point behind PAT and PMT: cut if it is time."""
        if not self._timeline.begun:
            self._timeline.begun = True
            return
        elapsed_ticks = self._timeline.picture_ticks - self._timeline.segment_ticks
        if elapsed_ticks < 0:
            raise TimeRunsBack(offset_bytes)
        if round(elapsed_ticks / TICKS_PER_MS) >= self._target_ms:
            out.append(self._finish(self._timeline.picture_ticks))

    def _finish(self, end_ticks: int) -> CutSegment:
        """End the current segment with what was given out so far."""
        begin_ticks = self._timeline.segment_ticks
        duration_ticks = max(1, end_ticks - begin_ticks)
        end_bytes = self._given_bytes + self._current_bytes
        key_pictures = self._key_pictures.of_segment(
            range(self._given_bytes // TS_PACKET_BYTES, end_bytes // TS_PACKET_BYTES),
            range(begin_ticks, begin_ticks + duration_ticks),
        )
        index = SegmentIndex(self._blocks.digests(), key_pictures)
        segment = Segment(
            number=len(self.segments),
            length_bytes=self._current_bytes,
            duration_ticks=duration_ticks,
            sha256=self._current.hexdigest(),
            index=sha256(index.octets()).hexdigest(),
        )
        self.segments.append(segment)
        self.key_pictures += listed(segment.number, key_pictures)
        self._timeline.segment_ticks = end_ticks
        self._current, self._blocks = sha256(), BlockDigests()
        self._current_bytes, self._given_bytes = 0, end_bytes
        return CutSegment(segment, index)

    def _give(self, out: list[CutPiece | CutSegment], data: memoryview) -> None:
        """Give out what was held back, then `data`, to the current segment."""
        for piece in (*self._held, data):
            if piece:
                self._whole.update(piece)
                self._current.update(piece)
                self._blocks.update(piece)
                self._current_bytes += len(piece)
                out.append(CutPiece(len(self.segments), piece))
        self._held.clear()
        self._held_bytes = 0

    def _give_or_hold(self, out: list[CutPiece | CutSegment], data: memoryview) -> None:
        """Hold back what the next segment may begin with, within bounds."""
        if self._run not in {Run.PAT, Run.MAP}:
            self._give(out, data)
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > _LONGEST_RUN_BYTES:
            if not self._timeline.begun:
                raise NoRandomAccess(self.length_bytes)
            self._run = Run.BROKEN
            self._give(out, memoryview(b""))


class _Timeline:
    """Presentation time, counted from the first picture of the program."""

    def __init__(self) -> None:
        self.begun = False
        """Whether the first random access point was read."""
        self.segment_ticks = 0
        """Where the current segment begins."""
        self.picture_ticks = 0
        """When the picture read last is presented."""
        self._stamp: int | None = None

    def picture(self, stamp: int) -> None:
        """Read the time stamp of a picture."""
        self.picture_ticks += time_between(stamp if self._stamp is None else self._stamp, stamp)
        self._stamp = stamp


class _Clock:
    """Whether clock references follow a rate."""

    def __init__(self, rate_bps: int) -> None:
        self._ticks_a_byte = Fraction(8 * CLOCK_HZ, rate_bps)
        self._first: tuple[int, int] | None = None

    def check(self, packets: Packets, offset_bytes: int) -> None:
        """Compare every clock reference of a batch that begins at `offset_bytes` with its place."""
        for index, reference in packets.clock_references():
            place = offset_bytes + index * TS_PACKET_BYTES
            if self._first is None:
                self._first = place, reference
            first_place, first_reference = self._first
            expected = first_reference + int((place - first_place) * self._ticks_a_byte)
            error = (reference - expected + _CLOCK_TURN // 2) % _CLOCK_TURN - _CLOCK_TURN // 2
            if abs(error) > _CLOCK_TOLERANCE:
                raise NotConstantRate(place)
