"""What a self test can find, and what it tries."""

from collections.abc import Callable
from enum import IntFlag

from msgspec import Struct


class SelfTestFault(IntFlag):
    """What a self test can find (IPMI 2.0, table 20-8, result 57h)."""

    NONE = 0
    OPERATIONAL_FIRMWARE = 0x01
    UPDATE_FIRMWARE = 0x02
    FRU_INTERNAL_AREA = 0x04
    SDR_EMPTY = 0x08
    BACKPLANE_LINES = 0x10
    FRU_DEVICE = 0x20
    SDR_DEVICE = 0x40
    SEL_DEVICE = 0x80


class SelfCheck(Struct, frozen=True):
    """Something the self test tries, and what it means when it does not pass."""

    fault: SelfTestFault
    passes: Callable[[], bool]
