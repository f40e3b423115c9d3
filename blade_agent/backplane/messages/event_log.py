"""Messages of the event log's commands (IPMI 2.0, chapter 31)."""

from enum import Enum

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_STORAGE, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, numbered
from blade_agent.backplane.messages.record import PIECE, RECORD_PIECE, RESERVATION

CLEAR_WORD = b"CLR"


class LogInfo(Struct, frozen=True, kw_only=True):
    """State of the event log (IPMI 2.0, table 31-2)."""

    version: int
    records: int
    free_bytes: int
    added_at: int
    erased_at: int
    operations: int
    """Bits: 7 has overflowed, 3 Delete is there, 1 Reserve is there."""


class LogRecord(Struct, frozen=True):
    """A record of 16 bytes."""

    record: bytes


class RecordId(Struct, frozen=True):
    """Which record."""

    record: int


class RemoveRecord(Struct, frozen=True, kw_only=True):
    """Remove a record; 0 the first, FFFFh the last."""

    reservation: int
    record: int


class ClearStep(Enum):
    """What Clear SEL asks for."""

    STATUS = 0x00
    BEGIN = 0xAA


class ClearLog(Struct, frozen=True, kw_only=True):
    """Remove all records. `word` is `CLEAR_WORD`."""

    reservation: int
    word: bytes
    step: ClearStep


class Erasure(Struct, frozen=True):
    """How far the erasure is; 1: done."""

    progress: int


class LogTime(Struct, frozen=True):
    """Seconds since 1970 by the log's clock."""

    time: int


def _storage(number: int) -> CommandCode:
    return CommandCode(NET_FN_STORAGE, b"", number)


_RECORD_ID = Layout(RecordId, "record" / construct.Int16ul)
_TIME = Layout(LogTime, "time" / construct.Int32ul)

GET_SEL_INFO = Command(
    "Get SEL Info",
    _storage(0x40),
    request=NOTHING,
    reply=Layout(
        LogInfo,
        "version" / construct.Int8ub,
        "records" / construct.Int16ul,
        "free_bytes" / construct.Int16ul,
        "added_at" / construct.Int32ul,
        "erased_at" / construct.Int32ul,
        "operations" / construct.Int8ub,
    ),
)
RESERVE_SEL = Command("Reserve SEL", _storage(0x42), request=NOTHING, reply=RESERVATION)
GET_SEL_ENTRY = Command("Get SEL Entry", _storage(0x43), request=RECORD_PIECE, reply=PIECE)
ADD_SEL_ENTRY = Command(
    "Add SEL Entry", _storage(0x44), request=Layout(LogRecord, "record" / construct.Bytes(16)), reply=_RECORD_ID
)
DELETE_SEL_ENTRY = Command(
    "Delete SEL Entry",
    _storage(0x46),
    request=Layout(RemoveRecord, "reservation" / construct.Int16ul, "record" / construct.Int16ul),
    reply=_RECORD_ID,
)
CLEAR_SEL = Command(
    "Clear SEL",
    _storage(0x47),
    request=Layout(
        ClearLog,
        "reservation" / construct.Int16ul,
        "word" / construct.Bytes(3),
        "step" / numbered(ClearStep),
    ),
    reply=Layout(Erasure, "progress" / construct.Int8ub),
)
GET_SEL_TIME = Command("Get SEL Time", _storage(0x48), request=NOTHING, reply=_TIME)
SET_SEL_TIME = Command("Set SEL Time", _storage(0x49), request=_TIME, reply=NOTHING)
