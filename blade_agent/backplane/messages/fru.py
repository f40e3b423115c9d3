"""Messages of the FRU inventory commands (IPMI 2.0, chapter 34)."""

from enum import unique

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_STORAGE, Command, CommandCode
from blade_agent.backplane.layout import Layout, single_bytes
from blade_agent.backplane.message import Completion

LONGEST_PIECE_BYTES = 32


class FruDevice(Struct, frozen=True):
    """Which field replaceable unit; the blade itself is 0."""

    fru: int


class FruArea(Struct, frozen=True, kw_only=True):
    """How much there is, and in bit 0 of `access`, that it is counted in words of two bytes."""

    length_bytes: int
    access: int


class ReadFru(Struct, frozen=True, kw_only=True):
    """Which part is asked for."""

    fru: int
    offset: int
    count: int


class FruPiece(Struct, frozen=True, kw_only=True):
    """A part, and how long it is."""

    count: int
    octets: bytes


class WriteFru(Struct, frozen=True, kw_only=True):
    """A part to be written."""

    fru: int
    offset: int
    octets: bytes


class FruWritten(Struct, frozen=True):
    """How many bytes were written."""

    count: int


@unique
class WriteFruCompletion(Completion):
    """Why nothing is written (IPMI 2.0, 34.3)."""

    WRITE_PROTECTED = 0x80


def _storage(number: int) -> CommandCode:
    return CommandCode(NET_FN_STORAGE, b"", number)


_OFFSET = "offset" / construct.Int16ul
_OCTETS = "octets" / construct.GreedyBytes

GET_FRU_INVENTORY_AREA_INFO = Command(
    "Get FRU Inventory Area Info",
    _storage(0x10),
    request=Layout(FruDevice, *single_bytes("fru")),
    reply=Layout(FruArea, "length_bytes" / construct.Int16ul, *single_bytes("access")),
)
READ_FRU_INVENTORY_DATA = Command(
    "Read FRU Inventory Data",
    _storage(0x11),
    request=Layout(ReadFru, *single_bytes("fru"), _OFFSET, *single_bytes("count")),
    reply=Layout(FruPiece, *single_bytes("count"), _OCTETS, lengths_bytes=(1, 1 + LONGEST_PIECE_BYTES)),
)
WRITE_FRU_INVENTORY_DATA = Command(
    "Write FRU Inventory Data",
    _storage(0x12),
    request=Layout(WriteFru, *single_bytes("fru"), _OFFSET, _OCTETS, lengths_bytes=(4, 3 + LONGEST_PIECE_BYTES)),
    reply=Layout(FruWritten, *single_bytes("count")),
    completions=WriteFruCompletion,
)
