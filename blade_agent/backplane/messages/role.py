"""Messages of the OEM group, version 2: how a main board gets its role (docs/protocols/cbc.md).

An assignment does not fit one message, so its parts are staged and a commit, which names them all by a digest, makes
them one assignment or none. Every message is sealed. Version 1 had the same under 02h to 05h, without a seal: nobody
takes those any more.
"""

import zlib
from enum import Enum, unique
from functools import lru_cache

import construct
from msgspec import Struct

from blade_agent.backplane.command import Command, media_station
from blade_agent.backplane.layout import ADDRESS, NOTHING, Layout, coded, numbered
from blade_agent.backplane.message import Completion
from blade_agent.backplane.role import LONGEST_STATION_BYTES, Role, RoleAssignment
from media_network.address import Address

ROLE = coded({Role.UNASSIGNED: 0, Role.DIRECTOR: 1, Role.ENGINE: 2})
EPOCH_FIELD = "epoch" / construct.Int32ul


class Party(Enum):
    """Whose address is staged."""

    DIRECTOR = 0
    CENTER = 1


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


_STATION = "station" / construct.ExprAdapter(
    construct.GreedyBytes, lambda octets, _: bytes(octets).decode("ascii"), lambda name, _: name.encode("ascii")
)

STAGE_ADDRESS = Command(
    "Stage Address",
    media_station(0x12),
    request=Layout(StageAddress, "party" / numbered(Party), "address" / ADDRESS),
    reply=NOTHING,
    sealed=True,
)
STAGE_STATION = Command(
    "Stage Station",
    media_station(0x13),
    request=Layout(StageStation, _STATION, lengths_bytes=(1, LONGEST_STATION_BYTES)),
    reply=NOTHING,
    sealed=True,
)
COMMIT_ROLE = Command(
    "Commit Role",
    media_station(0x14),
    request=Layout(CommitRole, EPOCH_FIELD, "role" / ROLE, "assignment_digest" / construct.Int32ul),
    reply=NOTHING,
    completions=CommitRoleCompletion,
    sealed=True,
)
DRAIN = Command(
    "Drain",
    media_station(0x15),
    request=Layout(Drain, "draining" / coded({False: 0, True: 1})),
    reply=Layout(StillCarried, "streams" / construct.Int16ul),
    sealed=True,
)

_ASSIGNMENT = Layout(
    RoleAssignment,
    EPOCH_FIELD,
    "role" / ROLE,
    "director" / ADDRESS,
    "center" / ADDRESS,
    _STATION,
    lengths_bytes=(17, 17 + LONGEST_STATION_BYTES),
)


@lru_cache(maxsize=64)  # asked for with every heartbeat, and nearly always of the same few
def assignment_digest(assignment: RoleAssignment) -> int:
    """Name an assignment in 32 bits: CRC-32 of epoch, role, director, center and station as they lie on the wire."""
    return zlib.crc32(_ASSIGNMENT.pack(assignment))
