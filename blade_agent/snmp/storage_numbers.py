"""hrStorageIndex: a number for each memory and file system that follows from its name, and so never shifts. No I/O.

Graphs go by it: where rows are counted through, a disk that is mounted or taken away gives all behind it the graph of
another one.
"""

import zlib
from collections.abc import Iterable

from blade_agent.hardware.machine import StorageFigures
from media_network.snmp.ber import Oid

_MEMORY = 1
_VIRTUAL_MEMORY = 3
"""As net-snmp numbers them."""
_FIRST_DISK = 1024
_DISK_NUMBERS = (1 << 31) - 1 - _FIRST_DISK


def numbered(storages: Iterable[StorageFigures]) -> dict[Oid, tuple[int, StorageFigures]]:
    """Rows by index. Of two names that come to one number (of two thousand million) the later has the next."""
    rows: dict[Oid, tuple[int, StorageFigures]] = {}
    for one in sorted(storages, key=_name):
        number = _number(one)
        while (number,) in rows:
            number = _FIRST_DISK + (number + 1 - _FIRST_DISK) % _DISK_NUMBERS
        rows[number,] = (number, one)
    return rows


def _number(one: StorageFigures) -> int:
    if one.memory and not one.name.startswith("/"):
        return _VIRTUAL_MEMORY if one.virtual else _MEMORY
    return _FIRST_DISK + zlib.crc32(one.name.encode(errors="surrogateescape")) % _DISK_NUMBERS


def _name(one: StorageFigures) -> str:
    return one.name
