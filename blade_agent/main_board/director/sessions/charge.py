"""What a session asks of engines, and when: a view of its state. Nothing is counted up and down."""

from math import inf

from msgspec import Struct

from blade_agent.main_board.director.sessions.course import NORMAL, Course
from blade_agent.main_board.director.sessions.events import Sought
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.states import Doubting, Resuming, State, Streaming
from media_network.address import Address
from media_network.packets import TS_PACKET_BYTES
from media_network.program import Program


class Charge(Struct, frozen=True, kw_only=True):
    """A rate that an engine carries from one moment on to another. Times are the event loop's, in seconds."""

    engine: Address
    rate_bps: int
    begins_at: float
    ends_at: float = inf
    """When it is to end."""
    goes: bool = False
    """Whether it is known to end then. What is overdue, and has nowhere to go, still counts."""
    keeps_room: bool = True
    """Whether room is kept for it: a player that asks ahead needs it at one engine at a time."""


def playing_s(program: Program, segment: int, packet: int = 0, course: Course = NORMAL) -> float:
    """How long a turn lasts that begins with this packet of a segment and ends with the segment."""
    return (course.packets(program, segment) - packet) * TS_PACKET_BYTES * 8 / program.rate_bps


def charges_of(state: State, program: Program) -> tuple[Charge, ...]:
    """What a pushed session in this state asks of the engines of its turns.

    Its sender goes at the end of its turn, and the next one comes then. Of other turns it is not known when they end.
    """
    match state:
        case Streaming(holder=holder, next=following, heard_at=heard_at):
            pass
        case Doubting(holder=holder, doubted=following, heard_at=heard_at):
            pass
        case _:
            silent = state.lost if isinstance(state, Resuming) else None
            return tuple(_of_turn(turn, program, sends=turn is not silent) for turn in state.turns)
    ends_at = _turn_ends_at(program, holder, heard_at, following)
    sending = Charge(
        engine=holder.engine,
        rate_bps=program.rate_bps,
        begins_at=heard_at,
        ends_at=ends_at,
        goes=following is not None,
    )
    if following is None:
        return (sending,)
    coming = Charge(
        engine=following.engine,
        rate_bps=program.rate_bps,
        begins_at=ends_at,
        ends_at=ends_at + playing_s(program, following.segment, following.packet, following.course),
    )
    return sending, coming


def begins_at(state: State, program: Program, sought: Sought, now: float) -> float:
    """When the turn begins that an engine is sought for: where one sends, at the end of its turn."""
    if sought.asked is None or not isinstance(state, Streaming):
        return now
    packet = sought.packet if sought.segment == state.holder.segment else None
    return max(now, _ends_at(program, state.holder, state.heard_at, packet))


def _of_turn(turn: GivenTurn, program: Program, *, sends: bool) -> Charge:
    """A sender that was lost sends nothing any more; until that is settled, room is kept for it."""
    ends_at = inf if sends else turn.given_at
    return Charge(
        engine=turn.engine, rate_bps=program.rate_bps, begins_at=turn.given_at, ends_at=ends_at, goes=not sends
    )


def _turn_ends_at(program: Program, holder: GivenTurn, heard_at: float, following: GivenTurn | None) -> float:
    cut = following is not None and following.segment == holder.segment
    return _ends_at(program, holder, heard_at, following.packet if following and cut else None)


def _ends_at(program: Program, holder: GivenTurn, heard_at: float, packet: int | None) -> float:
    """When a turn ends that was heard of at `heard_at`; before `packet` if it is cut short there."""
    left_s = playing_s(program, holder.segment, holder.packet, holder.course)
    if packet is not None:
        left_s -= playing_s(program, holder.segment, packet, holder.course)
    return heard_at + max(0.0, left_s)
