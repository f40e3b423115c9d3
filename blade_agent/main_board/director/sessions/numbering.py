"""How the datagrams of a stream are numbered over turns and jumps: without a gap but where one was lost (RFC 3550).

A turn's place in its RTP stream follows from the place of the turn before and from where that stopped. At the program's
own speed that is what the segment table says to lie before; a jump, or another speed, renews it.
"""

from math import ceil
from typing import NamedTuple

from msgspec.structs import replace

from blade_agent.main_board.director.sessions.course import NORMAL, Course, packets_before
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.position import Position
from media_network.packets import PACKETS_PER_DATAGRAM, datagrams_of
from media_network.program import Program
from media_network.rtp import RtpPlace


class Stand(NamedTuple):
    """How much of an RTP stream has been sent: what comes next has these numbers."""

    datagrams: int = 0
    packets: int = 0


def stand_at(program: Program, turn: GivenTurn, position: Position) -> Stand | None:
    """How far a stream had come that stopped at a position of the program, in this turn or one that followed it the
    same way; None: it is no RTP stream."""
    place = turn.rtp
    if place is None:
        return None
    if turn.course == NORMAL:
        began, stopped = program.segments.before(turn.segment), program.segments.before(position[0])
        datagrams = stopped.datagrams - began.datagrams + position[1] // PACKETS_PER_DATAGRAM
        packets = stopped.packets - began.packets + position[1]
    else:
        packets = _into(program, turn, position)
        datagrams = datagrams_of(packets)
    return Stand(place.datagrams + datagrams, place.packets + packets)


def place_from(base: RtpPlace, stand: Stand, packet: int) -> RtpPlace:
    """The place of a turn that goes on there with this packet of it."""
    return replace(base, datagrams=stand.datagrams - packet // PACKETS_PER_DATAGRAM, packets=stand.packets - packet)


def place_after(program: Program, turn: GivenTurn, segment: int) -> RtpPlace | None:
    """The place of the turn that takes over from one that is sent: in its segment, or after it."""
    place = turn.rtp
    if place is None or segment == turn.segment:
        return place
    packets = turn.course.packets(program, turn.segment)
    return replace(place, datagrams=place.datagrams + datagrams_of(packets), packets=place.packets + packets)


def _into(program: Program, turn: GivenTurn, position: Position) -> int:
    """How many packets of a turn at another speed have been sent when it is at a position."""
    course: Course = turn.course
    at = packets_before(program, position)
    if course.scale > 0:
        return max(0, ceil((at - program.segments.before(turn.segment).packets) / course.scale))
    return max(0, ceil((program.segments.before(turn.segment + 1).packets - at) / -course.scale))
