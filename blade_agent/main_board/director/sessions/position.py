"""Where in a program a stream is: what moves between a console's seconds and an engine's packets."""

from bisect import bisect_right

from media_network.messages.steering import SeekStyle
from media_network.messages.watching import ProgramPoint
from media_network.packets import TICK_HZ, TICKS_PER_MS
from media_network.program import Program

Position = tuple[int, int]
"""A segment and a packet in it; the segment after the last one is the end."""


def end_of(program: Program) -> Position:
    """The position that lies behind the last packet."""
    return len(program.segments), 0


def place_of(program: Program, position: Position) -> ProgramPoint:
    """A position as a console is told it."""
    segment, packet = position
    before = program.segments.before(segment)
    into_ticks = 0
    if segment < len(program.segments):
        into_ticks = program.segments[segment].duration_ticks * packet // program.segments.packets(segment)
    return ProgramPoint(
        segment=segment,
        packet=packet,
        packets=before.packets + packet,
        at_ms=(before.ticks + into_ticks) // TICKS_PER_MS,
    )


def is_within(program: Program, position: Position) -> bool:
    """Whether a packet is there that comes next at this position, or it is the end."""
    segment, packet = position
    if segment < len(program.segments):
        return packet < program.segments.packets(segment)
    return position == end_of(program)


def random_access(program: Program, to_ms: int, style: SeekStyle) -> Position | None:
    """Where a player can begin that is to be at a moment of the program; None past its end.

    Every segment begins at a random access point. Where there is none after the moment, the last one before it counts.
    """
    segments, ticks = program.segments, to_ms * TICK_HZ // 1000
    if ticks >= segments.duration_ticks:
        return None
    after = bisect_right(range(len(segments)), ticks, key=lambda number: segments.before(number).ticks)
    begins_here = segments.before(after - 1).ticks == ticks
    if style is SeekStyle.NEXT and after < len(segments) and not begins_here:
        return after, 0
    return after - 1, 0
