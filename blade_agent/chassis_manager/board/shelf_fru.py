"""The inventory of the shelf: where its slots are, what feeds them, where its manager answers (PICMG 3.0, 3.8)."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS
from blade_agent.backplane.messages.picmg import SITE_TYPE_FRONT_BOARD
from blade_agent.backplane.messages.shelf import LONGEST_SHELF_ADDRESS_BYTES
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.chassis_manager.board.supplies import Supply

SITE_TYPE_SHELF_MANAGER: Final = 0x03
MANAGER_SITE: Final = 1

_OEM_RECORD: Final = 0xC0
_PICMG_NUMBER: Final = (12634).to_bytes(3, "little")
"""PICMG's enterprise number, which begins each of its records."""
_ADDRESS_TABLE: Final = bytes((0x10, 0))
_POWER_DISTRIBUTION: Final = bytes((0x11, 0))
_MANAGER_ADDRESS: Final = bytes((0x13, 0))
_ASCII: Final = 0xC0
_OWN_FRU: Final = 0
_TENTHS: Final = 10
_HALVES: Final = 2
_UNSPECIFIED: Final = (0xFFFF).to_bytes(2, "little")
_LONGEST_RECORD_BYTES: Final = 255
_DISTRIBUTION_HEAD_BYTES: Final = 6
_FEED_BYTES: Final = 6
_MOST_AMPERES: Final = 0xFFFE / _TENTHS


def shelf_records(name: str, slots: Sequence[int], supplies: Sequence[Supply], host: str | None) -> tuple[bytes, ...]:
    """Give the records of a shelf of this name, for `fru_image`.

    `host` is the IPv4 address at which its manager answers, None for none.
    """
    records = [_address_table(name, slots)]
    records += _power_distribution(slots, supplies)
    if host is not None:
        records.append(_record(_MANAGER_ADDRESS, ipaddress.IPv4Address(host).packed))
    return tuple(records)


def shelf_address(name: str) -> bytes:
    """Give a shelf's address as an IPMI text: type and length, then the characters."""
    octets = name.encode("ascii", "replace")[:LONGEST_SHELF_ADDRESS_BYTES]
    return bytes((_ASCII | len(octets),)) + octets


def _address_table(name: str, slots: Sequence[int]) -> bytes:
    manager = (CHASSIS_MANAGER_ADDRESS // 2, MANAGER_SITE, SITE_TYPE_SHELF_MANAGER)
    sites = [manager, *((SlotAddress(slot).hardware_address, slot, SITE_TYPE_FRONT_BOARD) for slot in slots)]
    address = shelf_address(name).ljust(LONGEST_SHELF_ADDRESS_BYTES + 1, b"\0")
    return _record(_ADDRESS_TABLE, address, bytes((len(sites),)), *map(bytes, sites))


def _power_distribution(slots: Sequence[int], supplies: Sequence[Supply]) -> Iterable[bytes]:
    """Every supply feeds every slot. More than a record holds is told in a further one."""
    if not supplies:
        return
    feed_bytes = (_LONGEST_RECORD_BYTES - _DISTRIBUTION_HEAD_BYTES) // len(supplies)
    most_fed = max(1, (feed_bytes - _FEED_BYTES) // 2)
    for fed in (slots[start : start + most_fed] for start in range(0, len(slots), most_fed)):
        units = bytes(octet for slot in fed for octet in (SlotAddress(slot).hardware_address, _OWN_FRU))
        yield _record(
            _POWER_DISTRIBUTION,
            bytes((len(supplies),)),
            *(_feed(supply) + bytes((len(fed),)) + units for supply in supplies),
        )


def _feed(supply: Supply) -> bytes:
    """Say what a feed gives at most, outside and inside, and how many volts at least; 0 V where that is not known."""
    outside, lowest_v = _UNSPECIFIED, supply.lowest_v or 0.0
    if lowest_v:
        outside = int(min(supply.capacity_w / lowest_v, _MOST_AMPERES) * _TENTHS).to_bytes(2, "little")
    return outside + _UNSPECIFIED + bytes((min(int(lowest_v * _HALVES), 0xFF),))


def _record(kind: bytes, *parts: bytes) -> bytes:
    return bytes((_OEM_RECORD,)) + _PICMG_NUMBER + kind + b"".join(parts)
