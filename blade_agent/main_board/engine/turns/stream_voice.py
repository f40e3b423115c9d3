"""What an engine says for a stream: to the director, and to the engine that is to go on with it (claims 16, 21, 22)."""

import asyncio
import logging
from typing import Protocol

from blade_agent.main_board.asking_engines import AskingEngines, outcome_of
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.engine.turns.events import (
    AssumptionAnswered,
    Event,
    NeighbourAnswered,
    NeighbourStarted,
    NextAnswered,
    UnderrunAverted,
)
from blade_agent.main_board.engine.turns.states import Active, Asking, HandingOver, Preloading
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.streaming import (
    ASSUMED,
    NEXT_SEGMENT,
    Assumed,
    HandOver,
    Next,
    NextSegment,
    Preload,
    Ready,
    Start,
    Swap,
    Underrun,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_WORTH_A_CUT_S = 0.5
"""With less left of it the segment is sent to its end."""
_PAUSE_S = 0.2
_QUESTION_DEADLINE_S = 1.0
_SPACING_S = 0.003
"""Between our last datagram and the first of the next engine, so that the network does not deliver that one first."""
_PATIENCE = frozenset({Reason.NO_ENGINE, Reason.AT_CAPACITY, Reason.BUSY, Reason.OVERDUE, Reason.WRONG_ROLE})
"""Refusals after which it is worth asking the director again."""


class Ourselves(Protocol):
    """This engine, as the one that is named to go on with its own stream."""

    async def preload(self, request: Preload, *, in_place_of: str = "") -> Ready | Refused:
        """Answer `PRELOAD`; `in_place_of`: a session that is about to leave."""
        ...

    async def start(self, request: Start) -> Done | Refused:
        """Answer `START`."""
        ...


class Spoken(Protocol):
    """A stream that something is said for, and that hears what is answered."""

    session: str

    @property
    def active(self) -> Active | None:
        """The turn that is ours."""
        ...

    @property
    def packet(self) -> int:
        """The next one to send of it."""
        ...

    def transmission(self, turn: int) -> Transmission:
        """Of a turn that is preloaded or sent."""
        ...

    def hear(self, event: Event) -> object:
        """Take an event, and have done what follows from it."""
        ...


class StreamVoice:
    """What is said for one stream. What is answered, the stream hears as an event."""

    def __init__(self, stream: Spoken, director: DirectorLink, engines: AskingEngines, ourselves: Ourselves) -> None:
        self._stream = stream
        self._director = director
        self._engines = engines
        self._ourselves = ourselves
        self._questions = 0

    async def say_assumed(self, order: Preload, packet: int) -> None:
        """Tell the director, until it has heard."""
        message = Assumed(
            session=self._stream.session,
            turn=order.turn,
            engine=str(self._director.own),
            segment=order.segment.number,
            packet=packet,
        )
        answer = await self._director.say(ASSUMED, message)
        self._stream.hear(AssumptionAnswered(order.turn, self._stream.packet, isinstance(answer, Refused)))

    async def ask_next(self, asking: Asking) -> None:
        """Ask for the next segment until the director knows one, or patience has run out."""
        loop, director = asyncio.get_running_loop(), self._director
        pacing = self._stream.transmission(asking.turn).pacing
        # About a doubtful engine the director may have to wait for the end of a lease.
        deadline_s = _QUESTION_DEADLINE_S + (director.lease_s if asking.doubtful else 0.0)
        asked_s, found = loop.time(), None
        while found is None and loop.time() < max(pacing.end_s, asked_s) + director.lease_s:
            if self._stream.active is None or self._stream.active.turn != asking.turn:
                return
            if asking.foreseen and not self._stream.transmission(asking.turn).underrun(loop.time()):
                # It is all here by now, or will be in time.
                self._stream.hear(UnderrunAverted(asking.turn))
                if not isinstance(self._stream.active, Asking):
                    return
            answer = await director.ask(NEXT_SEGMENT, self._question(asking), deadline_s=deadline_s)
            if isinstance(answer, Next) or (isinstance(answer, Refused) and answer.reason not in _PATIENCE):
                found = answer
            else:
                await asyncio.sleep(_PAUSE_S)
        self._stream.hear(NextAnswered(asking.turn, self._stream.packet, found))

    def _question(self, asking: Asking) -> NextSegment:
        self._questions += 1
        packet, transmission = self._cut_from(asking.turn), self._stream.transmission(asking.turn)
        return NextSegment(
            session=self._stream.session,
            turn=asking.turn,
            segment=asking.order.segment.number,
            packet=packet,
            underrun=_underrun(transmission) if asking.foreseen and packet is not None else None,
            failed=asking.failed,
            doubtful=asking.doubtful,
            number=self._questions,
        )

    def _cut_from(self, turn: int) -> int | None:
        """The next packet, if the turn is to be handed over before the end of its segment; None if at the end."""
        pacing, active = self._stream.transmission(turn).pacing, self._stream.active
        leaves = active is not None and (active.hurried or active.foreseen)
        cut = pacing.is_cut or (leaves and pacing.end_s - _now() > _WORTH_A_CUT_S)
        return pacing.packet if cut else None

    async def preload_neighbour(self, preloading: Preloading) -> None:
        """Notify the engine that was named, or swap with it."""
        order, offer = preloading.order, preloading.offer
        message = Preload(
            epoch=self._director.epoch,
            session=self._stream.session,
            turn=offer.turn,
            program=order.program,
            table=order.table,
            segment=offer.segment,
            rate_bps=order.rate_bps,
            console=order.console,
            packet=offer.packet,
            trick=offer.trick,
            rtp=offer.rtp,
        )
        swaps = preloading.foreseen and offer.segment.number == order.segment.number
        is_ready = await (self._swap(offer, message) if swaps else self._preload(offer, message))
        if not is_ready:
            logger.warning("engine %s is not ready for turn %d of %s", offer.engine, offer.turn, self._stream.session)
        self._stream.hear(NeighbourAnswered(order.turn, is_ready))

    async def _preload(self, offer: HandOver, message: Preload) -> bool:
        engine = _address(offer.engine)
        answer: Ready | Refused | None = None
        if engine == self._director.own:
            answer = await self._ourselves.preload(message)
        elif engine:
            answer = await self._engines.preload(engine, message)
        return isinstance(answer, Ready)

    async def _swap(self, offer: HandOver, message: Preload) -> bool:
        """Claims 21 and 22: request a swap that identifies our console, and get ready for the one that comes back."""
        engine = _address(offer.engine)
        if engine is None or engine == self._director.own:
            return False
        request = Swap(engine=str(self._director.own), preload=message, exchange=offer.exchange)
        logger.info(
            "stream %s: engine %s has all of segment %d, and is requested to swap",
            self._stream.session,
            engine,
            offer.segment.number,
        )
        answer = await self._engines.swap(engine, request)
        if answer is None or isinstance(answer, Refused):
            return False
        if offer.exchange is None:
            return True
        returned = answer.returned
        if returned is None or (returned.session, returned.turn) != (offer.exchange.session, offer.exchange.next_turn):
            return False
        if not isinstance(await self._ourselves.preload(returned, in_place_of=self._stream.session), Ready):
            return False
        logger.info("stream %s: goes to engine %s, and %s comes here", self._stream.session, engine, returned.session)
        return True

    async def start_neighbour(self, starting: HandingOver) -> None:
        """Direct it to start."""
        outcome = await self._started(starting)
        if outcome is not StartOutcome.TAKEN:
            offer = starting.offer
            logger.warning("engine %s did not take turn %d of %s", offer.engine, offer.turn, self._stream.session)
        self._stream.hear(NeighbourStarted(starting.turn, self._stream.packet, outcome))

    async def _started(self, starting: HandingOver) -> StartOutcome:
        """Direct the next engine to start, unless our lease has ended: the stream may be another's then."""
        director, offer = self._director, starting.offer
        left_s = director.lease_end_s - _now()
        engine = _address(offer.engine)
        if left_s <= 0 or engine is None:
            return StartOutcome.REFUSED
        pacing = self._stream.transmission(starting.turn).pacing
        message = Start(
            epoch=director.epoch,
            session=self._stream.session,
            turn=offer.turn,
            packet=pacing.packet if offer.segment.number == starting.order.segment.number else 0,
            due_in_us=round(max(_SPACING_S, pacing.end_s - _now()) * 1_000_000),
        )
        if engine == director.own:
            return outcome_of(await self._ourselves.start(message))
        return await self._engines.start(engine, message, within_s=left_s)


def _underrun(transmission: Transmission) -> Underrun | None:
    now_s = _now()
    missed = transmission.underrun(now_s)
    return missed and Underrun(packet=missed.packet, in_ms=max(0, round((missed.due_s - now_s) * 1000)))


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
