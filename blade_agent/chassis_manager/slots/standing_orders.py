"""What a blade was last told and no heartbeat says: to drain, to show which one it is. No I/O.

Whoever told it: the manager, its console, an IPMI tool, a network management system. All of it goes over the slot's
line. What is told to the blade itself, at its service port or its own agent, is not known here.
"""

import math
from typing import Any, Final

from blade_agent.backplane.message import CompletionCode, Response
from blade_agent.backplane.messages.chassis import CHASSIS_IDENTIFY, IdentifyRequest
from blade_agent.backplane.messages.role import DRAIN, Drain
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, Relay

_DEFAULT_INTERVAL_S: Final = 15
_LONGEST_S: Final = 255


class StandingOrders:
    """Of one start of a blade's agent."""

    def __init__(self) -> None:
        self.draining = False
        self._identify_until = 0.0

    def identify_s(self, now: float) -> int:
        """For how long the blade still shows itself, in seconds; 255 until it is told otherwise."""
        return max(0, math.ceil(min(self._identify_until - now, _LONGEST_S)))

    def passed_on(self, relay: Relay, now: float) -> Relay:
        """Note somebody else's request as soon as it is to be passed on; if nothing comes of it, take that back."""
        order = None if relay.lun else relay.read(DRAIN) or relay.read(CHASSIS_IDENTIFY)
        if order is None:
            return relay
        before, after = self._state, self._note(order, now)

        def ended(response: Response | None) -> None:
            done = response is not None and response.completion == CompletionCode.OK
            if not done and self._state == after:
                self.draining, self._identify_until = before
            relay.ended(response)

        return Relay(net_fn=relay.net_fn, command=relay.command, data=relay.data, lun=relay.lun, ended=ended)

    def ended(self, answered: Answered, now: float) -> None:
        """Note what the manager itself told the blade."""
        if answered.outcome is AnswerOutcome.ANSWERED:
            self._note(answered.question.body, now)

    @property
    def _state(self) -> tuple[bool, float]:
        return self.draining, self._identify_until

    def _note(self, order: Any, now: float) -> tuple[bool, float]:
        if isinstance(order, Drain):
            self.draining = order.draining
        elif isinstance(order, IdentifyRequest):
            interval_s = _DEFAULT_INTERVAL_S if order.interval_s is None else order.interval_s
            self._identify_until = math.inf if order.forced else now + interval_s
        return self._state
