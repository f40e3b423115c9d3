"""Messages that a shelf manager answers beside those of every controller (PICMG 3.0, 3.1.6, 3.6 and 3.9)."""

from enum import Enum, unique

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_GROUP, PICMG, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, Nothing, numbered, single_bytes
from blade_agent.backplane.message import Completion

SHELF_FRU = 0xFE
"""Number of the shelf's own inventory at the shelf manager (PICMG 3.0, 3.8.2.1)."""

LONGEST_SHELF_ADDRESS_BYTES = 20
_SHELF_ADDRESS_BYTES = LONGEST_SHELF_ADDRESS_BYTES + 1
MOST_FEEDS_A_MESSAGE = 10


class ShelfAddress(Struct, frozen=True):
    """The shelf's address as an IPMI text: a type and length byte, then as many characters."""

    address: bytes


class FeedQuery(Struct, frozen=True):
    """From which power feed on, counted from 0."""

    first: int


class FeedAllocations(Struct, frozen=True, kw_only=True):
    """What is allocated of each feed."""

    feeds: int
    """How many there are in all."""
    first: int
    watts: bytes
    """Two bytes a feed, from the first that was asked for on; least significant byte first."""


class LockStep(Enum):
    """What is done to the lock of an inventory."""

    GET_TIMESTAMP = 0
    LOCK = 1
    UNLOCK_AND_DISCARD = 2
    UNLOCK_AND_COMMIT = 3


class LockInventory(Struct, frozen=True, kw_only=True):
    """A step at the lock of an inventory. The lock's id matters when it is unlocked."""

    fru: int
    step: LockStep
    lock: int


class InventoryLock(Struct, frozen=True, kw_only=True):
    """The lock that was given, 0 for none, and when the inventory changed last."""

    lock: int
    changed_at: int


class WriteLocked(Struct, frozen=True, kw_only=True):
    """A part to be written into an inventory that is locked."""

    fru: int
    lock: int
    offset: int
    octets: bytes


class LockedWritten(Struct, frozen=True):
    """How many bytes were written."""

    count: int


@unique
class LockCompletion(Completion):
    """Why an inventory is not locked (PICMG 3.0, FRU Inventory Device Lock Control)."""

    INVALID_INVENTORY = 0x80
    LOCK_FAILED = 0x81


@unique
class WriteLockedCompletion(Completion):
    """Why nothing is written (PICMG 3.0, FRU Inventory Device Write)."""

    NOT_LOCKED = 0x80


class AddressIndex(Struct, frozen=True):
    """Which of the shelf manager's addresses, counted from 0."""

    index: int


class ManagerAddress(Struct, frozen=True, kw_only=True):
    """One of the shelf manager's addresses on the network."""

    changed_at: int
    """When they changed last; 0 for never."""
    count: int
    site_type: int
    site: int
    longest_away_s: int
    """How long it may be away before something is wrong."""
    kind: int
    """Bit 7: the shelf manager's own; bits 6 to 0: 0 IPv4."""
    host: bytes
    port: int


class ManagerIpmb(Struct, frozen=True):
    """Where the active shelf manager and its standby are on the backplane; 0 for none."""

    active: int
    standby: int


def _picmg(number: int) -> CommandCode:
    return CommandCode(NET_FN_GROUP, PICMG, number)


_ADDRESS = Layout(ShelfAddress, "address" / construct.GreedyBytes, lengths_bytes=(1, _SHELF_ADDRESS_BYTES))

GET_SHELF_ADDRESS_INFO = Command("Get Shelf Address Info", _picmg(0x02), request=NOTHING, reply=_ADDRESS)
SET_SHELF_ADDRESS_INFO = Command("Set Shelf Address Info", _picmg(0x03), request=_ADDRESS, reply=NOTHING)
RENEGOTIATE_POWER = Command(
    "Renegotiate Power",
    _picmg(0x13),
    request=Layout(Nothing, construct.Optional(construct.Int8ub), lengths_bytes=(0, 1)),
    reply=NOTHING,
)
GET_SHELF_MANAGER_IPMB_ADDRESS = Command(
    "Get Shelf Manager IPMB Address",
    _picmg(0x1B),
    request=NOTHING,
    reply=Layout(ManagerIpmb, *single_bytes("active", "standby")),
)
FRU_INVENTORY_DEVICE_LOCK_CONTROL = Command(
    "FRU Inventory Device Lock Control",
    _picmg(0x1F),
    request=Layout(LockInventory, *single_bytes("fru"), "step" / numbered(LockStep), "lock" / construct.Int16ul),
    reply=Layout(InventoryLock, "lock" / construct.Int16ul, "changed_at" / construct.Int32ul),
    completions=LockCompletion,
)
FRU_INVENTORY_DEVICE_WRITE = Command(
    "FRU Inventory Device Write",
    _picmg(0x20),
    request=Layout(
        WriteLocked,
        *single_bytes("fru"),
        "lock" / construct.Int16ul,
        "offset" / construct.Int16ul,
        "octets" / construct.GreedyBytes,
        lengths_bytes=(6, 37),
    ),
    reply=Layout(LockedWritten, *single_bytes("count")),
    completions=WriteLockedCompletion,
)
GET_SHELF_MANAGER_IP_ADDRESSES = Command(
    "Get Shelf Manager IP Addresses",
    _picmg(0x21),
    request=Layout(AddressIndex, *single_bytes("index")),
    reply=Layout(
        ManagerAddress,
        "changed_at" / construct.Int32ul,
        *single_bytes("count", "site_type", "site", "longest_away_s", "kind"),
        "host" / construct.Bytes(4),
        "port" / construct.Int16ub,
    ),
)
GET_SHELF_POWER_ALLOCATION = Command(
    "Get Shelf Power Allocation",
    _picmg(0x22),
    request=Layout(FeedQuery, *single_bytes("first")),
    reply=Layout(
        FeedAllocations,
        *single_bytes("feeds", "first"),
        "watts" / construct.GreedyBytes,
        lengths_bytes=(2, 2 + 2 * MOST_FEEDS_A_MESSAGE),
    ),
)
