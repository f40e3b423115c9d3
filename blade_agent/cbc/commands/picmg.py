"""PICMG 3.0 commands: where the blade stands, and its activation."""

from blade_agent.backplane.hot_swap import HotSwapEvent, HotSwapState
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.picmg import (
    COMPUTE_POWER_PROPERTIES,
    GET_ADDRESS_INFO,
    GET_DEVICE_LOCATOR_RECORD_ID,
    GET_FRU_ACTIVATION_POLICY,
    GET_PICMG_PROPERTIES,
    LOCAL_CONTROL,
    PICMG_VERSION_2_3,
    SET_FRU_ACTIVATION,
    SET_FRU_ACTIVATION_POLICY,
    SET_IPMB_STATE,
    SITE_TYPE_FRONT_BOARD,
    Activation,
    AddressInfo,
    AddressKey,
    AddressQuery,
    FruNumber,
    LinkStates,
    LocatorRecord,
    PicmgProperties,
    Policy,
    PowerProperties,
    SetActivation,
    SetPolicy,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.commands.fru import require_own_fru
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.sensor_records import OWN_RECORD

_BLADE_FRU = 0
_ONE_SLOT = 1
_FIRST_SLOT = 0
_ACTIVATION_LOCKED = 0x01
_DEACTIVATION_LOCKED = 0x02

_STATES_AFTER = {
    Activation.ACTIVATE: {HotSwapState.M3_ACTIVATION_IN_PROGRESS, HotSwapState.M4_ACTIVE},
    Activation.DEACTIVATE: {HotSwapState.M6_DEACTIVATION_IN_PROGRESS, HotSwapState.M1_INACTIVE},
}


def _get_picmg_properties(_blade: Blade, _request: Nothing) -> PicmgProperties:
    return PicmgProperties(version=PICMG_VERSION_2_3, max_fru=_BLADE_FRU, controller_fru=_BLADE_FRU)


def _get_address_info(blade: Blade, query: AddressQuery) -> AddressInfo:
    if query.fru or not _asks_for(blade, query):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return AddressInfo(
        hardware_address=blade.address.hardware_address,
        ipmb_address=blade.address.ipmb_address,
        fru=_BLADE_FRU,
        site=blade.address.slot,
        site_type=SITE_TYPE_FRONT_BOARD,
    )


def _asks_for(blade: Blade, query: AddressQuery) -> bool:
    own = {
        None: None,
        AddressKey.HARDWARE_ADDRESS.value: blade.address.hardware_address,
        AddressKey.IPMB_ADDRESS.value: blade.address.ipmb_address,
        AddressKey.PHYSICAL_ADDRESS.value: blade.address.slot,
    }
    return query.key in own and own[query.key] == query.value and not query.site_type


def set_ipmb_state(_controller: ManagementController, request: LinkStates) -> Nothing:
    """There is one line to a controller: it cannot be cut off, and needs no second."""
    if any(not link & LOCAL_CONTROL for link in (request.first, request.second)):
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return Nothing()


def get_locator_record(_controller: ManagementController, request: FruNumber) -> LocatorRecord:
    """Its records begin with the one that says where it stands."""
    require_own_fru(request.fru)
    return LocatorRecord(OWN_RECORD)


def compute_power_properties(_controller: ManagementController, request: FruNumber) -> PowerProperties:
    """Every blade is as wide as a slot."""
    require_own_fru(request.fru)
    return PowerProperties(slots=_ONE_SLOT, controller_at=_FIRST_SLOT)


def _set_policy(blade: Blade, request: SetPolicy) -> Nothing:
    require_own_fru(request.fru)
    bits = _policy_bits(blade) & ~request.mask | request.bits & request.mask
    blade.hot_swap.lock(activation=bool(bits & _ACTIVATION_LOCKED), deactivation=bool(bits & _DEACTIVATION_LOCKED))
    return Nothing()


def _get_policy(blade: Blade, request: FruNumber) -> Policy:
    require_own_fru(request.fru)
    return Policy(_policy_bits(blade))


def _policy_bits(blade: Blade) -> int:
    hot_swap = blade.hot_swap
    return hot_swap.activation_locked * _ACTIVATION_LOCKED | hot_swap.deactivation_locked * _DEACTIVATION_LOCKED


def _set_activation(blade: Blade, request: SetActivation) -> Nothing:
    """Asked once more, because the answer got lost, it is the same as once."""
    require_own_fru(request.fru)
    if request.activation is Activation.ACTIVATE:
        blade.hot_swap.apply(HotSwapEvent.ACTIVATE)
    else:
        blade.hot_swap.deactivate()
    if blade.hot_swap.state not in _STATES_AFTER[request.activation]:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return Nothing()


PICMG_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_PICMG_PROPERTIES, _get_picmg_properties),
            answering(GET_ADDRESS_INFO, _get_address_info),
            answering(SET_FRU_ACTIVATION_POLICY, _set_policy),
            answering(GET_FRU_ACTIVATION_POLICY, _get_policy),
            answering(SET_FRU_ACTIVATION, _set_activation),
            answering(SET_IPMB_STATE, set_ipmb_state),
            answering(GET_DEVICE_LOCATOR_RECORD_ID, get_locator_record),
            answering(COMPUTE_POWER_PROPERTIES, compute_power_properties),
        )
    )
)
