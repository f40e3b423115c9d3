"""How fast, and which way, a stream goes through a program: at its own speed, or by key pictures alone (claim 21).

A turn at another speed shows the key pictures of one segment, and stands for as many segments as pass meanwhile: it
lasts a second at least, for hand-overs take their time. It is counted in packets of the program's rate, as any turn is;
how many there are follows from the segment table alone, so a director need not look at a picture.
"""

from math import ceil
from typing import NamedTuple

from blade_agent.main_board.director.sessions.position import Position, end_of
from media_network.packets import TICK_HZ
from media_network.program import Program
from media_network.trick import Trick

_TURN_S = 0.8
"""So long a turn lasts at least."""


class Course(NamedTuple):
    """A speed, and where the stream came to it."""

    scale: int = 1
    """So many times as fast as the program; negative: backwards."""
    entered: int = 0
    """Packets of the program that lie before the place at which it was entered: from there its clock goes on."""

    def after(self, program: Program, segment: int) -> int | None:
        """The segment of the turn after this one; None: it is the last."""
        following = segment + self._stride(program)
        return following if 0 <= following < len(program.segments) else None

    def packets(self, program: Program, segment: int) -> int:
        """How many packets a turn has that is not cut."""
        if self.scale == 1:
            return program.segments.packets(segment)
        following = segment + self._stride(program)
        return self.begins(program, max(-1, min(following, len(program.segments)))) - self.begins(program, segment)

    def begins(self, program: Program, segment: int) -> int:
        """How many packets lie before a turn, of a stream that has gone this way from the beginning, or the end."""
        if self.scale > 0:
            return program.segments.before(segment).packets // self.scale
        return (_packets(program) - program.segments.before(segment + 1).packets) // -self.scale

    def place(self, program: Program, segment: int, packet: int) -> Position | None:
        """Where in the program a stream is that has come to this packet of a turn; None: past its end, or beginning."""
        if self.scale == 1:
            return program.segments.advance(segment, packet, 0)
        if self.scale > 0:
            return _at(program, program.segments.before(segment).packets + packet * self.scale)
        before = program.segments.before(segment + 1).packets + packet * self.scale
        return (_at(program, before) or end_of(program)) if before > 0 else None

    def enter(self, program: Program, position: Position) -> Position | None:
        """The segment and packet of the turn that goes on from there, and repeats nothing; None: there is none."""
        if self.scale == 1:
            return position
        before = packets_before(program, position)
        if before == (_packets(program) if self.scale > 0 else 0):
            return None
        if self.scale > 0:
            segment = position[0]
            packet = ceil((before - program.segments.before(segment).packets) / self.scale)
        else:
            found = program.segments.advance(0, 0, before - 1)
            segment = found[0] if found else 0
            packet = ceil((program.segments.before(segment + 1).packets - before) / -self.scale)
        if packet < self.packets(program, segment):
            return segment, packet
        following = self.after(program, segment)
        return None if following is None else (following, 0)

    def trick(self, program: Program, segment: int) -> Trick | None:
        """What an engine has to know to send a turn of it; None: the segment as it is."""
        if self.scale == 1:
            return None
        whence = self.entered if self.scale > 0 else _packets(program) - self.entered
        return Trick(
            scale=self.scale,
            entered=self.entered,
            packets=self.packets(program, segment),
            clock=self.entered + self.begins(program, segment) - whence // abs(self.scale),
            before=program.segments.before(segment).packets,
        )

    def _stride(self, program: Program) -> int:
        """How many segments a turn stands for; negative: those before."""
        if self.scale == 1:
            return 1
        turns_s = program.segments.duration_ticks / TICK_HZ / len(program.segments) / abs(self.scale)
        return max(1, ceil(_TURN_S / turns_s)) * (1 if self.scale > 0 else -1)


NORMAL = Course()


def packets_before(program: Program, position: Position) -> int:
    """How many packets of the program lie before a position."""
    segment, packet = position
    return program.segments.before(segment).packets + packet


def _packets(program: Program) -> int:
    return program.segments.before(len(program.segments)).packets


def _at(program: Program, packets: int) -> Position | None:
    return program.segments.advance(0, 0, packets)
