"""Messages about who is told of events (IPMI 2.0, 29.1 and 29.2)."""

from msgspec import Struct

from blade_agent.backplane.command import NET_FN_SENSOR, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, single_bytes

NOBODY = 0xFF


class ReceiverAddress(Struct, frozen=True, kw_only=True):
    """IPMB address and LUN of the event receiver; FFh: events are not sent."""

    address: int
    lun: int


_RECEIVER = Layout(ReceiverAddress, *single_bytes("address", "lun"))

SET_EVENT_RECEIVER = Command(
    "Set Event Receiver", CommandCode(NET_FN_SENSOR, b"", 0x00), request=_RECEIVER, reply=NOTHING
)
GET_EVENT_RECEIVER = Command(
    "Get Event Receiver", CommandCode(NET_FN_SENSOR, b"", 0x01), request=NOTHING, reply=_RECEIVER
)
