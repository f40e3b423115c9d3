"""What a console orders of its session: pause, resume, seek, another speed, its end (claims 17 and 21).

A pause and a seek end a turn as a loss does, and go on with another: what differs is where, and when.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from blade_agent.main_board.director.sessions.course import NORMAL
from blade_agent.main_board.director.sessions.effects import (
    CeaseTurn,
    Effects,
    Fact,
)
from blade_agent.main_board.director.sessions.events import (
    EndAsked,
    Event,
    PauseAsked,
    PauseInherited,
    ResumeAsked,
    ScaleAsked,
    SeekAsked,
)
from blade_agent.main_board.director.sessions.states import (
    AwaitingEnlistment,
    AwaitingLeases,
    Doubting,
    Ended,
    Left,
    Opening,
    Paused,
    Readying,
    Seeking,
    SettlingNext,
    SettlingSender,
    SettlingStart,
    Starting,
    Streaming,
)
from blade_agent.main_board.director.sessions.turn_keeping import TurnKeeping


class ConsoleOrders(TurnKeeping):
    """A session as its console steers it."""

    def _pause_asked(self, _: PauseAsked, now: float) -> Effects:
        match self.state:
            case Seeking(lost=lost, position=position, course=course, left=left):
                return self._pause(lost, position, course, left, now)
            case Readying(lost=lost, next=turn):
                return (CeaseTurn(turn), *self._pause(lost, self._begins(turn), turn.course, turn.left, now))
        return self._aim_at(paused=True, scale=1)

    def _resume_asked(self, _: ResumeAsked, now: float) -> Effects:
        match self.state:
            case Paused(last=last, position=position, left=left):
                return self._go(last, position, left, NORMAL, now)
            case SettlingSender() | AwaitingLeases() | SettlingNext() | SettlingStart():
                return self._aim_at(paused=False)
        return ()

    def _seek_asked(self, event: SeekAsked, now: float) -> Effects:
        match self.state:
            case Paused(position=position, left=left) as state:
                self.state = replace(state, position=event.position, left=left or position)
                return ()
            case Seeking(lost=lost, position=position, left=left):
                return self._go(lost, event.position, left or position, NORMAL, now)
            case Readying(lost=lost, next=turn):
                left = turn.left or self._begins(turn)
                return (CeaseTurn(turn), *self._go(lost, event.position, left, NORMAL, now))
        return self._aim_at(to=event.position, scale=1)

    def _scale_asked(self, event: ScaleAsked, now: float) -> Effects:
        """Claim 21, first step. The stream goes on where it is, in a turn of that speed."""
        scale = event.scale
        match self.state:
            case Streaming(holder=turn) | Doubting(holder=turn) | AwaitingEnlistment(holder=turn) if (
                turn.course.scale != scale
            ):
                return self._aim_at(scale=scale)
            case Paused(last=last, position=position, left=left):
                return self._go(last, position, left, self._course(scale, position), now)
            case Seeking() as state:
                return self._change(state, scale, now) if state.course.scale != scale else ()
            case Readying(next=offered) as state if offered.course.scale != scale:
                return (CeaseTurn(offered), *self._change(self._sought_again(state, offered), scale, now))
            case Starting() | SettlingSender() | AwaitingLeases() | SettlingNext() | SettlingStart():
                return self._aim_at(scale=scale, paused=False)
        return ()

    def _end_asked(self, _: EndAsked, now: float) -> Effects:
        return () if isinstance(self.state, Ended | Left) else self._end(Fact.ENDED, now, *self.state.turns)

    def _pause_inherited(self, event: PauseInherited, now: float) -> Effects:
        if isinstance(self.state, Opening):
            self.state = Paused(last=None, position=event.position, left=event.left, since=now)
        return ()

    ORDERS: ClassVar[Mapping[type[Event], Callable[["ConsoleOrders", Any, float], Effects]]] = {
        PauseAsked: _pause_asked,
        ResumeAsked: _resume_asked,
        SeekAsked: _seek_asked,
        ScaleAsked: _scale_asked,
        EndAsked: _end_asked,
        PauseInherited: _pause_inherited,
    }
    """What each order does."""
