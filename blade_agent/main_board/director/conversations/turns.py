"""Turns: which engine gets the next one of a stream, and the messages by which it does (claim 16)."""

import asyncio
from collections.abc import Collection
from enum import Enum, auto

from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.engine_choice import choose_engine
from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.sessions.session import PushSession, SessionEvent, Turn
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import CEASE, PRELOAD, START, Cease, Preload, Ready, Start
from media_network.messages.verb import Done
from media_network.messages.watching import SessionState
from media_network.refusal import Reason, Refused

_PRELOAD_DEADLINE_S = 1.0
_START_DEADLINE_S = 0.5


class StartOutcome(Enum):
    """What came of directing an engine to start."""

    TAKEN = auto()
    REFUSED = auto()
    """It certainly does not send."""
    DOUBTFUL = auto()
    """The answer is missing: it may send."""


class Turns:
    """Gives turns of push sessions to engines, and counts the sessions to their load."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def name_next(
        self,
        session: PushSession,
        segment: int,
        packet: int,
        failed: Collection[str],
        leaving: Collection[Address] = (),
    ) -> Turn | Refused:
        """Offer the next turn to an engine with this segment, none of `leaving`; its predecessor will have it preload.

        The same offer again, unless its engine is among those that `failed`.
        """
        offer = session.offer
        if offer and offer.segment == segment and str(offer.engine) not in failed:
            return offer
        if offer and str(offer.engine) in failed:
            self._station.roster.suspect(offer.engine)
        unfit = [engine.address for engine in self._station.roster if str(engine.address) in failed]
        engine = self._choose(session, segment, [*unfit, *leaving])
        if isinstance(engine, Refused) and engine.reason is Reason.NO_ENGINE:
            # Who has reported since may take it yet.
            engine = self._choose(session, segment, leaving)
        if isinstance(engine, Refused):
            return self._offer_nobody(session, engine)
        return self._give(session, engine, segment, packet)

    async def offer(self, session: PushSession, segment: int, packet: int) -> Turn | Refused:
        """Give the next turn to the best engine that gets ready for it."""
        failed: list[Address] = []
        while True:
            engine = self._choose(session, segment, failed)
            if isinstance(engine, Refused):
                return self._offer_nobody(session, engine)
            turn = self._give(session, engine, segment, packet)
            if await self._preload(session, turn):
                return turn
            failed.append(engine.address)

    async def start(self, session: PushSession, turn: Turn) -> StartOutcome:
        """Direct the engine of a turn that was offered here to start; one that does not is not chosen again soon."""
        outcome = await self._start(session, turn)
        if outcome is not StartOutcome.TAKEN:
            self._station.roster.suspect(turn.engine)
        return outcome

    def assume(self, session: PushSession, turn: Turn, packet: int) -> None:
        """An engine has the stream."""
        session.assume(turn, packet)
        self.charge(session)

    def end(self, session: PushSession, event: SessionEvent) -> None:
        """A session is over."""
        self._count_end(session, event)
        session.end(event, asyncio.get_running_loop().time())
        self.charge(session)

    def figures(self, session: PushSession) -> SessionFigures:
        """A session, for whoever manages the network."""
        turn = session.holder or session.offer
        record = self._station.roster.get(turn.engine) if turn else None
        return SessionFigures(
            session=session.session,
            push=True,
            state=session.state.value,
            program=session.program.program,
            console=session.console,
            engine_slot=record.slot if record else 0,
            segment=turn.segment if turn else 0,
            turns=len(session.served),
        )

    def _count_end(self, session: PushSession, event: SessionEvent) -> None:
        """Lost is a session whose console was redirected in vain, or waited in vain for somebody to go on."""
        counters, state = self._station.counters, session.state
        waited = state is SessionState.RESUMING and event is SessionEvent.CONSOLE_SILENT
        refused = state is SessionState.REDIRECTED and event is SessionEvent.STOPPED
        if waited or (event is SessionEvent.SENDER_LOST and state is SessionState.REDIRECTED):
            counters.sessions_lost += 1
            self._station.lost.append(self.figures(session))
        elif state is not SessionState.ENDED and not refused and not self._station.standing.superseded:
            counters.sessions_ended += 1

    async def cease(self, session: PushSession, turn: Turn) -> None:
        """Let an engine send nothing more of a session; one that does not hear it learns it when it reports."""
        order = Cease(session=session.session, turn=turn.number, epoch=self._station.duty.epoch)
        await self._station.http.tell(turn.engine, CEASE, order)

    def charge(self, session: PushSession) -> None:
        """Let the load of the engines follow who holds, or is offered, the stream."""
        ended = session.state is SessionState.ENDED
        turns = () if ended else filter(None, (session.holder, session.offer))
        wanted = frozenset(turn.engine for turn in turns)
        for engine in wanted - session.charged:
            self._station.roster.promise(engine, session.program.rate_bps)
        for engine in session.charged - wanted:
            self._station.roster.promise(engine, -session.program.rate_bps)
        session.charged = wanted

    def _choose(
        self, session: PushSession, segment: int, excluding: Collection[Address] = ()
    ) -> EngineRecord | Refused:
        return choose_engine(self._station, session.program, segment, excluding, session.charged)

    def _give(self, session: PushSession, engine: EngineRecord, segment: int, packet: int) -> Turn:
        now = asyncio.get_running_loop().time()
        turn = session.give_turn(engine.address, engine.boot, segment, packet, now)
        self.charge(session)
        return turn

    def _offer_nobody(self, session: PushSession, refused: Refused) -> Refused:
        session.offer = None
        self.charge(session)
        return refused

    async def _start(self, session: PushSession, turn: Turn) -> StartOutcome:
        message = Start(epoch=self._station.duty.epoch, session=session.session, turn=turn.number, packet=turn.packet)
        try:
            answer = await self._station.http.ask(turn.engine, START, message, deadline_s=_START_DEADLINE_S)
        except NetworkError as error:
            refused = isinstance(error, Unreachable) and not error.received
            return StartOutcome.REFUSED if refused else StartOutcome.DOUBTFUL
        if isinstance(answer, Done):
            return StartOutcome.TAKEN
        return StartOutcome.DOUBTFUL if answer.perhaps_done else StartOutcome.REFUSED

    async def _preload(self, session: PushSession, turn: Turn) -> bool:
        message = Preload(
            epoch=self._station.duty.epoch,
            session=session.session,
            turn=turn.number,
            program=session.program.program,
            segment=session.program.segments[turn.segment],
            rate_bps=session.program.rate_bps,
            console=session.console,
            packet=turn.packet,
        )
        try:
            answer = await self._station.http.ask(turn.engine, PRELOAD, message, deadline_s=_PRELOAD_DEADLINE_S)
        except NetworkError:
            self._station.roster.suspect(turn.engine)
            return False
        return isinstance(answer, Ready)
