"""A slot as the chassis manager sees it: its blade's last word, and the conversation with it. No I/O."""

import logging
import math
from collections.abc import Callable

from msgspec import structs

from blade_agent.backplane.hot_swap import REPORT_OF, TRANSITIONS, HotSwapEvent, HotSwapState
from blade_agent.backplane.message import Request, Response
from blade_agent.backplane.messages.blade_facts import GET_READINGS
from blade_agent.backplane.messages.fru import READ_FRU_INVENTORY_DATA
from blade_agent.backplane.messages.heartbeat import (
    GET_BLADE_STATUS,
    GET_HEARTBEAT,
    PROTOCOL_VERSION,
    Heartbeat,
)
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION, Activation, SetActivation
from blade_agent.backplane.messages.record import GET_DEVICE_SDR
from blade_agent.backplane.messages.role import (
    COMMIT_ROLE,
    STAGE_ADDRESS,
    STAGE_STATION,
    CommitRole,
    Party,
    StageAddress,
    StageStation,
    assignment_digest,
)
from blade_agent.backplane.messages.sensor import GET_SENSOR_READING
from blade_agent.backplane.role import MainBoardState, RoleAssignment
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots.blade_facts import BladeFacts
from blade_agent.chassis_manager.slots.epoch_word import EpochWord
from blade_agent.chassis_manager.slots.hearing import Hearing
from blade_agent.chassis_manager.slots.line_quality import LineQuality
from blade_agent.chassis_manager.slots.measurements import BladeMeasurements
from blade_agent.chassis_manager.slots.requester import (
    Answered,
    AnswerOutcome,
    Relay,
    Requester,
    ResponseFault,
    SlotQuestion,
)
from blade_agent.chassis_manager.slots.standing_orders import StandingOrders
from blade_agent.chassis_manager.slots.survey import BladeSurvey, ask_facts, ask_power

logger = logging.getLogger(__name__)

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
_ROUTINE = frozenset(
    {
        GET_HEARTBEAT,
        GET_BLADE_STATUS,
        GET_DEVICE_SDR,
        READ_FRU_INVENTORY_DATA,
        GET_READINGS,
        GET_SENSOR_READING,
    }
)
"""What the answers to these say is looked at when it is time, not at once; but for what a heartbeat changes."""


