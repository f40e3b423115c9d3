"""What a session refuses."""

from blade_agent.main_board.director.sessions.effects import Effects, RefuseNext
from blade_agent.main_board.director.sessions.events import NextAsked
from media_network.refusal import Reason, Refused

NO_SESSION = Refused(Reason.UNKNOWN_SESSION, "the session has ended, or was never here")
NOBODY_GOT_READY = Refused(Reason.NO_ENGINE, "no engine got ready for it in time")
ANOTHER_DIRECTS = Refused(Reason.WRONG_ROLE, "the station has another director")
GOES_ON_ELSEWHERE = Refused(Reason.ASSUMED, "the stream goes on at another engine")


def stale_turn(turn: int) -> Refused:
    """What is said to whoever speaks of a turn that is over."""
    return Refused(Reason.STALE_TURN, f"turn {turn} is not the stream's present one")


def refuse_all(asked: tuple[NextAsked, ...], refused: Refused) -> Effects:
    """The same answer to all the questions that wait."""
    return tuple(RefuseNext(asked=question, refused=refused) for question in asked)
