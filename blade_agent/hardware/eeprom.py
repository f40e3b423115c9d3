"""The board's EEPROM with its FRU information, through /sys/bus/nvmem (Documentation/driver-api/nvmem.rst)."""

from pathlib import Path

from blade_agent.hardware.profile import EepromFacts
from blade_agent.hardware.reading import Unknown, Why
from blade_agent.hardware.sysfs import folders, read_bytes

_HEADER_BYTES = 8
_FORMAT_VERSION = 1


def memories(root: Path) -> list[str]:
    """Names of all memories."""
    return [folder.name for folder in folders(root / "sys/bus/nvmem/devices")]


def read_fru(root: Path, eeprom: EepromFacts) -> bytes | Unknown:
    """The FRU information, from its common header to the end of the memory.

    The header is checked (IPMI FRU Information Storage Definition 1.0, chapter 8): an EEPROM that nobody wrote, or
    that holds something else, is not taken for an inventory.
    """
    data = read_bytes(root / "sys/bus/nvmem/devices" / eeprom.device / "nvmem", eeprom.size_bytes)
    if isinstance(data, Unknown):
        return data
    area = data[eeprom.offset_bytes :]
    header = area[:_HEADER_BYTES]
    if len(header) < _HEADER_BYTES or header[0] & 0x0F != _FORMAT_VERSION or sum(header) % 256:
        return Unknown(Why.GARBLED, f"{eeprom.device} has no FRU header at byte {eeprom.offset_bytes}")
    return area
