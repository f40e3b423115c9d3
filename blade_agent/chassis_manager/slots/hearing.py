"""How a blade is asked how it is, in the version of our messages that it speaks. No I/O.

A blade of version 1 does not know the heartbeat, and says so. It is asked then as version 1 was, to be seen at all.
What it answers carries no seal: it has to say the same twice before it counts.
"""

from typing import Final

from msgspec import structs

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.heartbeat import (
    GET_BLADE_STATUS,
    GET_HEARTBEAT,
    PROTOCOL_VERSION,
    BladeStatus,
    Heartbeat,
)
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion

_HEARTBEAT: Final = SlotQuestion(GET_HEARTBEAT, Nothing())
_STATUS: Final = SlotQuestion(GET_BLADE_STATUS, Nothing())


class Hearing:
    """Of the blade that is in a slot at present."""

    def __init__(self) -> None:
        self._unsealed = False
        self._said: BladeStatus | None = None

    @property
    def question(self) -> SlotQuestion:
        """What the blade is to be asked."""
        return _STATUS if self._unsealed else _HEARTBEAT

    @staticmethod
    def is_of(question: SlotQuestion) -> bool:
        """Tell whether it is a question how a blade is."""
        return question is _HEARTBEAT or question is _STATUS

    def take(self, answered: Answered) -> Heartbeat | None:
        """Take the end of such a question; None: nothing is known by it so far, and the blade is to be asked again."""
        if answered.question is _HEARTBEAT:
            return self._sealed(answered)
        if answered.outcome is not AnswerOutcome.ANSWERED:
            return None
        before, self._said = self._said, answered.reply
        return self._confirmed(before, answered.reply)

    def _sealed(self, answered: Answered) -> Heartbeat | None:
        if answered.outcome is AnswerOutcome.ANSWERED:
            heartbeat: Heartbeat = answered.reply
            return heartbeat
        self._unsealed = answered.completion == CompletionCode.INVALID_COMMAND
        self._said = None
        return None

    def _confirmed(self, before: BladeStatus | None, now: BladeStatus) -> Heartbeat | None:
        if now.protocol_version >= PROTOCOL_VERSION:
            self._unsealed = False
            return None
        same = before is not None and now == structs.replace(
            before, frame_faults=now.frame_faults, message_faults=now.message_faults
        )
        return Heartbeat(**structs.asdict(now)) if same else None
