"""Messages of the OEM group: what a blade reports of itself (docs/protocols/cbc.md).

Get Blade Status is what every version answers, so that it can be seen which one a blade speaks; nothing is decided by
it. Get Heartbeat is what version 2 is asked, again and again: it is sealed, and of all that is long it has a digest.
"""

import construct
from msgspec import Struct

from blade_agent.backplane.command import Command, media_station
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import ADDRESS, NOTHING, Layout, coded, numbered
from blade_agent.backplane.messages.role import EPOCH_FIELD, ROLE
from blade_agent.backplane.role import MainBoardState, Role
from media_network.address import Address

PROTOCOL_VERSION = 2
"""Of this group. The bytes of each version are frozen in tests/golden/cbc."""

_MAIN_BOARD = coded(
    {
        MainBoardState.OFF: 0,
        MainBoardState.STARTING: 1,
        MainBoardState.READY: 2,
        MainBoardState.STOPPING: 3,
        MainBoardState.FAILED: 4,
    }
)


class BladeStatus(Struct, frozen=True, kw_only=True):
    """What a blade of any version reports when it is asked without a seal."""

    protocol_version: int
    hot_swap: HotSwapState
    main_board: MainBoardState
    role: Role
    epoch: int
    assignment_digest: int
    """`assignment_digest` of what the blade holds."""
    address: Address | None
    """Where machines speak to the main board, its control port; None until they can."""
    boot_id: int
    """Drawn anew at every start of the agent, 64 bits."""
    frame_faults: int
    """What the CBC's lines carried that was no frame, modulo 2^32."""
    message_faults: int
    """Frames that held no message, one not for this CBC, or one with a broken seal, modulo 2^32."""


class Heartbeat(BladeStatus, frozen=True, kw_only=True):
    """A blade's heartbeat."""

    streams: int = 0
    """That its main board sends, at most 65535."""
    facts_digest: int = 0
    """`facts_digest` of the blade's sensor data records and FRU inventory: while it stays they need not be read."""


_STATUS = (
    "protocol_version" / construct.Int8ub,
    "hot_swap" / numbered(HotSwapState),
    "main_board" / _MAIN_BOARD,
    "role" / ROLE,
    EPOCH_FIELD,
    "assignment_digest" / construct.Int32ul,
    "address" / ADDRESS,
    "boot_id" / construct.Int64ul,
    "frame_faults" / construct.Int32ul,
    "message_faults" / construct.Int32ul,
)

GET_BLADE_STATUS = Command(
    "Get Blade Status", media_station(0x01), request=NOTHING, reply=Layout(BladeStatus, *_STATUS)
)
GET_HEARTBEAT = Command(
    "Get Heartbeat",
    media_station(0x11),
    request=NOTHING,
    reply=Layout(Heartbeat, *_STATUS, "streams" / construct.Int16ul, "facts_digest" / construct.Int32ul),
    sealed=True,
)
