"""Finding out how far a lost sender got, so that another may go on: exactly if it answers, safely past it if not.

A packet is lost rather than sent twice (a player survives a gap, not a repeat).
"""

import asyncio
import math
from dataclasses import dataclass

from blade_agent.main_board.director.session import PushSession, Turn
from media_network.errors import NetworkError, Unreachable
from media_network.http_client import HttpClient
from media_network.messages.director import StopCause
from media_network.messages.engine import CEASE, Cease, Ceased
from media_network.program import DATAGRAM_BYTES, TS_PACKET_BYTES

Position = tuple[int, int]
"""A segment and a packet in it."""

_CEASE_DEADLINE_S = 0.5
_AHEAD_S = 0.1
"""A sender works in ticks: so far it may be ahead of its schedule, and a datagram more."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A turn is over."""

    sent: bool
    """False only if it is certain that nothing was sent in this turn."""
    position: Position | None
    """The first packet that certainly nobody has sent; None past the end of the program."""
    answered: bool = True
    """Whether the engine said so itself."""


async def settle(http: HttpClient, session: PushSession, turn: Turn, lease_s: float) -> Settled:
    """End a turn: order its engine to cease, or wait until it can no longer be sending."""
    loop = asyncio.get_running_loop()
    session.withdraw(turn)
    withdrawn_at = loop.time()
    order = Cease(session=session.session, turn=turn.number, cause=StopCause.FAILED)
    try:
        answer = await http.ask(turn.engine, CEASE, order, deadline_s=_CEASE_DEADLINE_S)
    except NetworkError as error:
        if not isinstance(error, Unreachable) or error.received:
            # Its reports are answered with the revocation, or not at all: after a lease it has stopped either way.
            await asyncio.sleep(max(0.0, withdrawn_at + lease_s - loop.time()))
        return Settled(sent=True, position=_certainly_past(session, turn, loop.time()), answered=False)
    if not isinstance(answer, Ceased):
        await asyncio.sleep(max(0.0, withdrawn_at + lease_s - loop.time()))
    elif answer.boot == turn.boot:
        if answer.cursor:
            position = session.program.advance(answer.cursor.segment, answer.cursor.packet, 0)
            return Settled(sent=True, position=position)
        if turn is not session.holder:
            return Settled(sent=False, position=(turn.segment, turn.packet))
    # It has forgotten how far it was, or another boot answers and the one that had the turn is gone.
    return Settled(sent=True, position=_certainly_past(session, turn, loop.time()))


def _certainly_past(session: PushSession, turn: Turn, now: float) -> Position | None:
    """Where a turn cannot have got to by `now`, by the event loop's clock.

    It began no sooner than it was given, goes no faster than the rate, and ends with its segment. (What an engine last
    reported tells no more: nobody knows how long the report was on its way.)
    """
    program = session.program
    reach_bits = program.rate_bps * (now - turn.given_at + _AHEAD_S) + DATAGRAM_BYTES * 8
    past = program.advance(turn.segment, turn.packet, math.ceil(reach_bits / (TS_PACKET_BYTES * 8)))
    end = program.advance(turn.segment + 1, 0, 0)
    if past is None or end is None:
        return past or end
    return min(past, end)
