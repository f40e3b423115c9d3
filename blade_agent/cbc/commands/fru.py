"""FRU inventory: reading the blade's description, and writing it where that is allowed."""

import logging

from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.fru import (
    GET_FRU_INVENTORY_AREA_INFO,
    LONGEST_PIECE_BYTES,
    READ_FRU_INVENTORY_DATA,
    WRITE_FRU_INVENTORY_DATA,
    FruArea,
    FruDevice,
    FruPiece,
    ReadFru,
    WriteFru,
    Written,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, RefusedError, answering
from blade_agent.cbc.commands.picmg import require_blade

_BY_BYTES = 0x00

logger = logging.getLogger(__name__)


def _get_area(blade: Blade, request: FruDevice) -> FruArea:
    require_blade(request.fru)
    return FruArea(length_bytes=len(blade.fru.image), access=_BY_BYTES)


def _read(blade: Blade, request: ReadFru) -> FruPiece:
    require_blade(request.fru)
    if request.offset >= len(blade.fru.image):
        raise RefusedError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    if request.count > LONGEST_PIECE_BYTES:
        raise RefusedError(CompletionCode.TOO_MANY_BYTES_REQUESTED)
    octets = blade.fru.image[request.offset : request.offset + request.count]
    return FruPiece(count=len(octets), octets=octets)


def _write(blade: Blade, request: WriteFru) -> Written:
    require_blade(request.fru)
    if not blade.fru.writable:
        raise RefusedError(CompletionCode.WRITE_PROTECTED)
    if request.offset + len(request.octets) > len(blade.fru.image):
        raise RefusedError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    try:
        blade.fru.write(request.offset, request.octets)
    except OSError as error:
        logger.warning("the FRU inventory could not be written: %s", error)
        raise RefusedError(CompletionCode.UNSPECIFIED) from error
    return Written(len(request.octets))


FRU_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_FRU_INVENTORY_AREA_INFO, _get_area),
            answering(READ_FRU_INVENTORY_DATA, _read),
            answering(WRITE_FRU_INVENTORY_DATA, _write),
        )
    ),
    device_support=0x08,
)
