"""The conversation of claim 16, from the engine that streams."""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.turns.turn import Turn
from media_network.messages.streaming import (
    ASSUMED,
    NEXT_SEGMENT,
    Assumed,
    HandOver,
    Next,
    NextSegment,
    Preload,
    Start,
    StopCause,
)
from media_network.refusal import Reason, Refused

_log = logging.getLogger(__name__)

_PAUSE_S = 0.2
_QUESTION_DEADLINE_S = 1.0
_SPACING_S = 0.003
"""Between our last datagram and the first of the next engine, so that the network does not deliver that one first."""
_PATIENCE = frozenset({Reason.NO_ENGINE, Reason.AT_CAPACITY, Reason.BUSY, Reason.OVERDUE, Reason.WRONG_ROLE})
"""Refusals after which it is worth asking the director again."""


class StartOutcome(Enum):
    """What came of directing an engine to start."""

    TAKEN = auto()
    REFUSED = auto()
    """It certainly does not send."""
    DOUBTFUL = auto()
    """The answer is missing: it may send."""


class Neighbours(Protocol):
    """The engines of the station, this one among them."""

    async def preload(self, engine: str, preload: Preload) -> bool:
        """Notify an engine to preload a segment; False for a refusal and for silence."""

    async def start(self, engine: str, start: Start) -> StartOutcome:
        """Direct an engine to start."""


async def conduct(
    turn: Turn, director: DirectorLink, neighbours: Neighbours, go_on: Callable[[Turn], None]
) -> StopCause | None:
    """Accompany a turn from its start to its end.

    Returns None when the next engine has taken over, otherwise why the stream stops here. Sending goes on meanwhile;
    who stops the turn cancels this. `go_on` has the rest of a segment sent that nobody took over where it was cut.
    """
    if isinstance(await director.say(ASSUMED, _assumed(turn, director)), Refused):
        return StopCause.FAILED
    await turn.near_end.wait()
    failed: tuple[str, ...] = ()
    doubtful: str | None = None
    while True:
        answer = await _ask_next(turn, director, failed, doubtful)
        if answer is None:
            return StopCause.FAILED
        if isinstance(answer, Refused):
            # An engine whose answer we missed may have started after all. While we still send, it cannot have.
            taken = answer.reason is Reason.ASSUMED and turn.all_sent.is_set()
            return None if taken else StopCause.FAILED
        offer = answer.hand_over
        if offer is None:
            await turn.all_sent.wait()
            return StopCause.END_OF_PROGRAM
        if await neighbours.preload(offer.engine, _preload(turn, offer, director.epoch)):
            if offer.segment.number == turn.preload.segment.number:
                turn.cut(asyncio.get_running_loop().time())
            await turn.all_sent.wait()
            outcome = await neighbours.start(offer.engine, _start(turn, offer, director.epoch))
            if outcome is StartOutcome.TAKEN:
                return None
        else:
            outcome = StartOutcome.REFUSED
        if outcome is StartOutcome.REFUSED and turn.pacing.is_cut:
            go_on(turn)
        doubtful = offer.engine if outcome is StartOutcome.DOUBTFUL else None
        failed = failed if doubtful else (*failed, offer.engine)
        _log.warning("engine %s did not take turn %d of %s", offer.engine, offer.turn, turn.preload.session)


async def _ask_next(
    turn: Turn, director: DirectorLink, failed: tuple[str, ...], doubtful: str | None
) -> Next | Refused | None:
    """Ask for the next segment until the director knows one; None when patience has run out."""
    loop = asyncio.get_running_loop()
    # About a doubtful engine the director may have to wait for the end of a lease.
    deadline_s = _QUESTION_DEADLINE_S + (director.lease_s if doubtful else 0.0)
    asked_s = loop.time()
    while loop.time() < max(turn.pacing.end_s, asked_s) + director.lease_s:
        question = NextSegment(
            session=turn.preload.session,
            turn=turn.preload.turn,
            segment=turn.preload.segment.number,
            packet=turn.cut_from(loop.time()),
            failed=failed,
            doubtful=doubtful,
        )
        answer = await director.ask(NEXT_SEGMENT, question, deadline_s=deadline_s)
        if answer is not None and not (isinstance(answer, Refused) and answer.reason in _PATIENCE):
            return answer
        await asyncio.sleep(_PAUSE_S)
    return None


def _assumed(turn: Turn, director: DirectorLink) -> Assumed:
    preload = turn.preload
    return Assumed(
        session=preload.session,
        turn=preload.turn,
        engine=str(director.own),
        segment=preload.segment.number,
        packet=turn.first_packet,
    )


def _preload(turn: Turn, offer: HandOver, epoch: int) -> Preload:
    preload = turn.preload
    return Preload(
        epoch=epoch,
        session=preload.session,
        turn=offer.turn,
        program=preload.program,
        segment=offer.segment,
        rate_bps=preload.rate_bps,
        console=preload.console,
        packet=offer.packet,
    )


def _start(turn: Turn, offer: HandOver, epoch: int) -> Start:
    due_in_s = max(_SPACING_S, turn.pacing.end_s - asyncio.get_running_loop().time())
    return Start(
        epoch=epoch,
        session=turn.preload.session,
        turn=offer.turn,
        packet=turn.pacing.packet if offer.segment.number == turn.preload.segment.number else 0,
        due_in_us=round(due_in_s * 1_000_000),
    )
