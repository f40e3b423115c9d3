"""Commands at 20h that only a shelf manager answers: its inventory, feeds, addresses (PICMG 3.0, 3.6 and 3.8)."""

from collections.abc import Callable
from typing import Final

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode
from blade_agent.backplane.messages.shelf import (
    FRU_INVENTORY_DEVICE_LOCK_CONTROL,
    FRU_INVENTORY_DEVICE_WRITE,
    GET_SHELF_ADDRESS_INFO,
    GET_SHELF_MANAGER_IP_ADDRESSES,
    GET_SHELF_MANAGER_IPMB_ADDRESS,
    GET_SHELF_POWER_ALLOCATION,
    MOST_FEEDS_A_MESSAGE,
    RENEGOTIATE_POWER,
    SET_SHELF_ADDRESS_INFO,
    SHELF_FRU,
    AddressIndex,
    FeedAllocations,
    FeedQuery,
    InventoryLock,
    LockCompletion,
    LockedWritten,
    LockInventory,
    LockStep,
    ManagerAddress,
    ManagerIpmb,
    ShelfAddress,
    WriteLocked,
    WriteLockedCompletion,
)
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.chassis_manager.board.shelf_fru import MANAGER_SITE, SITE_TYPE_SHELF_MANAGER, shelf_address
from blade_agent.chassis_manager.board.supplies import Supplies
from media_network.address import Address

_NO_LOCK: Final = 0
_NEVER: Final = 0
_NO_STANDBY: Final = 0
_OWN_IPV4: Final = 0x80
_NEVER_AWAY: Final = 0


class ShelfCommands:
    """What is asked of a shelf manager about its shelf. Its inventory says what the settings say: it is not written."""

    def __init__(self, name: str, supplies: Supplies, granted_w: Callable[[], float], address: Address | None) -> None:
        """Take the shelf's name, what is set aside for blades in all, and where IPMI tools are answered."""
        self._name = name
        self._supplies = supplies
        self._granted_w = granted_w
        self._address = address

    @property
    def module(self) -> CommandModule[ManagementController]:
        """For the controller's command table."""
        return CommandModule(
            dict(
                (
                    answering(GET_SHELF_ADDRESS_INFO, self._get_address),
                    answering(SET_SHELF_ADDRESS_INFO, self._set_address),
                    answering(RENEGOTIATE_POWER, _renegotiate),
                    answering(GET_SHELF_MANAGER_IPMB_ADDRESS, _get_ipmb_address),
                    answering(FRU_INVENTORY_DEVICE_LOCK_CONTROL, _lock),
                    answering(FRU_INVENTORY_DEVICE_WRITE, _write_locked),
                    answering(GET_SHELF_MANAGER_IP_ADDRESSES, self._get_ip_address),
                    answering(GET_SHELF_POWER_ALLOCATION, self._get_allocation),
                )
            )
        )

    def _get_address(self, _controller: ManagementController, _request: Nothing) -> ShelfAddress:
        return ShelfAddress(shelf_address(self._name))

    def _set_address(self, _controller: ManagementController, _request: ShelfAddress) -> Nothing:
        """The shelf is called by its station, which has its name from the settings."""
        raise NotCarriedOut(CompletionCode.WRONG_STATE)

    def _get_ip_address(self, _controller: ManagementController, request: AddressIndex) -> ManagerAddress:
        if self._address is None or request.index:
            raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
        return ManagerAddress(
            changed_at=_NEVER,
            count=1,
            site_type=SITE_TYPE_SHELF_MANAGER,
            site=MANAGER_SITE,
            longest_away_s=_NEVER_AWAY,
            kind=_OWN_IPV4,
            host=bytes(map(int, self._address.host.split("."))),
            port=self._address.port,
        )

    def _get_allocation(self, _controller: ManagementController, request: FeedQuery) -> FeedAllocations:
        """What is set aside for blades, shared by the supplies that work; one that does not carries nothing."""
        feeds = self._supplies.all
        if request.first >= len(feeds):
            raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
        carrying = sum(feed.works for feed in feeds)
        share_w = round(self._granted_w() / carrying) if carrying else 0
        asked = feeds[request.first : request.first + MOST_FEEDS_A_MESSAGE]
        watts = (min(share_w, 0xFFFF) if feed.works else 0 for feed in asked)
        return FeedAllocations(
            feeds=len(feeds), first=request.first, watts=b"".join(each.to_bytes(2, "little") for each in watts)
        )


def _renegotiate(_controller: ManagementController, _request: Nothing) -> Nothing:
    """The budget is reckoned again after every request to 20h."""
    return Nothing()


def _get_ipmb_address(_controller: ManagementController, _request: Nothing) -> ManagerIpmb:
    return ManagerIpmb(active=CHASSIS_MANAGER_ADDRESS, standby=_NO_STANDBY)


def _lock(controller: ManagementController, request: LockInventory) -> InventoryLock:
    if request.fru != SHELF_FRU:
        raise NotCarriedOut(LockCompletion.INVALID_INVENTORY)
    if request.step is not LockStep.GET_TIMESTAMP:
        raise NotCarriedOut(LockCompletion.LOCK_FAILED)
    return InventoryLock(lock=_NO_LOCK, changed_at=controller.started_at)


def _write_locked(_controller: ManagementController, _request: WriteLocked) -> LockedWritten:
    raise NotCarriedOut(WriteLockedCompletion.NOT_LOCKED)
