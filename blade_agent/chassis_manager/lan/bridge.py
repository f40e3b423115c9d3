"""Bridging: requests to a blade's controller inside Send Message, and its responses back (IPMI 2.0, 6.13, 22.7).

Send Message is answered at once. The blade's response follows in the same session as a message of its own, from the
blade's address and with the sequence number of the request that was passed on.
"""

from enum import unique

from msgspec import Struct

from blade_agent.backplane.command import NET_FN_APPLICATION
from blade_agent.backplane.message import (
    BadMessage,
    Completion,
    CompletionCode,
    MessageFault,
    Request,
    Response,
    decode,
)
from blade_agent.backplane.slot_address import SLOT_AT
from blade_agent.chassis_manager.lan.privileges import needed_privilege
from blade_agent.chassis_manager.lan.session import LanSession
from blade_agent.chassis_manager.lan.session_commands import BACKPLANE_CHANNEL
from blade_agent.chassis_manager.lan.users import Privilege

MAX_BRIDGED = 8
"""Requests of one session that may be under way at a time."""

_SEND_MESSAGE = 0x34
_TRACKED = 0x40


@unique
class SendMessageCompletion(Completion):
    """Why a message is not passed on (IPMI 2.0, 22.7)."""

    NOT_DELIVERED = 0x83
    """There is nobody at that address."""


class Bridged(Struct, frozen=True, kw_only=True):
    """A request that is to be passed on to a slot."""

    slot: int
    request: Request
    """As the console made it; to be sent with the manager's own address and sequence number."""
    carrier: Request
    """The Send Message that it came in."""
    session: int
    """The session's id on this side."""


class NotBridged(Exception):
    """A Send Message that is refused."""

    def __init__(self, completion: Completion) -> None:
        super().__init__(f"not passed on: completion code {completion.text}")
        self.completion = completion


def is_send_message(request: Request) -> bool:
    """Tell whether a request carries another."""
    return (request.net_fn, request.command) == (NET_FN_APPLICATION, _SEND_MESSAGE)


def read_send_message(carrier: Request, session: LanSession) -> Bridged:
    """Find out what is to be passed on, and whether this session may.

    Raises NotBridged: no request, to no slot, or not allowed.
    """
    if carrier.responder_lun:
        raise NotBridged(CompletionCode.INVALID_LUN)
    if not carrier.data:
        raise NotBridged(CompletionCode.WRONG_LENGTH)
    if carrier.data[0] != _TRACKED | BACKPLANE_CHANNEL:
        raise NotBridged(CompletionCode.INVALID_FIELD)
    try:
        request = decode(carrier.data[1:])
    except BadMessage as error:
        too_long = error.fault is MessageFault.TOO_LONG
        raise NotBridged(CompletionCode.WRONG_LENGTH if too_long else CompletionCode.INVALID_FIELD) from error
    if not isinstance(request, Request):
        raise NotBridged(CompletionCode.INVALID_FIELD)
    needed = needed_privilege(request)
    if needed is None and session.privilege < Privilege.ADMINISTRATOR:
        # What nobody here knows a newer blade may: for that it takes an administrator, and for others it is not there.
        raise NotBridged(CompletionCode.INVALID_COMMAND)
    if needed is not None and session.privilege < needed:
        raise NotBridged(CompletionCode.INSUFFICIENT_PRIVILEGE)
    slot = SLOT_AT.get(request.responder)
    if slot is None:
        raise NotBridged(SendMessageCompletion.NOT_DELIVERED)
    if request not in session.bridged and len(session.bridged) >= MAX_BRIDGED:
        raise NotBridged(CompletionCode.NODE_BUSY)
    return Bridged(slot=slot, request=request, carrier=carrier, session=session.managed_id)


def response_of(bridged: Bridged, answer: Response | None) -> Response:
    """Give what the console is told: the blade's answer as its own, or that there was none in time."""
    if answer is None:
        response = bridged.request.respond(CompletionCode.TIMED_OUT)
    else:
        response = bridged.request.respond(answer.completion, answer.data)
    # Towards the console the message goes to the console, whatever it called itself on the backplane.
    return Response(
        requester=bridged.carrier.requester,
        responder=response.responder,
        net_fn=response.net_fn,
        command=response.command,
        sequence=response.sequence,
        completion=response.completion,
        data=response.data,
        responder_lun=response.responder_lun,
        requester_lun=bridged.carrier.requester_lun,
    )
