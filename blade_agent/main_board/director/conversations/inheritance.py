"""Streams of an earlier director, as the engines that enlist tell them.

Their later turns get numbers from the epoch on: higher than any that an earlier director can have given, for those
that it offered and that nobody speaks of are not known.
"""

from blade_agent.main_board.director.sessions.course import NORMAL, Course
from blade_agent.main_board.director.sessions.events import TurnInherited
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.mark import Mark
from media_network.address import Address
from media_network.messages.enlisting import RunningStream, TurnPhase

_TURNS_OF_AN_EPOCH = 1 << 20
_TOLD_WITHIN_S = 3.0
"""An enlistment is given up by its engine after so long, so it was sent no earlier than this before it was heard."""
FOUND_WITHIN_S = 24.0
"""So much longer than otherwise a console may be silent that has yet to find its new director."""


def first_own_turn(known_turn: int, epoch: int) -> int:
    """The lowest number that a turn of this director has, in a session that began under an earlier one."""
    return max(epoch * _TURNS_OF_AN_EPOCH, known_turn + _TURNS_OF_AN_EPOCH)


def inherited(stream: RunningStream, engine: Address, boot: str, now: float) -> TurnInherited:
    """The turn that an engine has. It was here no earlier than its enlistment can have been sent."""
    cursor = stream.cursor
    sent_at = now - _TOLD_WITHIN_S
    turn = GivenTurn(
        number=cursor.turn,
        engine=engine,
        boot=boot,
        segment=cursor.segment,
        packet=cursor.packet,
        given_at=sent_at,
        course=Course(stream.trick.scale, stream.trick.entered) if stream.trick else NORMAL,
        rtp=stream.rtp,
    )
    reach = max(cursor.reach or 0, cursor.packet)
    until = sent_at + (cursor.tick_us or 0) / 1e6
    mark = Mark(turn=cursor.turn, segment=cursor.segment, packet=reach, until=until)
    return TurnInherited(
        turn=turn,
        preloaded=stream.phase is TurnPhase.PRELOADED,
        mark=mark,
        first_packet=stream.first_packet,
        handing_over=stream.phase in (TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN),
    )
