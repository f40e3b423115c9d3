"""The chassis as its manager runs it: blades into service, one director, a role for everybody. No I/O.

Messages and the time go in, requests come out. The epoch counts directors; none is appointed before the epoch it is to
have is kept on disk, so that no two directors ever share one, whatever crashes when.
"""

import logging
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from blade_agent.cbc.hot_swap import HotSwapState
from blade_agent.cbc.message import Request, Response
from blade_agent.cbc.picmg_messages import Activation
from blade_agent.cbc.role import MainBoardState, Role, RoleAssignment
from blade_agent.cbc.role_messages import BladeStatus, assignment_digest
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slot import Slot

logger = logging.getLogger(__name__)

_ACTIVATION_FOR = {
    HotSwapState.M2_ACTIVATION_REQUEST: Activation.ACTIVATE,
    HotSwapState.M5_DEACTIVATION_REQUEST: Activation.DEACTIVATE,
}
_BROKEN = frozenset({MainBoardState.OFF, MainBoardState.FAILED})


class Send(NamedTuple):
    """A request to go out on a slot's line."""

    slot: int
    request: Request


class _Director(NamedTuple):
    slot: int
    boot_id: int


class Chassis:
    """All slots of one chassis."""

    def __init__(self, settings: ManagerSettings, kept_epoch: int, rng: Random, now: float) -> None:
        self._settings = settings
        self.epoch = kept_epoch
        """The highest epoch that is kept on disk."""
        self.slots = {number: Slot(number, rng.getrandbits(6), settings.timing) for number in sorted(settings.slots)}
        self._look_over_until = now + settings.timing.look_over_s
        self._director: _Director | None = None
        self._wanted_epoch: int | None = None
        self._keep_from = now

    @property
    def director(self) -> int | None:
        """Slot of the media director."""
        return None if self._director is None else self._director.slot

    @property
    def due(self) -> float:
        """When `tick` has something to do."""
        due = min((slot.due for slot in self.slots.values()), default=self._look_over_until)
        return due if self._wanted_epoch is None else min(due, self._keep_from)

    def tick(self, now: float) -> list[Send]:
        """Do what is due by now."""
        sends = list(self._due_requests(now))
        self._bring_into_service()
        if self._looked_over(now):
            self._seek_director()
            self._give_roles()
        return sends + list(self._due_requests(now))

    def receive(self, slot: int, message: Request | Response, now: float) -> list[Send]:
        """Take a message from a slot's line."""
        self.slots[slot].receive(message, now)
        return self.tick(now)

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

    def assignment_of(self, number: int) -> RoleAssignment | None:
        """Give what a slot's main board has to do; None while there is no director to tell it of."""
        status = None if self._director is None else self.slots[self._director.slot].active
        if status is None or status.address is None:
            return None
        return RoleAssignment(
            role=Role.DIRECTOR if number == self.director else Role.ENGINE,
            epoch=self.epoch,
            station=self._settings.station,
            director=status.address,
            center=self._settings.center_address,
        )

    def _due_requests(self, now: float) -> Iterator[Send]:
        for number, slot in self.slots.items():
            request = slot.tick(now)
            if request is not None:
                yield Send(number, request)

    def _looked_over(self, now: float) -> bool:
        """Slot 1 may be slower than slot 2 to start, and a director may run that has not been heard yet."""
        if all(slot.ready for slot in self.slots.values()):
            self._look_over_until = min(self._look_over_until, now)
        return now >= self._look_over_until

    def _bring_into_service(self) -> None:
        for slot in self.slots.values():
            activation = _ACTIVATION_FOR.get(slot.hot_swap)
            if activation is not None and slot.free:
                slot.set_activation(activation)

    def _active(self) -> list[tuple[Slot, BladeStatus]]:
        return [(slot, status) for slot in self.slots.values() if (status := slot.active) is not None]

    def _seek_director(self) -> None:
        if self._wanted_epoch is not None:
            return
        active = self._active()
        highest = max([self.epoch, *(status.epoch for _, status in active)])
        if highest == self.epoch and self._director_stands():
            return
        self._director = None
        claimants = [
            slot for slot, status in active if status.role is Role.DIRECTOR and status.epoch == highest and slot.ready
        ]
        if len(claimants) != 1:
            self._wanted_epoch = highest + 1 if any(slot.ready for slot, _ in active) else None
        elif highest == self.epoch:
            self._instate(claimants[0], "runs already as director")
        else:
            self._wanted_epoch = highest

    def _director_stands(self) -> bool:
        if self._director is None:
            return False
        status = self.slots[self._director.slot].active
        if status is None or status.boot_id != self._director.boot_id or status.main_board in _BROKEN:
            return False
        # It may not have been told yet; but one that was and gave the role up cannot have it again at this epoch.
        return status.epoch < self.epoch or status.role is Role.DIRECTOR

    def _appoint(self) -> None:
        ready = [(slot, status) for slot in self.slots.values() if (status := slot.ready) is not None]
        if ready:
            slot, _ = min(ready, key=lambda candidate: (candidate[1].role is not Role.DIRECTOR, candidate[0].number))
            self._instate(slot, "becomes director")

    def _instate(self, slot: Slot, how: str) -> None:
        if slot.status is not None:
            self._director = _Director(slot.number, slot.status.boot_id)
            logger.info("slot %d %s at epoch %d", slot.number, how, self.epoch)

    def _give_roles(self) -> None:
        """The director first: an engine that comes to a main board which is not yet director would be sent away."""
        if self._director is None or not self._give_role(self.slots[self._director.slot]):
            return
        for slot in self.slots.values():
            self._give_role(slot)

    def _give_role(self, slot: Slot) -> bool:
        """See that a slot has its role; tell whether it has."""
        status, assignment = slot.active, self.assignment_of(slot.number)
        if status is None or assignment is None:
            return False
        if status.assignment_digest == assignment_digest(assignment):
            return True
        if slot.ready and slot.free:
            slot.assign(assignment)
        return False
