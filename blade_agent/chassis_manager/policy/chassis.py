"""The chassis as its manager runs it: blades in service, one director, power and air for everybody. No I/O.

Messages and the time go in; requests, what has to be written to disk and what was noticed come out.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.message import Request, Response
from blade_agent.backplane.role import RoleAssignment
from blade_agent.chassis_manager.keeping.journal import Hold, Journal, KeptJournal
from blade_agent.chassis_manager.policy.cooling import Cooling
from blade_agent.chassis_manager.policy.directorship import Directorship
from blade_agent.chassis_manager.policy.notice import Notice, NoticeKind
from blade_agent.chassis_manager.policy.power_switch import PowerSwitch
from blade_agent.chassis_manager.policy.service import Service
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slots.slot import Slot

_AWAY = frozenset({HotSwapState.M0_NOT_INSTALLED, HotSwapState.M7_COMMUNICATION_LOST})
_HIGHEST_BYTE = 0xFF
_LOOK_AGAIN_S = 1.0
"""A chassis in which nothing happens is looked after no more often: heartbeats go on, and what they change counts."""


class Send(NamedTuple):
    """A request to go out on a slot's line."""

    slot: int
    request: Request


class Chassis:
    """All slots of one chassis."""

    def __init__(
        self,
        settings: ManagerSettings,
        kept_epoch: int,
        rng: Random,
        now: float,
        *,
        journal: Journal | None = None,
        notice: Callable[[Notice], None] | None = None,
    ) -> None:
        """Take what is on disk, and what is called with everything that is noticed."""
        timing = settings.timing
        self.slots = {
            number: Slot(number, rng.getrandbits(6), timing, self._moved) for number in sorted(settings.slots)
        }
        self.journal = KeptJournal(journal or Journal(), now)
        self.roles = Directorship(settings, self.slots, kept_epoch, now, leaving=self._leaving)
        self.service = Service(
            self.slots, self.journal, self.roles, timing=timing, budget=settings.budget, notice=self._notice
        )
        self.power = PowerSwitch(self.slots, self.journal)
        self.cooling = Cooling(self.slots, self._overheated)
        self._timing = timing
        self._tell = notice
        self._appointed: int | None = None
        self._look_again_at = now
        self.moves = 0
        """Changes of state of all slots so far."""

    @property
    def epoch(self) -> int:
        """The highest epoch that is kept on disk."""
        return self.roles.epoch

    @property
    def director(self) -> int | None:
        """Slot of the media director."""
        return self.roles.director

    @property
    def due(self) -> float:
        """When `tick` has something to do."""
        return min((slot.due for slot in self.slots.values()), default=self.roles.look_over_until)

    @property
    def keep_due(self) -> float | None:
        """When something has to be kept on disk; None when all is."""
        return min((when for when in (self.roles.due, self.journal.due) if when is not None), default=None)

    @property
    def all_orders_kept(self) -> bool:
        """Whether nothing was ordered that is not on disk."""
        return self.journal.due is None

    def tick(self, now: float) -> list[Send]:
        """Do what is due by now."""
        # First what follows from the last answers, while nothing is under way; then what is due; then what that moved.
        self._look_after(now)
        return self.poll(now)

    def settled(self, now: float) -> bool:
        """Whether all blades do what they should, so that `poll` is enough as long as nothing comes in but routine."""
        return now < self._look_again_at

    def poll(self, now: float) -> list[Send]:
        """Ask what is due by now, and look after the chassis only if that moved something."""
        moves, sends = self.moves, list(self._due_requests(now))
        if self.moves != moves:
            self._look_after(now)
            sends += self._due_requests(now)
        return sends

    def _look_after(self, now: float) -> None:
        self.roles.tick(now)
        self.service.tick(now)
        self.power.tick()
        self.cooling.tick(now)
        self._tell_of_director()
        self._look_again_at = now + _LOOK_AGAIN_S if self._all_settled() else now

    def _all_settled(self) -> bool:
        return self.roles.settled and all(slot.away or self.service.settled(slot) for slot in self.slots.values())

    def receive(self, slot: int, message: Request | Response, now: float) -> bool:
        """Take a message from a slot's line; `tick` does what comes of it.

        False: nothing comes of it before `tick` is due anyway, but `go_on`. That is what nearly every heartbeat says.
        """
        seen, moves = self.slots[slot], self.moves
        before = seen.status
        routine = seen.receive(message, now)
        return self.moves != moves or not routine or not seen.goes_on_as(before)

    def go_on(self, slot: int, now: float) -> Send | None:
        """Give what is to be asked next of a blade that has just answered, if anything is."""
        request = self.slots[slot].tick(now)
        return None if request is None else Send(slot, request)

    def epoch_to_keep(self, now: float) -> int | None:
        """Give the epoch that has to be kept on disk before a director can be appointed."""
        return self.roles.epoch_to_keep(now)

    def epoch_kept(self, epoch: int) -> None:
        """Note that this epoch is on disk."""
        self.roles.epoch_kept(epoch)

    def epoch_not_kept(self, now: float) -> None:
        """Note that the disk did not take the epoch."""
        self.roles.epoch_not_kept(now)

    def journal_to_keep(self, now: float) -> bytes | None:
        """Give the journal, if it has to be written."""
        return self.journal.to_keep(now)

    def journal_kept(self) -> None:
        """Note that it is on disk."""
        self.journal.written()

    def journal_not_kept(self, now: float) -> None:
        """Note that the disk did not take it: what waits for it waits, and is tried again."""
        self.journal.not_written(now + self._timing.heartbeat_s)

    def assignment_of(self, number: int) -> RoleAssignment | None:
        """Give what a slot's main board has to do; None while there is no director to tell it of."""
        return self.roles.assignment_of(number)

    def _due_requests(self, now: float) -> Iterator[Send]:
        for number, slot in self.slots.items():
            request = slot.tick(now)
            if request is not None:
                yield Send(number, request)

    def _leaving(self, slot: Slot) -> bool:
        return self.service.leaving(slot)

    def _moved(self, slot: Slot, before: HotSwapState) -> None:
        self.moves += 1
        self.service.moved(slot, before)
        known = slot.status is not None and before is not HotSwapState.M0_NOT_INSTALLED
        if known and (before in _AWAY or slot.hot_swap in _AWAY):
            self._notice(Notice(kind=NoticeKind.MOVED, number=slot.number, detail=(slot.hot_swap.value, before.value)))

    def _overheated(self, slot: Slot, celsius: float) -> None:
        if self.journal.wanted.of(slot.number).hold is Hold.NONE and not slot.away:
            self.service.deactivate(slot.number, Hold.HEAT)
            degrees = min(max(round(celsius), 0), _HIGHEST_BYTE)
            self._notice(Notice(kind=NoticeKind.OVERHEATED, number=slot.number, detail=(degrees, _HIGHEST_BYTE)))

    def _tell_of_director(self) -> None:
        director = self.roles.director
        if director is not None and director != self._appointed:
            self._appointed = director
            epoch = self.roles.epoch & 0xFFFF
            self._notice(Notice(kind=NoticeKind.DIRECTOR, number=director, detail=(epoch & 0xFF, epoch >> 8)))

    def _notice(self, notice: Notice) -> None:
        if self._tell is not None:
            self._tell(notice)
