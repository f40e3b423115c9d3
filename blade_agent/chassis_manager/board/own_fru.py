"""The management board as a field replaceable unit of the shelf: FRU 0 at 20h (PICMG 3.0, 3.2.4 and 3.9).

It runs as long as it answers, so it is active; nobody can take it out of service, switch it, or light it up.
"""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.board import (
    FRU_CONTROL,
    FRU_CONTROL_CAPABILITIES,
    GET_POWER_LEVEL,
    SET_POWER_LEVEL,
    ControlCapabilities,
    ControlFru,
    PowerLevelsReply,
    PowerQuery,
    SetPowerLevel,
    WhichFru,
)
from blade_agent.backplane.messages.event_receiver import GET_EVENT_RECEIVER, SET_EVENT_RECEIVER, ReceiverAddress
from blade_agent.backplane.messages.led import (
    GET_FRU_LED_PROPERTIES,
    GET_FRU_LED_STATE,
    GET_LED_COLOR_CAPABILITIES,
    SET_FRU_LED_STATE,
    LedColors,
    LedNumber,
    LedProperties,
    LedsOf,
    LedState,
    SetLed,
)
from blade_agent.backplane.messages.picmg import (
    COMPUTE_POWER_PROPERTIES,
    GET_DEVICE_LOCATOR_RECORD_ID,
    GET_FRU_ACTIVATION_POLICY,
    SET_FRU_ACTIVATION,
    SET_FRU_ACTIVATION_POLICY,
    SET_IPMB_STATE,
    Activation,
    FruNumber,
    Policy,
    SetActivation,
    SetPolicy,
)
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.commands.fru import require_own_fru
from blade_agent.cbc.commands.picmg import compute_power_properties, get_locator_record, set_ipmb_state
from blade_agent.cbc.management_controller import ManagementController

_DEACTIVATION_LOCKED = 0x02
_POLICY_BITS = 0x03
_RECEIVES_EVENTS = 0x10


def _control(_controller: ManagementController, request: ControlFru) -> Nothing:
    require_own_fru(request.fru)
    raise NotCarriedOut(CompletionCode.WRONG_STATE)


def _get_control_capabilities(_controller: ManagementController, request: WhichFru) -> ControlCapabilities:
    require_own_fru(request.fru)
    return ControlCapabilities(0)


def _get_led_properties(_controller: ManagementController, request: LedsOf) -> LedProperties:
    require_own_fru(request.fru)
    return LedProperties(status_leds=0, application_leds=0)


def _get_led_colors(_controller: ManagementController, request: LedNumber) -> LedColors:
    raise _no_led(request.fru)


def _get_led_state(_controller: ManagementController, request: LedNumber) -> LedState:
    raise _no_led(request.fru)


def _set_led_state(_controller: ManagementController, request: SetLed) -> Nothing:
    raise _no_led(request.fru)


def _no_led(fru: int) -> NotCarriedOut:
    require_own_fru(fru)
    return NotCarriedOut(CompletionCode.INVALID_FIELD)


def _get_policy(_controller: ManagementController, request: FruNumber) -> Policy:
    require_own_fru(request.fru)
    return Policy(_DEACTIVATION_LOCKED)


def _set_policy(_controller: ManagementController, request: SetPolicy) -> Nothing:
    require_own_fru(request.fru)
    if (request.bits ^ _DEACTIVATION_LOCKED) & request.mask & _POLICY_BITS:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return Nothing()


def _set_activation(_controller: ManagementController, request: SetActivation) -> Nothing:
    require_own_fru(request.fru)
    if request.activation is Activation.DEACTIVATE:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return Nothing()


def _get_power_level(_controller: ManagementController, request: PowerQuery) -> PowerLevelsReply:
    require_own_fru(request.fru)
    raise NotCarriedOut(CompletionCode.WRONG_STATE)


def _set_power_level(_controller: ManagementController, request: SetPowerLevel) -> Nothing:
    require_own_fru(request.fru)
    raise NotCarriedOut(CompletionCode.WRONG_STATE)


def _get_event_receiver(controller: ManagementController, _request: Nothing) -> ReceiverAddress:
    """The log is its own: events go nowhere else."""
    return ReceiverAddress(address=controller.ipmb_address, lun=0)


def _set_event_receiver(controller: ManagementController, request: ReceiverAddress) -> Nothing:
    if request.address != controller.ipmb_address:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return Nothing()


OWN_FRU_COMMANDS = CommandModule(
    dict(
        (
            answering(FRU_CONTROL, _control),
            answering(FRU_CONTROL_CAPABILITIES, _get_control_capabilities),
            answering(GET_FRU_LED_PROPERTIES, _get_led_properties),
            answering(GET_LED_COLOR_CAPABILITIES, _get_led_colors),
            answering(GET_FRU_LED_STATE, _get_led_state),
            answering(SET_FRU_LED_STATE, _set_led_state),
            answering(SET_IPMB_STATE, set_ipmb_state),
            answering(GET_DEVICE_LOCATOR_RECORD_ID, get_locator_record),
            answering(COMPUTE_POWER_PROPERTIES, compute_power_properties),
            answering(GET_FRU_ACTIVATION_POLICY, _get_policy),
            answering(SET_FRU_ACTIVATION_POLICY, _set_policy),
            answering(SET_FRU_ACTIVATION, _set_activation),
            answering(GET_POWER_LEVEL, _get_power_level),
            answering(SET_POWER_LEVEL, _set_power_level),
            answering(GET_EVENT_RECEIVER, _get_event_receiver),
            answering(SET_EVENT_RECEIVER, _set_event_receiver),
        )
    ),
    device_support=_RECEIVES_EVENTS,
)
