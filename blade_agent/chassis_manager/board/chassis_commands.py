"""Commands at 20h about the chassis as a whole: its power, finding it, where its slots stand."""

from collections.abc import Mapping
from typing import Final

from blade_agent.backplane.command import NET_FN_CHASSIS, CommandCode
from blade_agent.backplane.layout import Nothing, WrongLength
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    GET_CHASSIS_STATUS,
    ChassisControl,
    ChassisStatus,
    Control,
    IdentifyRequest,
)
from blade_agent.backplane.messages.picmg import (
    GET_ADDRESS_INFO,
    GET_PICMG_PROPERTIES,
    PICMG_VERSION_2_3,
    SITE_TYPE_FRONT_BOARD,
    AddressInfo,
    AddressKey,
    AddressQuery,
    PicmgProperties,
)
from blade_agent.backplane.messages.shelf import SHELF_FRU
from blade_agent.backplane.slot_address import SLOTS, SlotAddress
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.chassis_manager.board.shelf_fru import MANAGER_SITE, SITE_TYPE_SHELF_MANAGER
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.keeping.journal import PendingPower
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.policy.power_switch import observed_power
from blade_agent.chassis_manager.slots.requester import SlotQuestion
from media_network.callback import do_nothing

_CAPABILITIES: Final = CommandCode(NET_FN_CHASSIS, b"", 0x00)
_POWER_ON: Final = 0x01
_OVERLOAD: Final = 0x02
_FAULT: Final = 0x08
_RESTORE_UNKNOWN: Final = 0x60
_OWN_FRU: Final = 0

_POWER_OF: Final[Mapping[ChassisControl, PendingPower]] = {
    ChassisControl.POWER_DOWN: "off",
    ChassisControl.SOFT_SHUTDOWN: "off",
    ChassisControl.POWER_UP: "on",
    ChassisControl.POWER_CYCLE: "cycle",
}


class ChassisCommands:
    """What is asked of, and done to, all slots together."""

    def __init__(self, chassis: Chassis, supplies: Supplies) -> None:
        self._chassis = chassis
        self._supplies = supplies

    @property
    def module(self) -> CommandModule[ManagementController]:
        """For the controller's command table."""
        answers = dict(
            (
                answering(GET_CHASSIS_STATUS, self._status),
                answering(CHASSIS_CONTROL, self._control),
                answering(CHASSIS_IDENTIFY, self._identify),
                answering(GET_PICMG_PROPERTIES, _picmg_properties),
                answering(GET_ADDRESS_INFO, self._address_info),
            )
        )
        return CommandModule({**answers, _CAPABILITIES: _capabilities}, device_support=0x80)

    def _status(self, _controller: ManagementController, _request: Nothing) -> ChassisStatus:
        power = _RESTORE_UNKNOWN
        if any(observed_power(slot) == "on" for slot in self._chassis.slots.values()):
            power |= _POWER_ON
        if any(care.short_of_power for care in self._chassis.service.care.values()):
            power |= _OVERLOAD
        if not all(supply.works for supply in self._supplies.all):
            power |= _FAULT
        return ChassisStatus(power=power, last_event=0, miscellaneous=0)

    def _control(self, _controller: ManagementController, request: Control) -> Nothing:
        """Every blade that is there, in slot order. Who wants to know how it went asks for their status."""
        if request.control is ChassisControl.DIAGNOSTIC_INTERRUPT:
            raise NotCarriedOut(CompletionCode.WRONG_STATE)
        power = _POWER_OF.get(request.control)
        for number, slot in self._chassis.slots.items():
            if slot.away:
                continue
            if power is None:
                slot.ask(SlotQuestion(CHASSIS_CONTROL, Control(request.control), ended=do_nothing))
            else:
                self._chassis.power.order(number, power, do_nothing)
        return Nothing()

    def _identify(self, _controller: ManagementController, request: IdentifyRequest) -> Nothing:
        for slot in self._chassis.slots.values():
            if not slot.away:
                slot.ask(SlotQuestion(CHASSIS_IDENTIFY, request, ended=do_nothing))
        return Nothing()

    def _address_info(self, _controller: ManagementController, query: AddressQuery) -> AddressInfo:
        """Of the manager itself without a key; of any slot by its hardware, IPMB or physical address."""
        slot = self._slot_asked_for(query)
        if query.fru and not (
            query.key == AddressKey.PHYSICAL_ADDRESS.value or (slot is None and query.fru == SHELF_FRU)
        ):
            raise NotCarriedOut(CompletionCode.NO_SUCH_DEVICE)
        if slot is None:
            return AddressInfo(
                hardware_address=CHASSIS_MANAGER_ADDRESS // 2,
                ipmb_address=CHASSIS_MANAGER_ADDRESS,
                fru=SHELF_FRU if query.fru == SHELF_FRU else _OWN_FRU,
                site=MANAGER_SITE,
                site_type=SITE_TYPE_SHELF_MANAGER,
            )
        address = SlotAddress(slot)
        return AddressInfo(
            hardware_address=address.hardware_address,
            ipmb_address=address.ipmb_address,
            fru=_OWN_FRU,
            site=slot,
            site_type=SITE_TYPE_FRONT_BOARD,
        )

    def _slot_asked_for(self, query: AddressQuery) -> int | None:
        """Give the slot; None for the manager itself. Raises NotCarriedOut."""
        own = {
            None: None,
            AddressKey.HARDWARE_ADDRESS.value: CHASSIS_MANAGER_ADDRESS // 2,
            AddressKey.IPMB_ADDRESS.value: CHASSIS_MANAGER_ADDRESS,
        }
        if query.key in own and query.value == own[query.key]:
            return None
        if query.site_type == SITE_TYPE_SHELF_MANAGER and query.key == AddressKey.PHYSICAL_ADDRESS.value:
            if query.value != MANAGER_SITE:
                raise NotCarriedOut(CompletionCode.INVALID_FIELD)
            return None
        slot = _SLOT_BY_KEY.get((query.key, query.value)) if not query.site_type else None
        if slot is None or slot not in self._chassis.slots:
            raise NotCarriedOut(CompletionCode.INVALID_FIELD)
        return slot


_SLOT_BY_KEY: Final[Mapping[tuple[int | None, int | None], int]] = {
    **{(AddressKey.HARDWARE_ADDRESS.value, SlotAddress(slot).hardware_address): slot for slot in range(1, SLOTS + 1)},
    **{(AddressKey.IPMB_ADDRESS.value, SlotAddress(slot).ipmb_address): slot for slot in range(1, SLOTS + 1)},
    **{(AddressKey.PHYSICAL_ADDRESS.value, slot): slot for slot in range(1, SLOTS + 1)},
}


def _picmg_properties(_controller: ManagementController, _request: Nothing) -> PicmgProperties:
    return PicmgProperties(version=PICMG_VERSION_2_3, max_fru=_OWN_FRU, controller_fru=_OWN_FRU)


def _capabilities(_controller: ManagementController, fields: bytes) -> bytes:
    """No lock, no intrusion sensor; everything that the chassis has is here."""
    if fields:
        raise WrongLength(len(fields))
    return bytes((0, *(CHASSIS_MANAGER_ADDRESS,) * 4))
