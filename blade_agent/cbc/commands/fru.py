"""FRU inventory: reading the board's description, and writing it where that is allowed."""

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
    FruWritten,
    ReadFru,
    WriteFru,
    WriteFruCompletion,
)
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.fru import OWN_FRU, Fru
from blade_agent.cbc.management_controller import ManagementController

_BY_BYTES = 0x00

logger = logging.getLogger(__name__)


def _get_area(controller: ManagementController, request: FruDevice) -> FruArea:
    return FruArea(length_bytes=len(_inventory(controller, request.fru).image), access=_BY_BYTES)


def _read(controller: ManagementController, request: ReadFru) -> FruPiece:
    image = _inventory(controller, request.fru).image
    if request.offset >= len(image):
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    if request.count > LONGEST_PIECE_BYTES:
        raise NotCarriedOut(CompletionCode.TOO_MANY_BYTES_REQUESTED)
    octets = image[request.offset : request.offset + request.count]
    return FruPiece(count=len(octets), octets=octets)


def _write(controller: ManagementController, request: WriteFru) -> FruWritten:
    inventory = _inventory(controller, request.fru)
    if not inventory.writable:
        raise NotCarriedOut(WriteFruCompletion.WRITE_PROTECTED)
    if request.offset + len(request.octets) > len(inventory.image):
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    try:
        inventory.write(request.offset, request.octets)
    except OSError as error:
        logger.warning("the FRU inventory could not be written: %s", error)
        raise NotCarriedOut(CompletionCode.UNSPECIFIED) from error
    return FruWritten(len(request.octets))


def _inventory(controller: ManagementController, fru: int) -> Fru:
    inventory = controller.frus.get(fru)
    if inventory is None:
        raise NotCarriedOut(CompletionCode.NO_SUCH_DEVICE)
    return inventory


def require_own_fru(fru: int) -> None:
    """Let pass what is for the controller's own board: it carries no other replaceable unit. Raises NotCarriedOut."""
    if fru != OWN_FRU:
        raise NotCarriedOut(CompletionCode.NO_SUCH_DEVICE)


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
