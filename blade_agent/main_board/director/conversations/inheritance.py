"""Streams of an earlier director, as the engines that enlist tell them.

Their later turns get numbers from the epoch on: higher than any that an earlier director can have given, for those
that it offered and that nobody speaks of are not known.
"""

from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.session import PushSession, Turn
from media_network.address import Address
from media_network.messages.enlisting import RunningStream
from media_network.program import Program

_TURNS_OF_AN_EPOCH = 1 << 20
_TOLD_WITHIN_S = 3.0
"""An enlistment is given up by its engine after so long, so it was sent no earlier than this before it was heard."""
_FOUND_WITHIN_S = 24.0
"""So much longer than otherwise a console may be silent that has yet to find its new director."""


def inherited_session(stream: RunningStream, program: Program, now: float, epoch: int) -> PushSession:
    """A session that began under an earlier director."""
    first_own_turn = max(epoch * _TURNS_OF_AN_EPOCH, stream.cursor.turn + _TURNS_OF_AN_EPOCH)
    return PushSession(
        session=stream.cursor.session,
        program=program,
        console=stream.console,
        watched_at=now + _FOUND_WITHIN_S,
        turns_given=first_own_turn,
        first_own_turn=first_own_turn,
    )


def inherited_turn(stream: RunningStream, engine: Address, boot: str, now: float) -> Turn:
    """The turn that an engine has: it was here no earlier than its enlistment can have been sent."""
    cursor = stream.cursor
    return Turn(
        number=cursor.turn,
        engine=engine,
        boot=boot,
        segment=cursor.segment,
        packet=cursor.packet,
        given_at=now - _TOLD_WITHIN_S,
    )


def inherited_mark(stream: RunningStream, now: float) -> Mark:
    """How far the turn can have got when the enlistment was sent."""
    cursor = stream.cursor
    reach = max(cursor.reach or 0, cursor.packet)
    until = now - _TOLD_WITHIN_S + (cursor.tick_us or 0) / 1e6
    return Mark(turn=cursor.turn, segment=cursor.segment, packet=reach, until=until)