class Slot:
    """One slot and its line."""

    def __init__(
        self,
        number: int,
        first_sequence: int,
        timing: Timing,
        moved: "Callable[[Slot, HotSwapState], None] | None" = None,
    ) -> None:
        """Take what is called after each change of state, with the state before."""
        self.number = number
        self.hot_swap = HotSwapState.M0_NOT_INSTALLED
        self.status: Heartbeat | None = None
        """The last heartbeat; of a blade that is away it is history."""
        self.requester = Requester(SlotAddress(number).ipmb_address, first_sequence, timing)
        self.quality = LineQuality()
        self.epoch_word = EpochWord()
        self.hung_up = False
        """Whether the line to it is closed at this end."""
        self.leads = False
        """Whether its blade is director: it is asked more often."""
        self.facts = BladeFacts()
        self.orders = StandingOrders()
        self.measurements = BladeMeasurements(self.facts)
        self.lost_at: float | None = None
        self.asked_once = False
        """Whether its silence, or its word, has been heard at all."""
        self._timing = timing
        self._moved = moved
        self._next_poll = 0.0
        self._news = False
        self._hearing = Hearing()
        self._surveys: list[BladeSurvey] = []
        self._survey_from = math.inf
        self._measure_from = math.inf

    @property
    def active(self) -> Heartbeat | None:
        """The last heartbeat of a blade that is in service; None of any other."""
        return self.status if self.hot_swap is HotSwapState.M4_ACTIVE else None

    @property
    def away(self) -> bool:
        """Whether there is no blade, or none that is heard."""
        return self.hot_swap in _ABSENT

    @property
    def outdated(self) -> bool:
        """Whether its blade speaks a version of our messages in which it can be given nothing to do."""
        return not self.away and self.status is not None and self.status.protocol_version != PROTOCOL_VERSION

    @property
    def ready(self) -> Heartbeat | None:
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
        return min(self._next_poll, self._background_due) if due is None else due

    def tick(self, now: float) -> Request | None:
        """Do what is due; give the request to send, if any."""
        self.requester.attempts = self._attempts(now)
        if self.requester.idle:
            if now >= self._next_poll:
                self.requester.ask(self._hearing.question)
            elif now >= self._background_due:
                self._ask_background(now)
        due = self.requester.tick(now)
        if isinstance(due, Answered):
            self._ended(due, now)
            return None
        return due

    def receive(self, message: Request | Response, now: float) -> bool:
        """Take what the line brought. False: it is the answer to something that is not asked all the time."""
        unreadable = self.requester.faults[ResponseFault.UNREADABLE]
        answered = self.requester.receive(message)
        self.quality.note(self.requester.faults[ResponseFault.UNREADABLE] - unreadable, now)
        if answered is None:
            return True
        self._ended(answered, now)
        return answered.outcome is AnswerOutcome.ANSWERED and answered.question.command in _ROUTINE

    def goes_on_as(self, before: Heartbeat | None) -> bool:
        """Tell whether its blade does in service what it did."""
        status = self.ready
        if status is None or before is None:
            return False
        return status is before or status == structs.replace(
            before,
            frame_faults=status.frame_faults,
            message_faults=status.message_faults,
            streams=status.streams,
        )

    def noise(self, faults: int, now: float) -> None:
        """Note that the line brought so much more that was no message."""
        self.quality.note(faults, now)

    def line_closed(self, now: float) -> None:
        """Note that the line has hung up: its blade is asked at once whether it is still there."""
        self.hung_up = True
        self._next_poll = min(self._next_poll, now)

    def line_opened(self) -> None:
        """Note that the line is there again."""
        self.hung_up = False

    def look(self, now: float) -> None:
        """Ask for a heartbeat as soon as possible."""
        self._next_poll = min(self._next_poll, now)

    def look_soon(self, now: float) -> None:
        """Ask for a heartbeat as one that is on its way is asked: something is to be decided by it."""
        self._next_poll = min(self._next_poll, now + self._timing.eager_s)

    def ask(self, *questions: SlotQuestion) -> None:
        """Ask the blade something, and look at once what came of it."""
        self._converse(*questions)

    def set_activation(
        self, activation: Activation, *before: SlotQuestion, ended: Callable[[Answered], None] | None = None
    ) -> None:
        """Bring the blade into service or out of it, and look at once how far it is."""
        logger.info("slot %d: %s", self.number, activation.name.lower())
        self._converse(*before, SlotQuestion(SET_FRU_ACTIVATION, SetActivation(0, activation), ended=ended))

    def assign(self, assignment: RoleAssignment) -> None:
        """Give the main board its role, whole or not at all, and look at once whether it took it."""
        logger.info("slot %d: %s at epoch %d", self.number, assignment.role, assignment.epoch)
        commit = CommitRole(
            epoch=assignment.epoch, role=assignment.role, assignment_digest=assignment_digest(assignment)
        )
        self._converse(
            SlotQuestion(STAGE_STATION, StageStation(assignment.station)),
            SlotQuestion(STAGE_ADDRESS, StageAddress(Party.DIRECTOR, assignment.director)),
            SlotQuestion(STAGE_ADDRESS, StageAddress(Party.CENTER, assignment.center)),
            SlotQuestion(COMMIT_ROLE, commit),
        )

    def relay(self, relay: Relay, now: float) -> bool:
        """Pass somebody else's request on to the blade; False if too many wait already."""
        return not self.requester.busy and self.requester.relay(self.orders.passed_on(relay, now))

    def _attempts(self, now: float) -> int:
        if self.away:
            return 1
        if self.quality.noisy(now):
            return self._timing.noisy_attempts
        return self._timing.suspect_attempts if self.hung_up else self._timing.attempts

    @property
    def _background_due(self) -> float:
        if self.away:
            return math.inf
        return min(self._survey_from, self._measure_from)

    def _ask_background(self, now: float) -> None:
        """What is asked when nothing else is: what the blade has, then, from time to time, how warm it is."""
        if now >= self._survey_from:
            self._go_on_with_survey(now)
        if self.requester.idle and now >= self._measure_from:
            self._measure_from = self._on_beat(now + self.measurements.pause_s(self._timing.temperature_s))
            for question in self.measurements.questions(one_by_one=self.outdated):
                self.requester.ask(question)

    def _go_on_with_survey(self, now: float) -> None:
        while self._surveys and self._surveys[0].question is None:
            self._surveys.pop(0)
            self._survey_from = now if len(self._surveys) != 1 else self._sensors_from(now)
        if not self._surveys:
            self._survey_from, self._measure_from = math.inf, now
        elif now >= self._survey_from:
            survey = self._surveys[0]
            assert survey.question is not None  # noqa: S101 - those that have ended are gone
            command, body = survey.question.command, survey.question.body
            self.requester.ask(SlotQuestion(command, body, ended=survey.take))

    def _sensors_from(self, now: float) -> float:
        """Sensors can wait until a blade that is on its way is in service; what it draws cannot."""
        return now + self._timing.survey_after_s

    def _converse(self, *questions: SlotQuestion) -> None:
        self._news = False
        self.requester.ask(*questions, self._hearing.question)

    def _ended(self, answered: Answered, now: float) -> None:
        self.asked_once = True
        question = answered.question
        about_itself = self._hearing.is_of(question)
        if answered.outcome is AnswerOutcome.UNANSWERED:
            self._lost(now)
        elif about_itself:
            self._heard(answered, now)
            return
        elif answered.outcome is AnswerOutcome.REFUSED:
            self._refused(answered)
        else:
            self.orders.ended(answered, now)
        if question.ended is not None:
            question.ended(answered)
        if about_itself or answered.outcome is not AnswerOutcome.ANSWERED:
            self._next_poll = self._next_poll_after(now)

    def _heard(self, answered: Answered, now: float) -> None:
        """Take what a blade says of itself; what cannot be believed as it is, is asked again soon."""
        heartbeat = self._hearing.take(answered)
        if heartbeat is None:
            self._next_poll = now + self._timing.eager_s
            return
        self._reported(heartbeat, now)
        self._next_poll = self._next_poll_after(now)

    def _next_poll_after(self, now: float) -> float:
        timing = self._timing
        changing = self.status is not None and self.status.main_board in _CHANGING
        if self.away or changing or self.hot_swap in _ON_ITS_WAY:
            return now + timing.eager_s
        return self._on_beat(now + (timing.director_heartbeat_s if self.leads else timing.heartbeat_s))

    def _on_beat(self, due: float) -> float:
        """On beats that all slots share, and never later than promised: the manager is woken once for all of them."""
        beat_s = min(self._timing.director_heartbeat_s, self._timing.heartbeat_s)
        return math.floor(due / beat_s) * beat_s

    def _reported(self, status: Heartbeat, now: float) -> None:
        self._news = True
        before, self.status = self.status, status
        if before is None or before.boot_id != status.boot_id:
            if before is not None:
                logger.warning("slot %d: the blade has started anew", self.number)
            self._meet(now)
        else:
            faults = status.frame_faults + status.message_faults - before.frame_faults - before.message_faults
            self.quality.note(max(0, faults), now)
            self._survey_again_if_changed(now)
        self.epoch_word.hear(status)
        event = REPORT_OF.get(status.hot_swap)
        if event is not None:
            self._move(event)

    def _meet(self, now: float) -> None:
        """Forget what another start of a blade said of itself."""
        self.facts = BladeFacts()
        self.orders = StandingOrders()
        self.measurements = BladeMeasurements(self.facts)
        self.epoch_word = EpochWord()
        self._surveys = [BladeSurvey(ask_power(self.facts)), BladeSurvey(ask_facts(self.facts, self._facts_digest))]
        self._survey_from, self._measure_from = now, math.inf
        version = PROTOCOL_VERSION if self.status is None else self.status.protocol_version
        if version != PROTOCOL_VERSION:
            logger.warning(
                "slot %d: the blade speaks version %d of our messages, not %d: it needs an update and gets no role",
                self.number,
                version,
                PROTOCOL_VERSION,
            )

    def _facts_digest(self) -> int | None:
        """What names the blade's facts; None of one that does not say."""
        status = self.status
        return None if status is None or self.outdated else status.facts_digest

    def _survey_again_if_changed(self, now: float) -> None:
        """Somebody has written into its inventory, say."""
        if self.facts.surveyed and not self._surveys and self._facts_digest() not in (None, self.facts.digest):
            self._surveys.append(BladeSurvey(ask_facts(self.facts, self._facts_digest)))
            self._survey_from = now

    def _lost(self, now: float) -> None:
        self._hearing = Hearing()
        self.requester.forget()
        self.requester.forget_relays()
        if not self.away:
            self.lost_at = now
        # A blade out of service that falls silent was taken out, as it may be.
        out = self.hot_swap is HotSwapState.M1_INACTIVE
        self._move(HotSwapEvent.EXTRACTED if out else HotSwapEvent.COMMUNICATION_LOST)

    def _refused(self, answered: Answered) -> None:
        # Whoever wants to know how it ended takes a refusal for an answer.
        log = logger.warning if answered.question.ended is None else logger.debug
        command = answered.question.command
        completion = command.completion_text(answered.completion)
        log("slot %d: %s refused with completion code %s", self.number, command.name, completion)

    def _move(self, event: HotSwapEvent) -> None:
        before, self.hot_swap = self.hot_swap, TRANSITIONS[self.hot_swap][event]
        if self.hot_swap is before:
            return
        log = logger.warning if self.away else logger.info
        log("slot %d: M%d to M%d, %s", self.number, before, self.hot_swap, event.value)
        if not self.away:
            self.lost_at = None
        if self._moved is not None:
            self._moved(self, before)
