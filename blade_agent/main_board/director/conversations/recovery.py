"""A stream that lost its sender goes on at another engine: never two senders, never a packet twice.

A recovery runs exactly while its session is resuming: an engine that turns out to have the stream ends it, and so does
the end of the session.
"""

import asyncio
import logging
from collections.abc import Iterator

from blade_agent.main_board.director.conversations.settlement import Position, Settled, past_whatever_followed, settle
from blade_agent.main_board.director.conversations.turns import StartOutcome, Turns
from blade_agent.main_board.director.sessions.session import PushSession, SessionEvent, Turn
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.messages.streaming import StreamCursor
from media_network.refusal import Refused

_log = logging.getLogger(__name__)

_PAUSE_S = 0.25


class Recovery:
    """The sessions whose stream is being resumed, and the turns whose end is being found out."""

    def __init__(self, station: Station, turns: Turns) -> None:
        self._station = station
        self._turns = turns
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._settling: list[tuple[PushSession, Turn]] = []

    def begin(self, session: PushSession, sender: Turn, stopped: Settled | None = None) -> None:
        """The sender of a stream is lost; `stopped`, if it is known how far it got."""
        session.happens(SessionEvent.SENDER_LOST)
        self._station.counters.streams_lost += 1
        name = session.session
        task = self._station.tasks.create_task(self._recover(session, sender, stopped), name=f"recover {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))

    def void(self, session: PushSession) -> None:
        """The session is not resuming any more."""
        if task := self._tasks.pop(session.session, None):
            task.cancel()

    async def settle(self, session: PushSession, turn: Turn) -> Settled:
        """End a turn that may be sent, and find out how far it got."""
        self._settling.append((session, turn))
        try:
            safe_at = self._safe_at(turn)
            settled = await settle(self._station.http, session, turn, self._station.duty.epoch, safe_at)
        finally:
            self._settling.remove((session, turn))
        if settled.superseded:
            self._station.standing.superseded = True
        if not settled.answered:
            self._station.roster.suspect(turn.engine)
        return settled

    def settling_at(self, engine: Address) -> Iterator[StreamCursor]:
        """What an engine is not to begin sending any more: named to it with each report, for it may not hear `CEASE`.

        Otherwise it could renew its lease without a word of a turn that it starts only later.
        """
        for session, turn in self._settling:
            if turn.engine == engine:
                yield StreamCursor(session=session.session, turn=turn.number, segment=turn.segment, packet=turn.packet)

    async def _recover(self, session: PushSession, sender: Turn, stopped: Settled | None) -> None:
        settled = stopped or await self.settle(session, sender)
        unsettled_s = session.unsettled_until - _now()
        if unsettled_s > 0:
            # The director before may have let it be handed over to an engine that has yet to enlist here.
            await asyncio.sleep(unsettled_s)
            settled = Settled(sent=True, position=past_whatever_followed(session, _now()))
        if session.offer:
            # It may have handed over just before, and the word of it is still on its way.
            handed_over = await self.settle(session, session.offer)
            settled = handed_over if handed_over.sent else settled
        await self._resume(session, settled.position)

    async def _resume(self, session: PushSession, position: Position | None) -> None:
        """Have another engine send from `position` on; nobody sends this stream meanwhile."""
        session.mark = None  # it goes on ahead of the schedule it had
        while position and not self._station.standing.superseded:
            turn = await self._turns.offer(session, *position)
            if isinstance(turn, Refused):
                await asyncio.sleep(_PAUSE_S)
                continue
            outcome = await self._turns.start(session, turn)
            if outcome is StartOutcome.TAKEN:
                self._turns.assume(session, turn, turn.packet)
                self._station.counters.streams_resumed += 1
                _log.info("session %s goes on at %s", session.session, turn.engine)
                return
            if outcome is StartOutcome.DOUBTFUL:
                position = (await self.settle(session, turn)).position
        self._turns.end(session, SessionEvent.STOPPED)

    def _safe_at(self, turn: Turn) -> float:
        """When the last lease has ended under which the engine may send: each report of it is answered from now on
        with the order to stop, so that none after the last one heard counts."""
        record = self._station.roster.get(turn.engine)
        heard_at = record.reported_at if record and record.boot == turn.boot else _now()
        return heard_at + self._station.lease_s

    def _forget(self, session: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(session) is task:
            del self._tasks[session]


def _now() -> float:
    return asyncio.get_running_loop().time()
