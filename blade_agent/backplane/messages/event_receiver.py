"""Messages about who is told of events (IPMI 2.0, 29.1 and 29.2)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_SENSOR, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, low

NOBODY = 0xFF


class ReceiverAddress(Struct, frozen=True, kw_only=True):
    """IPMB address and LUN of the event receiver; FFh: events are not sent."""

    address: int
    lun: int


_RECEIVER = Layout(ReceiverAddress, "address" / construct.Int8ub, "lun" / low(0x03))

SET_EVENT_RECEIVER = Command(
    "Set Event Receiver", CommandCode(NET_FN_SENSOR, b"", 0x00), request=_RECEIVER, reply=NOTHING
)
GET_EVENT_RECEIVER = Command(
    "Get Event Receiver", CommandCode(NET_FN_SENSOR, b"", 0x01), request=NOTHING, reply=_RECEIVER
)
