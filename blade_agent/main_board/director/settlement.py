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
from media_network.program import TS_PACKET_BYTES, Program

_CEASE_DEADLINE_S = 0.5
_PACING_MARGIN_S = 0.1
"""A sender paces in ticks and may be one ahead of its schedule."""


@dataclass(frozen=True)
class Settled:
    """The turn is over. `packet` of `segment` is the next one that nobody has sent; past the end, both are None."""

    sent: bool
    """False only if it is certain that nothing was sent in this turn."""
    position: tuple[int, int] | None


async def settle(http: HttpClient, session: PushSession, turn: Turn, lease_s: float) -> Settled:
    """End a turn: order its engine to cease, or wait until it can no longer be sending."""
    loop = asyncio.get_running_loop()
    session.revoked = max(session.revoked, turn.number)
    revoked_at = loop.time()
    order = Cease(session=session.session, turn=turn.number, cause=StopCause.FAILED)
    try:
        answer = await http.ask(turn.engine, CEASE, order, deadline_s=_CEASE_DEADLINE_S)
    except NetworkError as error:
        if not isinstance(error, Unreachable) or error.received:
            # Its reports are answered with the revocation, or not at all: after a lease it has stopped either way.
            await asyncio.sleep(max(0.0, revoked_at + lease_s - loop.time()))
        return Settled(sent=True, position=_certainly_past(session, turn, loop.time()))
    if isinstance(answer, Ceased) and answer.boot == turn.boot:
        if answer.cursor is None:
            return Settled(sent=False, position=(turn.segment, turn.packet))
        return Settled(sent=True, position=session.program.advance(answer.cursor.segment, answer.cursor.packet, 0))
    # Another boot answers: the one that had the turn is gone.
    return Settled(sent=True, position=_certainly_past(session, turn, loop.time()))


def _certainly_past(session: PushSession, turn: Turn, now: float) -> tuple[int, int] | None:
    if session.cursor and session.cursor.turn == turn.number:
        segment, packet, since = session.cursor.segment, session.cursor.packet, session.cursor_sent_after
    else:
        segment, packet, since = turn.segment, turn.packet, turn.given_at
    return session.program.advance(segment, packet, _packets_in(session.program, now - since + _PACING_MARGIN_S))


def _packets_in(program: Program, duration_s: float) -> int:
    return math.ceil(program.rate_bps * duration_s / (8 * TS_PACKET_BYTES))
