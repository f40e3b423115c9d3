"""Messages of the OEM group: how a main board gets its role, and what it reports (docs/protocols/cbc.md).

An assignment does not fit one message, so its parts are staged and a commit, which names them all by a digest, makes
them one assignment or none.
"""

import zlib
from enum import Enum, unique
from functools import lru_cache

import construct
from msgspec import Struct

from blade_agent.backplane.command import MEDIA_STATION, NET_FN_OEM, Command, CommandCode
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import ADDRESS, NOTHING, Layout, coded, numbered
from blade_agent.backplane.message import Completion
from blade_agent.backplane.role import LONGEST_STATION_BYTES, MainBoardState, Role, RoleAssignment
from media_network.address import Address

PROTOCOL_VERSION = 1
"""Of this group. Its bytes are frozen in tests/golden/cbc."""

_ROLE = coded({Role.UNASSIGNED: 0, Role.DIRECTOR: 1, Role.ENGINE: 2})
_MAIN_BOARD = coded(
    {
        MainBoardState.OFF: 0,
        MainBoardState.STARTING: 1,
        MainBoardState.READY: 2,
        MainBoardState.STOPPING: 3,
        MainBoardState.FAILED: 4,
    }
)
_EPOCH = "epoch" / construct.Int32ul


class Party(Enum):
    """Whose address is staged."""

    DIRECTOR = 0
    CENTER = 1


class BladeStatus(Struct, frozen=True, kw_only=True):
    """A blade's heartbeat."""

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
    """Frames that held no message, or one not for this CBC, modulo 2^32."""


class StageAddress(Struct, frozen=True):
    """Stage where the director or the distribution center listens."""

    party: Party
    address: Address | None


class StageStation(Struct, frozen=True):
    """Stage the media station's name."""

    station: str


class CommitRole(Struct, frozen=True, kw_only=True):
    """Make what is staged the blade's assignment, if it is what `assignment_digest` names."""

    epoch: int
    role: Role
    assignment_digest: int


@unique
class CommitRoleCompletion(Completion):
    """Why an assignment is not taken."""

    STALE_EPOCH = 0x80
    """The epoch is older than the one the blade holds."""
    ROLE_CONFLICT = 0x81
    """Becoming or ceasing to be director takes a higher epoch."""
    STAGED_DIFFERS = 0x82
    """What is staged is not what the commit names by its digest."""


class Drain(Struct, frozen=True):
    """Hand over what the main board carries and take nothing new; or, not `draining`, take work again."""

    draining: bool


class StillCarried(Struct, frozen=True):
    """What has yet to leave a main board that drains, at most 65535."""

    streams: int
    """Streams it sends, requests it answers, and segments that no other engine holds so far."""


def _oem(number: int) -> CommandCode:
    return CommandCode(NET_FN_OEM, MEDIA_STATION, number)


_STATION = "station" / construct.ExprAdapter(
    construct.GreedyBytes, lambda octets, _: bytes(octets).decode("ascii"), lambda name, _: name.encode("ascii")
)

GET_BLADE_STATUS = Command(
    "Get Blade Status",
    _oem(0x01),
    request=NOTHING,
    reply=Layout(
        BladeStatus,
        "protocol_version" / construct.Int8ub,
        "hot_swap" / numbered(HotSwapState),
        "main_board" / _MAIN_BOARD,
        "role" / _ROLE,
        _EPOCH,
        "assignment_digest" / construct.Int32ul,
        "address" / ADDRESS,
        "boot_id" / construct.Int64ul,
        "frame_faults" / construct.Int32ul,
        "message_faults" / construct.Int32ul,
    ),
)
STAGE_ADDRESS = Command(
    "Stage Address",
    _oem(0x02),
    request=Layout(StageAddress, "party" / numbered(Party), "address" / ADDRESS),
    reply=NOTHING,
)
STAGE_STATION = Command(
    "Stage Station",
    _oem(0x03),
    request=Layout(StageStation, _STATION, lengths_bytes=(1, LONGEST_STATION_BYTES)),
    reply=NOTHING,
)
COMMIT_ROLE = Command(
    "Commit Role",
    _oem(0x04),
    request=Layout(CommitRole, _EPOCH, "role" / _ROLE, "assignment_digest" / construct.Int32ul),
    reply=NOTHING,
    completions=CommitRoleCompletion,
)
DRAIN = Command(
    "Drain",
    _oem(0x05),
    request=Layout(Drain, "draining" / coded({False: 0, True: 1})),
    reply=Layout(StillCarried, "streams" / construct.Int16ul),
)

_ASSIGNMENT = Layout(
    RoleAssignment,
    _EPOCH,
    "role" / _ROLE,
    "director" / ADDRESS,
    "center" / ADDRESS,
    _STATION,
    lengths_bytes=(17, 17 + LONGEST_STATION_BYTES),
)


@lru_cache(maxsize=64)  # asked for with every heartbeat, and nearly always of the same few
def assignment_digest(assignment: RoleAssignment) -> int:
    """Name an assignment in 32 bits: CRC-32 of epoch, role, director, center and station as they lie on the wire."""
    return zlib.crc32(_ASSIGNMENT.pack(assignment))
