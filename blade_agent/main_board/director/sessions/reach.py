"""Where a stream cannot have got to.

A packet is lost rather than sent twice: a player survives a gap, not a repeat.
"""

import math

from blade_agent.main_board.director.sessions.course import Course
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.position import Position
from media_network.packets import DATAGRAM_BYTES, TS_PACKET_BYTES
from media_network.program import Program
from media_network.schedule import CATCH_UP_MAX_S, TICK_S

_CLOCKS_S = 0.01
"""Two clocks count the seconds since a turn was given."""
_AHEAD_S = TICK_S + CATCH_UP_MAX_S + _CLOCKS_S
"""How far a sender may be ahead of its rate since a turn was given; a datagram more is counted apart."""


def past_turn(program: Program, turn: GivenTurn, mark: Mark | None, now: float) -> Position | None:
    """The first packet that a turn certainly has not reached by `now`; None past the end of the program."""
    return turn.course.place(program, turn.segment, furthest(program, turn, mark, now))


def furthest(program: Program, turn: GivenTurn, mark: Mark | None, now: float) -> int:
    """The same in packets of the turn: as many as it has, where it can have been sent to its end; less than none, where
    the stream cannot have come to it.

    It began no sooner than it was given, no further on than the stream was by then, goes no faster than the rate, and
    ends with its segment. What its engine, or
    the one that handed over to it, reported narrows that down where it is known when that was.
    """
    reach_bits = program.rate_bps * (now - turn.given_at + _AHEAD_S) + DATAGRAM_BYTES * 8
    ends = [
        turn.course.packets(program, turn.segment),
        (turn.packet if turn.reached is None else turn.reached) + math.ceil(reach_bits / (TS_PACKET_BYTES * 8)),
    ]
    if mark is not None and mark.turn <= turn.number:
        further = mark.packet + mark.further(turn.number, now, program.rate_bps)
        before = turn.course.begins(program, turn.segment) - turn.course.begins(program, mark.segment)
        ends.append(further - before)
    return min(ends)


def past_mark(program: Program, course: Course, turn: int, mark: Mark | None, now: float) -> Position | None:
    """The first packet that the stream certainly has not reached in turns up to this one, all of which go this way.

    None if nothing is known, or past the end of the program.
    """
    if mark is None or mark.turn > turn:
        return None
    return course.place(program, mark.segment, mark.packet + mark.further(turn, now, program.rate_bps))
