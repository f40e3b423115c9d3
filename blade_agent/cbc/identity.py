"""What a CBC says it is."""

import re
from functools import cache
from importlib.metadata import version
from typing import Annotated

from msgspec import Meta, Struct

PACKAGE = "media-station"

SLOTS = 62
"""Slots a chassis can have at most: hardware addresses 41h to 7Eh, whose doubles are the IPMB addresses 82h to FCh."""

FirmwareVersion = Annotated[str, Meta(pattern=r"^\d{1,3}\.\d{1,2}(\.\d{1,3})?")]


class Identity(Struct, frozen=True, kw_only=True):
    """Identity of a blade, from its hardware profile and the installed package."""

    device_id: Annotated[int, Meta(ge=0, le=0xFF)]
    """The maker's number for this kind of controller."""
    device_revision: Annotated[int, Meta(ge=0, le=0x0F)]
    manufacturer: Annotated[int, Meta(ge=0, lt=1 << 20)]
    """IANA enterprise number of who makes the board."""
    product: Annotated[int, Meta(ge=0, lt=1 << 16)]
    guid: Annotated[bytes, Meta(min_length=16, max_length=16)]
    """Tells this one blade from all others."""
    firmware_version: FirmwareVersion

    @property
    def firmware_numbers(self) -> tuple[int, int, int]:
        """Major, minor and patch number of the firmware, each cut to what Get Device ID has room for."""
        major, minor, patch, *_ = (*map(int, re.findall(r"\d+", self.firmware_version)), 0, 0, 0)
        return min(major, 0x7F), min(minor, 99), min(patch, 0xFFFFFFFF)


@cache  # read from the package's metadata, by every blade of a nursery
def installed_version() -> str:
    """Version of the installed package.

    Raises:
        PackageNotFoundError: it runs from a folder that was never installed.
    """
    return version(PACKAGE)


class SlotAddress(Struct, frozen=True):
    """A slot of the chassis and the addresses that follow from it (PICMG 3.0, 3.2.3)."""

    slot: int

    def __post_init__(self) -> None:
        """Refuse a slot without an address; ValueError names it."""
        if not 1 <= self.slot <= SLOTS:
            message = f"a chassis has slots 1 to {SLOTS}, not {self.slot}"
            raise ValueError(message)

    @property
    def hardware_address(self) -> int:
        """What the backplane's address pins say: 41h for slot 1."""
        return 0x40 + self.slot

    @property
    def ipmb_address(self) -> int:
        """Twice the hardware address: 82h for slot 1."""
        return 2 * self.hardware_address
