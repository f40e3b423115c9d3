"""Messages about records that are read piece by piece: sensor data records and the event log (IPMI 2.0, 31 to 35)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_SENSOR, NET_FN_STORAGE, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, optional, single_bytes

LONGEST_PIECE_BYTES = 32
"""Of a record, in one response: it stays within the 48 bytes of a message."""


class ReservationId(Struct, frozen=True):
    """A reservation that was given."""

    reservation: int


class RecordPiece(Struct, frozen=True, kw_only=True):
    """Which part of which record is asked for. Record 0 is the first."""

    reservation: int
    record: int
    offset: int
    length_bytes: int
    """FFh: up to the end."""


class RecordPart(Struct, frozen=True, kw_only=True):
    """Part of a record, and which record comes after it; FFFFh: none."""

    next_record: int
    octets: bytes


class RepositoryInfo(Struct, frozen=True, kw_only=True):
    """State of the SDR repository (IPMI 2.0, table 33-3)."""

    version: int
    records: int
    free_bytes: int
    added_at: int
    erased_at: int
    operations: int
    """Bit 1: Reserve is there."""


class DeviceSdrInfo(Struct, frozen=True, kw_only=True):
    """How many sensors and records the device has (IPMI 2.0, table 35-3)."""

    count: int
    flags: int
    """Bit 0: LUN 0 has sensors."""


class SdrCount(Struct, frozen=True):
    """What Get Device SDR Info counts: 0 or nothing the sensors, 1 the records."""

    operation: int | None = None


def _storage(number: int) -> CommandCode:
    return CommandCode(NET_FN_STORAGE, b"", number)


def _sensor(number: int) -> CommandCode:
    return CommandCode(NET_FN_SENSOR, b"", number)


RESERVATION = Layout(ReservationId, "reservation" / construct.Int16ul)
RECORD_PIECE = Layout(
    RecordPiece,
    "reservation" / construct.Int16ul,
    "record" / construct.Int16ul,
    *single_bytes("offset", "length_bytes"),
)
PIECE = Layout(
    RecordPart,
    "next_record" / construct.Int16ul,
    "octets" / construct.GreedyBytes,
    lengths_bytes=(2, 2 + LONGEST_PIECE_BYTES),
)

GET_SDR_REPOSITORY_INFO = Command(
    "Get SDR Repository Info",
    _storage(0x20),
    request=NOTHING,
    reply=Layout(
        RepositoryInfo,
        "version" / construct.Int8ub,
        "records" / construct.Int16ul,
        "free_bytes" / construct.Int16ul,
        "added_at" / construct.Int32ul,
        "erased_at" / construct.Int32ul,
        "operations" / construct.Int8ub,
    ),
)
RESERVE_SDR_REPOSITORY = Command("Reserve SDR Repository", _storage(0x22), request=NOTHING, reply=RESERVATION)
GET_SDR = Command("Get SDR", _storage(0x23), request=RECORD_PIECE, reply=PIECE)
GET_DEVICE_SDR_INFO = Command(
    "Get Device SDR Info",
    _sensor(0x20),
    request=Layout(SdrCount, optional("operation", 0x01), lengths_bytes=(0, 1)),
    reply=Layout(DeviceSdrInfo, *single_bytes("count", "flags")),
)
GET_DEVICE_SDR = Command("Get Device SDR", _sensor(0x21), request=RECORD_PIECE, reply=PIECE)
RESERVE_DEVICE_SDR_REPOSITORY = Command(
    "Reserve Device SDR Repository", _sensor(0x22), request=NOTHING, reply=RESERVATION
)
