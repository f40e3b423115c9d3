"""The log of notifications: what was told, for who was not listening (NOTIFICATION-LOG-MIB, RFC 3014).

There is one log, the default one, whose name is empty. It keeps the last so many notifications; one that goes for a
newer one is counted as bumped.
"""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct

from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.objects.arcs import MIB_2
from media_network.snmp.objects.notification import Notification, VarBind
from media_network.snmp.objects.rows import READ_ONLY_STORAGE, ROW_ACTIVE, ROW_STATUS, STORAGE_TYPE
from media_network.snmp.objects.table import columns
from media_network.snmp.objects.times import Uptime, date_and_time, wall_clock
from media_network.snmp.value import (
    COUNTER32,
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    IP_ADDRESS,
    OBJECT_ID,
    OCTET_STRING,
    TIME_TICKS,
    Reading,
    Syntax,
    enumerated,
)

_NLM: Oid = (*MIB_2, 92, 1)
_CONFIG_LOG_ENTRY = (*_NLM, 1, 3, 1)
_STATS_LOG_ENTRY = (*_NLM, 2, 3, 1)
_LOG_ENTRY = (*_NLM, 3, 1, 1)
_VARIABLE_ENTRY = (*_NLM, 3, 2, 1)
_DEFAULT_LOG: Oid = (0,)
"""Index of the log whose name is empty: the name's length and nothing else."""
_ADMIN = enumerated(enabled=1, disabled=2)
_OPERATIONAL = enumerated(disabled=1, operational=2, noFilter=3)
_VALUE_TYPE = enumerated(
    counter32=1, unsigned32=2, timeTicks=3, integer32=4, ipAddress=5, octetString=6, objectId=7, counter64=8, opaque=9
)


class _ValueColumn(Struct, frozen=True):
    """Where the log shows values of one syntax."""

    kind: int
    """NlmLogVariableValueType."""
    number: int
    syntax: Syntax


_VALUE_COLUMNS = {
    column.syntax.tag: column
    for column in (
        _ValueColumn(1, 4, COUNTER32),
        _ValueColumn(2, 5, GAUGE32),
        _ValueColumn(3, 6, TIME_TICKS),
        _ValueColumn(4, 7, INTEGER32),
        _ValueColumn(6, 8, OCTET_STRING),
        _ValueColumn(5, 9, IP_ADDRESS),
        _ValueColumn(7, 10, OBJECT_ID),
        _ValueColumn(8, 11, COUNTER64),
    )
}
"""By the tag of the value."""


class Logged(Struct, frozen=True, kw_only=True):
    """A notification in the log."""

    number: int
    ticks: int
    date: bytes
    told: Notification


class NotificationLog:
    """The log, and its objects."""

    def __init__(
        self, uptime: Uptime, engine_id: bytes, keep: int = 256, wall: Callable[[], float] = wall_clock
    ) -> None:
        self._uptime = uptime
        self._engine_id = engine_id
        self._keep = keep
        self._wall = wall
        self._logged = 0
        self._bumped = 0
        self._kept: deque[Logged] = deque()
        self._rows = Rows()
        self._variables = Rows()

    def add(self, told: Notification) -> None:
        """Log a notification."""
        self._logged += 1
        entry = Logged(number=self._logged, ticks=self._uptime.ticks(), date=date_and_time(self._wall()), told=told)
        while len(self._kept) >= self._keep:
            self._bump(self._kept.popleft())
        self._kept.append(entry)
        self._rows.put((*_DEFAULT_LOG, entry.number), entry)
        for number, varbind in enumerate(told.varbinds, 1):
            self._variables.put((*_DEFAULT_LOG, entry.number, number), varbind)

    def _bump(self, entry: Logged) -> None:
        self._bumped += 1
        self._rows.drop((*_DEFAULT_LOG, entry.number))
        for number in range(1, len(entry.told.varbinds) + 1):
            self._variables.drop((*_DEFAULT_LOG, entry.number, number))

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield scalar((*_NLM, 1, 1), GAUGE32, lambda: self._keep)
        yield scalar((*_NLM, 1, 2), GAUGE32, lambda: 0)  # Age out: never by age.
        yield scalar((*_NLM, 2, 1), COUNTER32, lambda: self._logged)
        yield scalar((*_NLM, 2, 2), COUNTER32, lambda: self._bumped)
        log = Rows([(_DEFAULT_LOG, self)])
        yield from columns(
            _CONFIG_LOG_ENTRY,
            log,
            {
                2: (DISPLAY_STRING, lambda _: ""),
                3: (GAUGE32, lambda _: self._keep),
                4: (_ADMIN, lambda _: 1),
                5: (_OPERATIONAL, lambda _: 3),
                6: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                7: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )
        yield from columns(
            _STATS_LOG_ENTRY,
            log,
            {1: (COUNTER32, lambda _: self._logged), 2: (COUNTER32, lambda _: self._bumped)},
        )
        yield from self._entries()

    def _entries(self) -> Iterator[ObjectType]:
        yield from columns(
            _LOG_ENTRY,
            self._rows,
            {
                2: (TIME_TICKS, lambda entry: entry.ticks),
                3: (OCTET_STRING, lambda entry: entry.date),
                4: (OCTET_STRING, lambda _: self._engine_id),
                7: (OCTET_STRING, lambda _: self._engine_id),
                8: (DISPLAY_STRING, lambda entry: entry.told.context),
                9: (OBJECT_ID, lambda entry: entry.told.kind.oid),
            },
        )
        yield from columns(
            _VARIABLE_ENTRY,
            self._variables,
            {
                2: (OBJECT_ID, lambda varbind: varbind.oid),
                3: (_VALUE_TYPE, lambda varbind: _VALUE_COLUMNS[varbind.syntax.tag].kind),
                **{
                    column.number: (column.syntax, partial(_value_of, column.syntax.tag))
                    for column in _VALUE_COLUMNS.values()
                },
            },
        )


def _value_of(tag: int, varbind: VarBind) -> Reading:
    """Give the value if it is of this column's type: in the other columns it has no instance."""
    if varbind.syntax.tag != tag:
        return None
    value: Reading = varbind.value
    return value.encode() if isinstance(value, str) else value
