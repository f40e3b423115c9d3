"""Finding out how far a lost sender got, so that another may go on: exactly if it answers, safely past it if not.

A packet is lost rather than sent twice (a player survives a gap, not a repeat).
"""

import asyncio
import math
from dataclasses import dataclass

from blade_agent.main_board.director.sessions.session import PushSession, Turn
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import CEASE, Cease, Ceased, StopCause
from media_network.program import DATAGRAM_BYTES, TS_PACKET_BYTES
from media_network.refusal import Reason
from media_network.schedule import CATCH_UP_MAX_S, TICK_S

Position = tuple[int, int]
"""A segment and a packet in it."""

_CLOCKS_S = 0.01
"""Two clocks count the seconds since a turn was given."""
_AHEAD_S = TICK_S + CATCH_UP_MAX_S + _CLOCKS_S
"""How far a sender may be ahead of its rate since a turn was given; a datagram more is counted apart."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A turn is over."""

    sent: bool
    """False only if it is certain that nothing was sent in this turn."""
    position: Position | None
    """The first packet that certainly nobody has sent; None past the end of the program."""
    answered: bool = True
    """Whether the engine said so itself."""
    superseded: bool = False
    """The engine has another director by now."""


async def settle(http: HttpClient, session: PushSession, turn: Turn, epoch: int, safe_at: float) -> Settled:
    """End a turn: order its engine to cease, or wait until it can no longer be sending.

    That is from `safe_at` on, by the event loop's clock: every lease that it may have has ended then.
    """
    loop = asyncio.get_running_loop()
    session.withdraw(turn)
    order = Cease(session=session.session, turn=turn.number, cause=StopCause.FAILED, epoch=epoch)
    deadline_s = max(0.0, safe_at - loop.time())
    try:
        answer = await http.ask(turn.engine, CEASE, order, deadline_s=deadline_s, while_refused=False)
    except NetworkError as error:
        if not isinstance(error, Unreachable) or not error.refused:
            # Its reports are answered with the revocation, or not at all: after a lease it has stopped either way.
            await asyncio.sleep(max(0.0, safe_at - loop.time()))
        return Settled(sent=True, position=certainly_past(session, turn, loop.time()), answered=False)
    if not isinstance(answer, Ceased):
        if answer.reason is Reason.STALE_EPOCH:
            return Settled(sent=True, position=None, superseded=True)
        # With no engine on duty there, whatever had the turn has stopped: an engine goes off duty when nothing is sent.
        if answer.reason is not Reason.WRONG_ROLE:
            await asyncio.sleep(max(0.0, safe_at - loop.time()))
    elif answer.boot == turn.boot:
        if answer.cursor:
            position = session.program.advance(answer.cursor.segment, answer.cursor.packet, 0)
            return Settled(sent=True, position=position)
        if turn is not session.holder:
            return Settled(sent=False, position=(turn.segment, turn.packet))
    # It has forgotten how far it was, or another boot answers and the one that had the turn is gone.
    return Settled(sent=True, position=certainly_past(session, turn, loop.time()))


def certainly_past(session: PushSession, turn: Turn, now: float) -> Position | None:
    """Where a turn cannot have got to by `now`, by the event loop's clock.

    It began no sooner than it was given, goes no faster than the rate, and ends with its segment. What its engine, or
    the one that handed over to it, reported narrows that down where it is known when that was.
    """
    program = session.program
    reach_bits = program.rate_bps * (now - turn.given_at + _AHEAD_S) + DATAGRAM_BYTES * 8
    ends = [
        program.advance(turn.segment + 1, 0, 0),
        program.advance(turn.segment, turn.packet, math.ceil(reach_bits / (TS_PACKET_BYTES * 8))),
        _past_mark(session, turn.number, now),
    ]
    return min((end for end in ends if end is not None), default=None)


def past_whatever_followed(session: PushSession, now: float) -> Position | None:
    """As `certainly_past`, where it is not known in how many turns the stream went on since its mark."""
    return _past_mark(session, session.turns_given, now)


def _past_mark(session: PushSession, turn: int, now: float) -> Position | None:
    """Where the stream cannot have got to in this turn; None if nothing is known, or past the end of the program."""
    mark = session.mark
    if mark is None or mark.turn > turn:
        return None
    program = session.program
    return program.advance(mark.segment, mark.packet, mark.further(turn, now, program.rate_bps))
