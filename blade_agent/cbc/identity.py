"""What a CBC says it is."""

import re
from typing import Annotated

from msgspec import Meta, Struct

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
    """Tells this one blade from all others: a UUID of RFC 4122 in network order."""
    firmware_version: FirmwareVersion

    @property
    def wire_guid(self) -> bytes:
        """The GUID as IPMI sends it, the least significant byte first (IPMI 2.0, table 20-10)."""
        return self.guid[::-1]

    @property
    def firmware_numbers(self) -> tuple[int, int, int]:
        """Major, minor and patch number of the firmware, each cut to what Get Device ID has room for."""
        major, minor, patch, *_ = (*map(int, re.findall(r"\d+", self.firmware_version)), 0, 0, 0)
        return min(major, 0x7F), min(minor, 99), min(patch, 0xFFFFFFFF)
