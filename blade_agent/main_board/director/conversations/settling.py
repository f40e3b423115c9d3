"""Ending a turn, and hearing how far it got: exactly if its engine answers, not at all if it is silent."""

import asyncio

from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.sessions.events import Silence, Superseded
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.term import Term
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import CEASE, Cease, Ceased, StopCause
from media_network.refusal import Reason


class Settling:
    """Orders engines to cease, for as long as they may have a lease."""

    def __init__(self, term: Term, roster: Roster) -> None:
        self._term = term
        self._roster = roster

    async def settle(self, session: str, turn: GivenTurn) -> Ceased | Silence | Superseded:
        """End a turn. `Silence` comes when its engine can no longer be sending, and not before."""
        loop = asyncio.get_running_loop()
        safe_at = self._safe_at(turn)
        order = Cease(session=session, turn=turn.number, cause=StopCause.FAILED, epoch=self._term.epoch)
        deadline_s = max(0.0, safe_at - loop.time())
        try:
            answer = await self._term.http.ask(turn.engine, CEASE, order, deadline_s=deadline_s, while_refused=False)
        except NetworkError as error:
            if not isinstance(error, Unreachable) or not error.refused:
                # Its reports are answered with the revocation, or not at all: after a lease it has stopped either way.
                await asyncio.sleep(max(0.0, safe_at - loop.time()))
            self._roster.suspect(turn.engine)
            return Silence()
        if isinstance(answer, Ceased):
            return answer
        if answer.reason is Reason.STALE_EPOCH:
            return Superseded()
        # With no engine on duty there, whatever had the turn has stopped: an engine goes off duty when nothing is sent.
        if answer.reason is not Reason.WRONG_ROLE:
            await asyncio.sleep(max(0.0, safe_at - loop.time()))
        return Silence()

    def _safe_at(self, turn: GivenTurn) -> float:
        """When the last lease has ended under which its engine may send.

        Each of its reports is answered from now on with the order to stop, so none after the last one heard counts.
        """
        record = self._roster.get(turn.engine)
        now = asyncio.get_running_loop().time()
        heard_at = record.reported_at if record and record.boot == turn.boot else now
        return heard_at + self._term.lease_s
