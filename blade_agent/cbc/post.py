"""The main board's post: the assignment it holds, the parts of the next one as they come in, a director's blades."""

from collections.abc import Iterable
from types import MappingProxyType

from blade_agent.backplane.messages.role import CommitRole, CommitRoleCompletion, Party, assignment_digest
from blade_agent.backplane.messages.station_blades import SlotBlade
from blade_agent.backplane.role import Role, RoleAssignment
from blade_agent.cbc.main_board import MainBoard
from media_network.address import Address


class RoleRefused(Exception):
    """An assignment that may not be taken."""

    def __init__(self, code: CommitRoleCompletion, held: RoleAssignment, offered: RoleAssignment) -> None:
        super().__init__(f"{offered.role} at epoch {offered.epoch}, while {held.role} at epoch {held.epoch} is held")
        self.code = code
        self.held = held
        self.offered = offered


class Post:
    """Holds one assignment, whole. Staged parts have no effect until a commit names them."""

    def __init__(self, main_board: MainBoard) -> None:
        self._main_board = main_board
        self.held = RoleAssignment()
        self._station = ""
        self._addresses: dict[Party, Address | None] = dict.fromkeys(Party)
        self._blades: dict[int, Address] = {}

    @property
    def digest(self) -> int:
        """What names the held assignment."""
        return assignment_digest(self.held)

    def stage_address(self, party: Party, address: Address | None) -> None:
        """Keep an address for the next commit."""
        self._addresses[party] = address

    def stage_station(self, station: str) -> None:
        """Keep the station's name for the next commit."""
        self._station = station

    def commit(self, commit: CommitRole) -> None:
        """Give the main board the staged assignment; once more is the same as once.

        Raises RoleRefused: fenced off, or the staged parts are not the ones the commit names. Nothing has changed.
        """
        if commit.assignment_digest == self.digest:
            return
        offered = RoleAssignment(
            role=commit.role,
            epoch=commit.epoch,
            station=self._station,
            director=self._addresses[Party.DIRECTOR],
            center=self._addresses[Party.CENTER],
        )
        _check_fence(self.held, offered)
        if assignment_digest(offered) != commit.assignment_digest:
            raise RoleRefused(CommitRoleCompletion.STAGED_DIFFERS, self.held, offered)
        self._take(offered)

    def note_blades(self, news: Iterable[SlotBlade]) -> None:
        """Let the director know where blades of its station are; of one term, and told again in the next."""
        for blade in news:
            if blade.address is None:
                self._blades.pop(blade.slot, None)
            else:
                self._blades[blade.slot] = blade.address
        self._main_board.know_blades(MappingProxyType(dict(self._blades)))

    def release(self) -> None:
        """Leave the main board without a role; the epoch stays, so that an older director stays fenced off."""
        if self.held.role is not Role.UNASSIGNED:
            self._take(RoleAssignment(epoch=self.held.epoch))

    def _take(self, assignment: RoleAssignment) -> None:
        self.held = assignment
        self._blades.clear()
        self._main_board.assign(assignment)


def _check_fence(held: RoleAssignment, offered: RoleAssignment) -> None:
    """Let an assignment pass only if no other director can believe in the same epoch.

    Raises RoleRefused: the epoch is older than the held one, or the directorship changes within an epoch.
    """
    if offered.epoch < held.epoch:
        raise RoleRefused(CommitRoleCompletion.STALE_EPOCH, held, offered)
    if offered.epoch == held.epoch and (offered.role is Role.DIRECTOR) != (held.role is Role.DIRECTOR):
        raise RoleRefused(CommitRoleCompletion.ROLE_CONFLICT, held, offered)
