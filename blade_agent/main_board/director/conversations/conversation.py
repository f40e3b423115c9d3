"""What a session wants is said: to engines, to its console, and to whoever counts (claims 16 and 17)."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from blade_agent.main_board.asking_engines import AskingEngines
from blade_agent.main_board.director.conversations.settling import Settling
from blade_agent.main_board.director.conversations.turn_record import TurnRecord
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord, WantedTurn
from blade_agent.main_board.director.sessions.charge import Charge, begins_at, charges_of, playing_s
from blade_agent.main_board.director.sessions.effects import (
    BeginTurn,
    CeaseTurn,
    Count,
    Effect,
    Fact,
    GetReady,
    NameNext,
    RedirectConsole,
    RefuseNext,
    SeekEngine,
    SettleTurn,
    SuspectEngine,
    TurnAway,
    TurnTaken,
    WakeAt,
)
from blade_agent.main_board.director.sessions.events import (
    EngineFound,
    Event,
    GotReady,
    NobodyFound,
    NotReady,
    Sought,
    StartAnswered,
    Superseded,
    TurnSettled,
    Woken,
)
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.position import place_of
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import Ended, Left, State
from blade_agent.main_board.director.term import Term
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.streaming import CEASE, Cease, HandOver, Next, Preload, Ready, Start
from media_network.messages.watching import Jump, Served
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

Moved = Callable[["Conversation", frozenset[Address]], None]
"""Called when a session asks something else of engines than before; says of which it did."""
Counted = Callable[["Conversation", Fact, State], None]
"""Called with what happened to a session, and the state in which it did."""
Exchanged = Callable[["Conversation", Sought], EngineFound | None]
"""Called where no engine with the whole segment has room: one may, in exchange for another stream."""


class Conversation:
    """One session, and all that is said for it. Events come in one after the other, each to its end."""

    def __init__(
        self,
        session: Session,
        *,
        term: Term,
        choice: EngineChoice,
        settling: Settling,
        moved: Moved,
        counted: Counted,
        exchanged: Exchanged,
    ) -> None:
        self.session = session
        self.opened: asyncio.Future[GivenTurn | Refused] = asyncio.get_running_loop().create_future()
        """What the console that asked for it is answered."""
        self.record = TurnRecord()
        self.received_at: float | None = None
        """When the receiver of its RTP stream spoke last, by the event loop's time; None: never."""
        self._term = term
        self._choice = choice
        self._settling = settling
        self._engines = AskingEngines(term.http)
        self._moved = moved
        self._counted = counted
        self._exchanged = exchanged
        self.charges: tuple[Charge, ...] = ()
        """What the session asks of engines."""
        self._questions: dict[int, asyncio.Future[Next | Refused]] = {}
        self._moved_on = asyncio.Event()
        """Set with the next event; then there is another."""
        self._waking: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        """The session's id."""
        return self.session.terms.session

    @property
    def ended(self) -> bool:
        """Whether nobody is to send any more."""
        return isinstance(self.session.state, Ended)

    @property
    def charged(self) -> frozenset[Address]:
        """The engines that have the session in their load."""
        return frozenset(charge.engine for charge in self.charges)

    def hear(self, event: Event) -> None:
        """Take an event, and have done what follows from it."""
        waiting: deque[Event] = deque([event])
        while waiting:
            before = self.session.state
            effects = self.session.on(waiting.popleft(), _now())
            self._charge()
            for effect in effects:
                if isinstance(effect, SeekEngine):
                    waiting.append(self._seek(effect.sought))
                elif isinstance(effect, Count):
                    self._counted(self, effect.fact, before)
                else:
                    self._carry_out(effect)
        if self._waking and isinstance(self.session.state, Ended | Left):
            self._waking.cancel()
            self._waking = None
        self._moved_on.set()
        self._moved_on = asyncio.Event()

    async def until(self, holds: Callable[[State], bool]) -> State:
        """Wait for a state of which this holds, and give it."""
        while not holds(self.session.state):
            await self._moved_on.wait()
        return self.session.state

    async def answer(self, question: int, event: Event) -> Next | Refused:
        """Hear a question of this number, and give what it is answered."""
        answer: asyncio.Future[Next | Refused] = asyncio.get_running_loop().create_future()
        self._questions[question] = answer
        try:
            self.hear(event)
            return await answer
        finally:
            del self._questions[question]

    def _charge(self) -> None:
        charges = charges_of(self.session.state, self.session.terms.program)
        if charges != self.charges:
            before = self.charged
            self.charges = charges
            self._moved(self, before)

    def _seek(self, sought: Sought) -> Event:
        found = self._choose(sought)
        if isinstance(found, Refused):
            exchanged = self._exchanged(self, sought) if sought.whole else None
            return exchanged or NobodyFound(sought=sought, refused=found)
        return EngineFound(sought=sought, engine=found.address, boot=found.boot)

    def _choose(self, sought: Sought) -> EngineRecord | Refused:
        program = self.session.terms.program
        wanted = self._wanted(sought)
        unfit = [engine.address for engine in self._choice.roster if str(engine.address) in sought.unfit]
        barred = [*unfit, *sought.excluded]
        found = self._choice.choose(program, sought.segment, wanted, barred, whole=sought.whole)
        if isinstance(found, Refused) and found.reason is Reason.NO_ENGINE and unfit:
            # Who has reported since may take it yet.
            found = self._choice.choose(program, sought.segment, wanted, sought.excluded, whole=sought.whole)
        return found

    def _wanted(self, sought: Sought) -> WantedTurn:
        program, now = self.session.terms.program, _now()
        begins = begins_at(self.session.state, program, sought, now)
        ends = begins + playing_s(program, sought.segment, sought.packet, sought.course)
        return WantedTurn(session=self.name, rate_bps=program.rate_bps, begins_at=begins, ends_at=ends, now=now)

    def _carry_out(self, effect: Effect) -> None:  # noqa: C901 -- a case an effect
        match effect:
            case GetReady(turn=turn, redirected=redirected):
                self._beside(self._get_ready(turn, redirected=redirected), "preload")
            case BeginTurn(turn):
                self._beside(self._begin(turn), "start")
            case SettleTurn(turn):
                self._beside(self._settle(turn), "settle")
            case CeaseTurn(turn):
                self._beside(self._cease(turn), "cease")
            case SuspectEngine(engine):
                self._choice.roster.suspect(engine)
            case RedirectConsole(turn):
                _answer(self.opened, turn)
            case TurnAway(refused):
                _answer(self.opened, refused)
            case NameNext(asked=asked, next=turn):
                _answer(self._questions.get(asked.question), self._next(turn))
            case RefuseNext(asked=asked, refused=refused):
                _answer(self._questions.get(asked.question), refused)
            case WakeAt(at):
                self._wake_at(at)
            case TurnTaken(turn=turn, packet=packet):
                segment = self.session.terms.program.segments[turn.segment]
                sender = str(self._choice.roster.media(turn.engine))
                logger.info(
                    "stream %s of %s to %s: turn %d, segment %d, is at engine %s",
                    *(self.name, self.session.terms.program.name, self.session.terms.console),
                    *(turn.number, segment.number, turn.engine),
                )
                jump = self._jump(turn)
                trick = turn.course.trick(self.session.terms.program, turn.segment)
                served = Served(turn=turn.number, segment=segment, packet=packet, engine=sender, jump=jump, trick=trick)
                self.record.add(served)

    def _jump(self, turn: GivenTurn) -> Jump | None:
        if turn.left is None:
            return None
        program = self.session.terms.program
        begins = turn.at(program) or turn.left
        return Jump(left=place_of(program, turn.left), begins=place_of(program, begins))

    def _beside(self, saying: Coroutine[Any, Any, None], what: str) -> None:
        self._term.tasks.create_task(saying, name=f"{what} {self.name}")

    async def _get_ready(self, turn: GivenTurn, *, redirected: bool) -> None:
        terms = self.session.terms
        order = Preload(
            epoch=self._term.epoch,
            session=self.name,
            turn=turn.number,
            program=terms.program.name,
            table=terms.program.header.table,
            segment=terms.program.segments[turn.segment],
            rate_bps=terms.program.rate_bps,
            console=terms.console,
            packet=turn.packet,
            redirected=redirected,
            trick=turn.course.trick(terms.program, turn.segment),
            rtp=turn.rtp,
        )
        answer = await self._engines.preload(turn.engine, order)
        if answer is None:
            self._choice.roster.suspect(turn.engine)
        self.hear(GotReady(turn.number) if isinstance(answer, Ready) else NotReady(turn.number))

    async def _begin(self, turn: GivenTurn) -> None:
        order = Start(epoch=self._term.epoch, session=self.name, turn=turn.number, packet=turn.packet)
        outcome = await self._engines.start(turn.engine, order)
        if outcome is not StartOutcome.TAKEN:
            self._choice.roster.suspect(turn.engine)
        self.hear(StartAnswered(turn=turn.number, outcome=outcome))

    async def _settle(self, turn: GivenTurn) -> None:
        answer = await self._settling.settle(self.name, turn)
        if isinstance(answer, Superseded):
            self._term.standing.lose()
        self.hear(TurnSettled(turn=turn.number, answer=answer))

    async def _cease(self, turn: GivenTurn) -> None:
        """One that does not hear it learns it when it reports."""
        order = Cease(session=self.name, turn=turn.number, epoch=self._term.epoch)
        await self._term.http.tell(turn.engine, CEASE, order)

    def _next(self, turn: GivenTurn | None) -> Next:
        if turn is None:
            return Next(None)
        segment = self.session.terms.program.segments[turn.segment]
        offer = HandOver(
            turn=turn.number,
            engine=str(turn.engine),
            segment=segment,
            packet=turn.packet,
            exchange=turn.exchange,
            trick=turn.course.trick(self.session.terms.program, turn.segment),
            rtp=turn.rtp,
        )
        return Next(offer)

    def _wake_at(self, at: float) -> None:
        if self._waking:
            self._waking.cancel()
        self._waking = asyncio.get_running_loop().call_at(at, self.hear, Woken())


Answer = TypeVar("Answer")


def _answer(waiting: asyncio.Future[Answer] | None, answer: Answer) -> None:
    """Whoever asked may have gone."""
    if waiting and not waiting.done():
        waiting.set_result(answer)


def _now() -> float:
    return asyncio.get_running_loop().time()
