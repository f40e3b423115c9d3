"""Who is told of events: set it, and it is told what holds now."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.event_receiver import (
    GET_EVENT_RECEIVER,
    NOBODY,
    SET_EVENT_RECEIVER,
    ReceiverAddress,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.event_sender import EventReceiver

_READ_BIT = 0x01
_GENERATES_EVENTS = 0x20


def _set(blade: Blade, request: ReceiverAddress) -> Nothing:
    if request.address == NOBODY:
        blade.event_sender.set_receiver(None)
        return Nothing()
    if request.address & _READ_BIT:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    blade.event_sender.set_receiver(EventReceiver(request.address, request.lun))
    blade.tell_again()
    return Nothing()


def _get(blade: Blade, _request: Nothing) -> ReceiverAddress:
    receiver = blade.event_sender.receiver
    if receiver is None:
        return ReceiverAddress(address=NOBODY, lun=0)
    return ReceiverAddress(address=receiver.address, lun=receiver.lun)


EVENT_RECEIVER_COMMANDS = CommandModule(
    dict((answering(SET_EVENT_RECEIVER, _set), answering(GET_EVENT_RECEIVER, _get))),
    device_support=_GENERATES_EVENTS,
)
