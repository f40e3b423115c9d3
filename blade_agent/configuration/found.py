"""What the settings of a blade begin with: what its board, its network and its disks say."""

from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.probe import profile_for
from blade_agent.hardware.profile import HardwareProfile, load_profile
from blade_agent.hardware.surroundings import HostAddress, data_disks, host_addresses

_THIS_BOARD = Path("/")


class FoundBoard(Struct, frozen=True, kw_only=True):
    """A board as it was found."""

    profile: str
    """Name of its hardware profile, or a TOML file."""
    title: str
    backplane: str
    """Device of the line to the chassis manager; empty where the profile does not know one."""
    service_port: str
    """Device for a person with a cable; empty where the profile does not know one."""
    baud_rate: int | None
    """Of both; None where the profile knows neither."""
    addresses: tuple[HostAddress, ...]
    disks: tuple[str, ...]
    """Mount points for data."""


class NotFound(Exception):
    """Something that the board does not say and that was not told; `option` is how to tell it."""

    def __init__(self, reason: str, option: str) -> None:
        super().__init__(reason, option)
        self.reason = reason
        self.option = option

    def __str__(self) -> str:
        return self.reason


def find_board(root: Path, profile: str) -> FoundBoard:
    """Look at the board under a root path; `profile` is empty where the device tree is to be gone by.

    A copied tree has neither network nor disks. Raises ProfileError: none is known for it; OSError.
    """
    name = profile or profile_for(root)
    facts = load_profile(name)
    here = root == _THIS_BOARD
    return FoundBoard(
        profile=name,
        title=facts.title,
        backplane=facts.backplane.device if facts.backplane else "",
        service_port=facts.service_port.device if facts.service_port else "",
        baud_rate=_baud_rate(facts),
        addresses=host_addresses() if here else (),
        disks=data_disks() if here else (),
    )


def _baud_rate(facts: HardwareProfile) -> int | None:
    port = facts.backplane or facts.service_port
    return port.baud_rate if port else None


def chosen_address(board: FoundBoard, told: str) -> str:
    """The address that a blade answers at: the one that was told, else the only one there is. Raises NotFound."""
    if told:
        return told
    if len(board.addresses) == 1:
        return board.addresses[0].address
    there = ", ".join(f"{one.address} ({one.interface})" for one in board.addresses)
    reason = f"this machine has several IPv4 addresses: {there}" if there else "this machine has no IPv4 address"
    raise NotFound(reason, "--address 192.0.2.12: the one at which other machines reach it")


def chosen_backplane(board: FoundBoard, told: str) -> str:
    """The line to the chassis manager: the one that was told, else what the profile knows. Raises NotFound."""
    if told or board.backplane:
        return told or board.backplane
    raise NotFound(
        f"the profile {board.profile} does not know where the backplane is",
        "--backplane /dev/ttyS1, or udp:192.0.2.12:623 where the backplane is a switched network",
    )
