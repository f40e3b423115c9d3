"""Who is media director, and what everybody is told of it. No I/O.

The epoch counts directors; none is appointed before the epoch it is to have is kept on disk, so that no two directors
ever share one, whatever crashes when.
"""

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.heartbeat import Heartbeat
from blade_agent.backplane.messages.role import assignment_digest
from blade_agent.backplane.role import HIGHEST_EPOCH, MainBoardState, Role, RoleAssignment
from blade_agent.chassis_manager.policy.blade_list import BladeList
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slots.slot import Slot
from media_network.address import Address

logger = logging.getLogger(__name__)

_BROKEN = frozenset({MainBoardState.OFF, MainBoardState.FAILED})


class _Director(NamedTuple):
    slot: int
    boot_id: int


class Directorship:
    """The roles of a chassis."""

    def __init__(
        self,
        settings: ManagerSettings,
        slots: Mapping[int, Slot],
        kept_epoch: int,
        now: float,
        *,
        leaving: Callable[[Slot], bool],
    ) -> None:
        """Take how to see which blades are about to leave service: none of them becomes director."""
        self.epoch = kept_epoch
        """The highest epoch that is kept on disk."""
        self.settled = False
        """Whether there is a director, and every blade in service has its role."""
        self._settings = settings
        self._center = settings.center_address
        self._slots = slots
        self._leaving = leaving
        self._look_over_until = now + settings.timing.look_over_s
        self._director: _Director | None = None
        self._wanted_epoch: int | None = None
        self._keep_from = now
        self._blade_list = BladeList(slots)
        self._out_of_epochs = False
        self._assignments: dict[bool, RoleAssignment] = {}
        """By whether it is the director's."""

    @property
    def director(self) -> int | None:
        """Slot of the media director."""
        return None if self._director is None else self._director.slot

    @property
    def due(self) -> float | None:
        """When an epoch has to be kept."""
        return None if self._wanted_epoch is None else self._keep_from

    @property
    def look_over_until(self) -> float:
        """When the manager decides, at the latest, at its start."""
        return self._look_over_until

    def tick(self, now: float) -> None:
        """Seek a director if there is none, and see that everybody has their role."""
        if self._looked_over(now):
            self._seek_director(now)
            self.settled = self._give_roles() and self._wanted_epoch is None
        for slot in self._slots.values():
            slot.leads = slot.number == self.director

    def epoch_to_keep(self, now: float) -> int | None:
        """Give the epoch that has to be kept on disk before a director can be appointed."""
        return self._wanted_epoch if now >= self._keep_from else None

    def epoch_kept(self, epoch: int) -> None:
        """Note that this epoch is on disk: a new one has its director now, before it can be found out about."""
        self._wanted_epoch = None
        self.epoch = epoch
        if not any(status.epoch == epoch for _, status in self._active()):
            self._appoint()

    def epoch_not_kept(self, now: float) -> None:
        """Note that the disk did not take the epoch: nobody is appointed before it does."""
        self._keep_from = now + self._settings.timing.heartbeat_s

    def handed_over(self, leaving: Slot) -> bool:
        """Tell whether a blade that leaves service is needed no more as director, or nobody can take over from it."""
        if not any(slot.ready and not self._leaving(slot) for slot in self._slots.values()):
            return True
        if self._director is None or self._director.slot == leaving.number:
            return False
        return self._has_role(self._slots[self._director.slot])

    def assignment_of(self, number: int) -> RoleAssignment | None:
        """Give what a slot's main board has to do; None while there is no director to tell it of."""
        status = None if self._director is None else self._slots[self._director.slot].active
        if status is None or status.address is None or self.epoch > HIGHEST_EPOCH:
            return None
        return self._assignment(number == self.director, self.epoch, status.address)

    def _assignment(self, directs: bool, epoch: int, director: Address) -> RoleAssignment:  # noqa: FBT001 - its caller compares
        """All engines have the same one, and it is asked for with every message: it is made once."""
        assignment = self._assignments.get(directs)
        if assignment is None or assignment.epoch != epoch or assignment.director != director:
            assignment = self._assignments[directs] = RoleAssignment(
                role=Role.DIRECTOR if directs else Role.ENGINE,
                epoch=epoch,
                station=self._settings.station,
                director=director,
                center=self._center,
            )
        return assignment

    def _looked_over(self, now: float) -> bool:
        """Slot 1 may be slower than slot 2 to start, and a director may run that has not been heard yet."""
        if all(
            slot.ready or slot.outdated or slot.hot_swap is HotSwapState.M1_INACTIVE for slot in self._slots.values()
        ):
            self._look_over_until = min(self._look_over_until, now)
        return now >= self._look_over_until

    def _active(self) -> list[tuple[Slot, Heartbeat]]:
        return [(slot, status) for slot in self._slots.values() if (status := slot.active) is not None]

    def believes(self, slot: Slot) -> bool:
        """Tell whether the epoch that a blade reports counts. One that does not takes no other: it has no role."""
        return slot.epoch_word.believed(self.epoch)

    def _candidates(self) -> list[tuple[Slot, Heartbeat]]:
        """Blades that can become director: none that leaves service."""
        ready = [(slot, status) for slot in self._slots.values() if (status := slot.ready) is not None]
        return [(slot, status) for slot, status in ready if not self._leaving(slot) and self.believes(slot)]

    def _heard_again(self, active: list[tuple[Slot, Heartbeat]], now: float) -> bool:
        """Tell whether all epochs that may count have been heard as often as it takes; see that they are."""
        awaited = [slot for slot, _ in active if slot.epoch_word.awaited(self.epoch)]
        for slot in awaited:
            slot.look_soon(now)
        return not awaited

    def _seek_director(self, now: float) -> None:
        active = self._active()
        if self._wanted_epoch is not None or not self._heard_again(active, now):
            return
        highest = max([self.epoch, *(status.epoch for slot, status in active if self.believes(slot))])
        candidates = self._candidates()
        if highest == self.epoch and self._director_stands(can_be_replaced=bool(candidates)):
            return
        self._director = None
        claimants = [slot for slot, status in candidates if status.role is Role.DIRECTOR and status.epoch == highest]
        if len(claimants) != 1:
            self._wanted_epoch = self._epoch_after(highest) if candidates else None
        elif highest == self.epoch:
            self._instate(claimants[0], "runs already as director")
        else:
            self._wanted_epoch = highest

    def _epoch_after(self, highest: int) -> int | None:
        if highest < HIGHEST_EPOCH:
            return highest + 1
        if not self._out_of_epochs:
            self._out_of_epochs = True
            logger.error("no director can be appointed: there is no epoch after %d", highest)
        return None

    def _director_stands(self, *, can_be_replaced: bool) -> bool:
        if self._director is None:
            return False
        slot = self._slots[self._director.slot]
        status = slot.active
        if status is None or status.boot_id != self._director.boot_id or status.main_board in _BROKEN:
            return False
        if can_be_replaced and self._leaving(slot):
            return False
        # It may not have been told yet; but one that was and gave the role up cannot have it again at this epoch.
        return status.epoch < self.epoch or status.role is Role.DIRECTOR

    def _appoint(self) -> None:
        candidates = self._candidates()
        if candidates:
            slot, _ = min(
                candidates, key=lambda candidate: (candidate[1].role is not Role.DIRECTOR, candidate[0].number)
            )
            self._instate(slot, "becomes director")

    def _instate(self, slot: Slot, how: str) -> None:
        if slot.status is not None:
            self._director = _Director(slot.number, slot.status.boot_id)
            logger.info("slot %d %s at epoch %d", slot.number, how, self.epoch)

    def _give_roles(self) -> bool:
        """The director first: an engine that comes to a main board which is not yet director would be sent away.

        Tells whether all that are in service have theirs.
        """
        if self._director is None or not self._give_role(self._slots[self._director.slot]):
            return False
        if not self._blade_list.tell(self._slots[self._director.slot]):
            return False
        without = [slot for slot in self._slots.values() if not self._give_role(slot)]
        return not any(slot.active for slot in without if self._can_have_role(slot))

    def _can_have_role(self, slot: Slot) -> bool:
        return not slot.outdated and (self.believes(slot) or slot.epoch_word.awaited(self.epoch))

    def _has_role(self, slot: Slot) -> bool:
        status, assignment = slot.active, self.assignment_of(slot.number)
        if status is None or assignment is None:
            return False
        return status.assignment_digest == assignment_digest(assignment)

    def _give_role(self, slot: Slot) -> bool:
        """See that a slot has its role; tell whether it has."""
        assignment = self.assignment_of(slot.number)
        if slot.active is None or assignment is None:
            return False
        if self._has_role(slot):
            return True
        if slot.ready and slot.free and self.believes(slot):
            slot.assign(assignment)
        return False
