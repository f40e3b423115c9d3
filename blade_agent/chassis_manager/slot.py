"""A slot as the chassis manager sees it: its blade's last word, and the conversation with it. No I/O."""

import logging

from blade_agent.cbc.hot_swap import REPORT_OF, TRANSITIONS, HotSwapEvent, HotSwapState
from blade_agent.cbc.identity import SlotAddress
from blade_agent.cbc.layout import Nothing
from blade_agent.cbc.message import Request, Response
from blade_agent.cbc.picmg_messages import SET_FRU_ACTIVATION, Activation, SetActivation
from blade_agent.cbc.role import MainBoardState, RoleAssignment
from blade_agent.cbc.role_messages import (
    COMMIT_ROLE,
    GET_BLADE_STATUS,
    PROTOCOL_VERSION,
    STAGE_ADDRESS,
    STAGE_STATION,
    BladeStatus,
    CommitRole,
    Party,
    StageAddress,
    StageStation,
    assignment_digest,
)
from blade_agent.chassis_manager.requester import Answered, Outcome, Question, Relay, Requester
from blade_agent.chassis_manager.settings import Timing

logger = logging.getLogger(__name__)

_HEARTBEAT = Question(GET_BLADE_STATUS, Nothing())
_ON_ITS_WAY = frozenset(
    {
        HotSwapState.M2_ACTIVATION_REQUEST,
        HotSwapState.M3_ACTIVATION_IN_PROGRESS,
        HotSwapState.M5_DEACTIVATION_REQUEST,
        HotSwapState.M6_DEACTIVATION_IN_PROGRESS,
    }
)
_CHANGING = frozenset({MainBoardState.STARTING, MainBoardState.STOPPING})
_ABSENT = frozenset({HotSwapState.M0_NOT_INSTALLED, HotSwapState.M7_COMMUNICATION_LOST})


class Slot:
    """One slot and its line."""

    def __init__(self, number: int, first_sequence: int, timing: Timing) -> None:
        self.number = number
        self.hot_swap = HotSwapState.M0_NOT_INSTALLED
        self.status: BladeStatus | None = None
        """The last heartbeat; of a blade that is away it is history."""
        self.requester = Requester(SlotAddress(number).ipmb_address, first_sequence, timing)
        self._timing = timing
        self._next_poll = 0.0
        self._news = False

    @property
    def active(self) -> BladeStatus | None:
        """The last heartbeat of a blade that is in service; None of any other."""
        return self.status if self.hot_swap is HotSwapState.M4_ACTIVE else None

    @property
    def away(self) -> bool:
        """Whether there is no blade, or none that is heard."""
        return self.hot_swap in _ABSENT

    @property
    def ready(self) -> BladeStatus | None:
        """The last heartbeat of a blade that can take a role; None of any other."""
        status = self.active
        if status is None or status.main_board is not MainBoardState.READY or status.address is None:
            return None
        return status if status.protocol_version == PROTOCOL_VERSION else None

    @property
    def free(self) -> bool:
        """Whether a conversation may begin: none is under way, and the blade has reported since the last one."""
        return self._news and self.requester.idle

    @property
    def due(self) -> float:
        """When `tick` has something to do."""
        due = self.requester.due
        return self._next_poll if due is None else due

    def tick(self, now: float) -> Request | None:
        """Do what is due; give the request to send, if any."""
        if self.requester.idle and now >= self._next_poll:
            self.requester.ask(_HEARTBEAT)
        due = self.requester.tick(now)
        if isinstance(due, Answered):
            self._ended(due, now)
            return None
        return due

    def receive(self, message: Request | Response, now: float) -> None:
        """Take what the line brought."""
        answered = self.requester.receive(message)
        if answered is not None:
            self._ended(answered, now)

    def set_activation(self, activation: Activation) -> None:
        """Bring the blade into service or out of it, and look at once how far it is."""
        logger.info("slot %d: %s", self.number, activation.name.lower())
        self._converse(Question(SET_FRU_ACTIVATION, SetActivation(0, activation)))

    def assign(self, assignment: RoleAssignment) -> None:
        """Give the main board its role, whole or not at all, and look at once whether it took it."""
        logger.info("slot %d: %s at epoch %d", self.number, assignment.role, assignment.epoch)
        commit = CommitRole(
            epoch=assignment.epoch, role=assignment.role, assignment_digest=assignment_digest(assignment)
        )
        self._converse(
            Question(STAGE_STATION, StageStation(assignment.station)),
            Question(STAGE_ADDRESS, StageAddress(Party.DIRECTOR, assignment.director)),
            Question(STAGE_ADDRESS, StageAddress(Party.CENTER, assignment.center)),
            Question(COMMIT_ROLE, commit),
        )

    def relay(self, relay: Relay) -> bool:
        """Pass somebody else's request on to the blade; False if too many wait already."""
        return self.requester.relay(relay)

    def _converse(self, *questions: Question) -> None:
        self._news = False
        self.requester.ask(*questions, _HEARTBEAT)

    def _ended(self, answered: Answered, now: float) -> None:
        if answered.outcome is Outcome.UNANSWERED:
            self._lost()
        elif answered.outcome is Outcome.REFUSED:
            self._refused(answered)
        elif answered.question is _HEARTBEAT:
            self._reported(answered.reply)
        # A blade that came is to be found soon, and a silent slot has just been waited for.
        self._next_poll = now if answered.outcome is Outcome.UNANSWERED else now + self._interval_s()

    def _interval_s(self) -> float:
        changing = self.status is not None and self.status.main_board in _CHANGING
        return self._timing.eager_s if changing or self.hot_swap in _ON_ITS_WAY else self._timing.heartbeat_s

    def _reported(self, status: BladeStatus) -> None:
        self._news = True
        before, self.status = self.status, status
        if before is not None and before.boot_id != status.boot_id:
            logger.warning("slot %d: the blade has started anew", self.number)
        event = REPORT_OF.get(status.hot_swap)
        if event is not None:
            self._move(event)

    def _lost(self) -> None:
        self.requester.forget()
        self.requester.forget_relays()
        self._move(HotSwapEvent.COMMUNICATION_LOST)

    def _refused(self, answered: Answered) -> None:
        self.requester.forget()
        logger.warning(
            "slot %d: %s refused with completion code %02Xh",
            self.number,
            answered.question.command.name,
            answered.completion,
        )

    def _move(self, event: HotSwapEvent) -> None:
        before, self.hot_swap = self.hot_swap, TRANSITIONS[self.hot_swap][event]
        if self.hot_swap is not before:
            log = logger.warning if self.away else logger.info
            log("slot %d: M%d to M%d, %s", self.number, before, self.hot_swap, event.value)
