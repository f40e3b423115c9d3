"""The system event log (SEL): what happened on this blade, in records of 16 bytes (IPMI 2.0, chapters 31 and 32)."""

import logging
import struct
from collections.abc import Callable
from typing import Final

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.messages.sensor import EVENT_MESSAGE_REVISION
from blade_agent.kept_octets import KeptOctets

RECORD_BYTES: Final = 16
CAPACITY: Final = 512
_HIGHEST_ID: Final = 0xFFFE
_HEADER: Final = struct.Struct("<2sHBII3x")
"""Before the records that are kept: an id that no record has, the last id, flags, and when something came and went."""
_HEADER_ID: Final = b"\xff\xff"
_HAS_OVERFLOWED: Final = 0x01
_SYSTEM_EVENT: Final = 0x02
_HAS_TIMESTAMP_BELOW: Final = 0xE0
"""Record types from E0h on are the writer's from the fourth byte (IPMI 2.0, table 32-1)."""

logger = logging.getLogger(__name__)


class EventLog:
    """At most `CAPACITY` records. A full one keeps nothing new, and says that it has overflowed."""

    def __init__(self, wall_s: Callable[[], float], *, generator: int, kept: KeptOctets | None = None) -> None:
        self._wall_s = wall_s
        self._clock_offset_s = 0.0
        self._generator = generator
        self._kept = kept
        self.records: dict[int, bytes] = {}
        self.overflowed = False
        self.logging_enabled = True
        self.store_works = True
        self.added_at = 0
        self.erased_at = 0
        self._last_id = 0
        self._restore()

    @property
    def time(self) -> int:
        """Seconds since 1970 by the log's clock."""
        return max(0, int(self._wall_s() + self._clock_offset_s)) & 0xFFFFFFFF

    def set_time(self, time: int) -> None:
        """Set the log's clock, and no other."""
        self._clock_offset_s = time - self._wall_s()

    @property
    def free_bytes(self) -> int:
        """Room left."""
        return (CAPACITY - len(self.records)) * RECORD_BYTES

    def note(self, event: SensorEvent, *, generator: int | None = None) -> int | None:
        """Add a record of an event; give its id, None when it was not kept."""
        if not self.logging_enabled:
            return None
        source = self._generator if generator is None else generator
        direction = 0 if event.asserted else 0x80
        octets = bytes((event.sensor_type, event.sensor, direction | event.reading_type))
        head = bytes((0, 0, _SYSTEM_EVENT, 0, 0, 0, 0)) + source.to_bytes(2, "little")
        return self.add(head + bytes([EVENT_MESSAGE_REVISION]) + octets + event.data)

    def add(self, record: bytes) -> int | None:
        """Add a record of 16 bytes, with an id and, where its type has one, a time of its own; None when full."""
        if len(self.records) >= CAPACITY:
            if not self.overflowed:
                self.overflowed = True
                self._keep()
            return None
        self._last_id = self._next_id()
        self.added_at = self.time
        stamp = self.added_at.to_bytes(4, "little") if record[2] < _HAS_TIMESTAMP_BELOW else record[3:7]
        self.records[self._last_id] = self._last_id.to_bytes(2, "little") + record[2:3] + stamp + record[7:]
        self._keep()
        return self._last_id

    def remove(self, record_id: int) -> None:
        """Remove one record. Raises KeyError."""
        del self.records[record_id]
        self.erased_at = self.time
        self._keep()

    def clear(self) -> None:
        """Remove all records."""
        self.records.clear()
        self.overflowed = False
        self.erased_at = self.time
        self._keep()

    def _next_id(self) -> int:
        candidate = self._last_id
        while True:
            candidate = candidate % _HIGHEST_ID + 1
            if candidate not in self.records:
                return candidate

    def _restore(self) -> None:
        if self._kept is None:
            return
        try:
            octets = self._kept.read()
        except OSError as error:
            self._store_failed(error)
            return
        if octets[:2] == _HEADER_ID:
            self._read_header(octets[:RECORD_BYTES])
            octets = octets[RECORD_BYTES:]
        whole = len(octets) // RECORD_BYTES * RECORD_BYTES
        for start in range(0, min(whole, CAPACITY * RECORD_BYTES), RECORD_BYTES):
            record = octets[start : start + RECORD_BYTES]
            self.records[int.from_bytes(record[:2], "little")] = record
        self._last_id = self._last_id or max(self.records, default=0)

    def _read_header(self, header: bytes) -> None:
        """Ids and times go on where they were, also of a log that was cleared."""
        _, self._last_id, flags, self.added_at, self.erased_at = _HEADER.unpack(header)
        self.overflowed = bool(flags & _HAS_OVERFLOWED)

    def _keep(self) -> None:
        if self._kept is None:
            return
        try:
            flags = _HAS_OVERFLOWED if self.overflowed else 0
            header = _HEADER.pack(_HEADER_ID, self._last_id, flags, self.added_at, self.erased_at)
            self._kept.keep(header + b"".join(self.records.values()))
        except OSError as error:
            self._store_failed(error)
        else:
            self.store_works = True

    def _store_failed(self, error: OSError) -> None:
        """Go on in memory; the self test tells."""
        self.store_works = False
        logger.warning("the system event log is not kept: %s", error)
