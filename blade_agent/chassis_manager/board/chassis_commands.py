"""Commands at 20h about the chassis as a whole: its power, finding it, where its slots stand."""

from collections.abc import Mapping
from typing import Final

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    GET_CHASSIS_CAPABILITIES,
    GET_CHASSIS_STATUS,
    GET_POH_COUNTER,
    GET_SYSTEM_RESTART_CAUSE,
    SET_POWER_RESTORE_POLICY,
    ChassisCapabilities,
    ChassisControl,
    ChassisStatus,
    Control,
    IdentifyRequest,
    RestartCause,
    RestorePolicies,
    RestorePolicy,
    SetRestorePolicy,
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
from blade_agent.backplane.sensor_codes import SensorKind
from blade_agent.backplane.slot_address import SLOTS, SlotAddress
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.commands.chassis import get_restart_cause, get_time_on
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.chassis_manager.board.shelf_fru import MANAGER_SITE, SITE_TYPE_SHELF_MANAGER
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.keeping.journal import PendingPower
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.policy.power_switch import observed_power
from blade_agent.chassis_manager.slots.requester import SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot
from media_network.callback import do_nothing

_POWER_ON: Final = 0x01
_OVERLOAD: Final = 0x02
_FAULT: Final = 0x08
_FAN_FAULT: Final = 0x08
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
                answering(GET_CHASSIS_CAPABILITIES, _capabilities),
                answering(GET_CHASSIS_STATUS, self._status),
                answering(SET_POWER_RESTORE_POLICY, _set_restore_policy),
                answering(GET_SYSTEM_RESTART_CAUSE, get_restart_cause),
                answering(GET_POH_COUNTER, get_time_on),
                answering(CHASSIS_CONTROL, self._control),
                answering(CHASSIS_IDENTIFY, self._identify),
                answering(GET_PICMG_PROPERTIES, _picmg_properties),
                answering(GET_ADDRESS_INFO, self._address_info),
            )
        )
        return CommandModule(answers, device_support=0x80)

    def _status(self, _controller: ManagementController, _request: Nothing) -> ChassisStatus:
        power = _RESTORE_UNKNOWN
        if any(observed_power(slot) == "on" for slot in self._chassis.slots.values()):
            power |= _POWER_ON
        if any(care.short_of_power for care in self._chassis.service.care.values()):
            power |= _OVERLOAD
        if not all(supply.works for supply in self._supplies.all):
            power |= _FAULT
        fans = _FAN_FAULT if any(map(_fan_stands, self._chassis.slots.values())) else 0
        return ChassisStatus(power=power, last_event=0, miscellaneous=fans)

    def _control(self, controller: ManagementController, request: Control) -> Nothing:
        """Every blade that is there, in slot order. Who wants to know how it went asks for their status."""
        if request.control is ChassisControl.DIAGNOSTIC_INTERRUPT:
            raise NotCarriedOut(CompletionCode.WRONG_STATE)
        power = _POWER_OF.get(request.control)
        if power != "off":
            controller.restart_cause = RestartCause.CHASSIS_CONTROL
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


def _capabilities(controller: ManagementController, _request: Nothing) -> ChassisCapabilities:
    """No lock, no intrusion sensor; everything that the chassis has is here."""
    here = controller.ipmb_address
    return ChassisCapabilities(flags=0, inventory=here, records=here, log=here, management=here, bridge=here)


def _set_restore_policy(_controller: ManagementController, request: SetRestorePolicy) -> RestorePolicies:
    """Every blade has its own way: of the chassis as a whole there is none to be chosen."""
    if request.policy is not RestorePolicy.NO_CHANGE:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return RestorePolicies(0)


def _fan_stands(slot: Slot) -> bool:
    """Tell whether a fan of a blade is at or below its lower critical limit, as it was measured last."""
    readings = slot.measurements.readings
    return not slot.away and any(
        (rpm := readings.get(number)) is not None and rpm <= sensor.lower_critical
        for number, sensor in slot.facts.sensors.items()
        if sensor.sensor_type == SensorKind.FAN and sensor.lower_critical is not None
    )
