"""Where a blade stands on the backplane."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

SLOTS = 62
"""Slots a chassis can have at most: hardware addresses 41h to 7Eh, whose doubles are the IPMB addresses 82h to FCh."""


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


SLOT_AT: Final[Mapping[int, int]] = MappingProxyType(
    {SlotAddress(slot).ipmb_address: slot for slot in range(1, SLOTS + 1)}
)
"""Slots by their IPMB addresses."""
