"""The record repository at 20h: the manager's own records, then those of every blade, each with its owner's address.

So a tool sees the whole chassis by one address; the name of a blade's sensor begins with the slot's number. What blades
said is kept over restarts of the manager, with the time at which it came to be so: a tool that has read it once need
not read it again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import DecodeError, Struct, json

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.sensor_records import HEADER_BYTES
from blade_agent.chassis_manager.slots.slot import Slot
from blade_agent.kept_octets import KeptOctets

_NAME_AT: Final = {0x01: 47, 0x02: 31, 0x03: 16}
"""Where its name stands, by the type of a record that describes a sensor. Where controllers are the manager says."""
_ASCII: Final = 0xC0
_NAME_LENGTH: Final = 0x1F
_LONGEST_NAME_BYTES: Final = 16
_TYPE: Final = 3
_LENGTH: Final = 4
_OWNER: Final = 5
_NUMBERS_A_SLOT: Final = 0x100

logger = logging.getLogger(__name__)


class _Kept(Struct, kw_only=True):
    slots: dict[int, list[bytes]] = {}
    own: list[bytes] = []
    added_at: int = 0
    erased_at: int = 0


class ChassisRepository:
    """A `RecordRepository` that follows its slots whenever it is looked at."""

    def __init__(
        self,
        own: Sequence[bytes],
        slots: Mapping[int, Slot],
        *,
        kept: KeptOctets | None,
        now: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        """Take the manager's own records, and what is called after others have come or gone."""
        self._own = list(own)
        self._slots = slots
        self._store = kept
        self._now = now
        self._changed = changed
        self._kept = self._read()
        self._records = _numbered(self._own, self._kept.slots)
        self._seen: tuple[tuple[bool, int], ...] = ()
        if self._kept.own != self._own:
            self._take(self._kept.slots)

    @property
    def records(self) -> Mapping[int, bytes]:
        """See `RecordRepository`. Those of slot n are numbered from n x 100h on."""
        self._follow()
        return self._records

    @property
    def added_at(self) -> int:
        """See `RecordRepository`."""
        self._follow()
        return self._kept.added_at

    @property
    def erased_at(self) -> int:
        """See `RecordRepository`."""
        self._follow()
        return self._kept.erased_at

    def _follow(self) -> None:
        seen = tuple(
            (_is_empty(slot), slot.facts.digest if slot.facts.surveyed else -1) for slot in self._slots.values()
        )
        if seen == self._seen:
            return
        self._seen = seen
        now = {number: records for number, slot in self._slots.items() if (records := self._of(slot))}
        if now != self._kept.slots:
            self._take(now)

    def _of(self, slot: Slot) -> list[bytes]:
        """Give what is known of the sensors of a slot; of a blade that has not said so yet, what it said before."""
        if _is_empty(slot):
            return []
        if not slot.facts.surveyed:
            return self._kept.slots.get(slot.number, [])
        records = (_of_slot(slot.number, record) for record in slot.facts.records)
        return [record for record in records if record is not None][:_NUMBERS_A_SLOT]

    def _take(self, slots: dict[int, list[bytes]]) -> None:
        before, self._records = set(self._records.values()), _numbered(self._own, slots)
        after, now = set(self._records.values()), self._now()
        self._kept.added_at = now if after - before or not self._kept.added_at else self._kept.added_at
        self._kept.erased_at = now if before - after or not self._kept.erased_at else self._kept.erased_at
        self._kept.slots, self._kept.own = slots, self._own
        self._changed()
        if self._store is not None:
            try:
                self._store.keep(json.encode(self._kept))
            except OSError as error:
                logger.warning("the records of the chassis are not kept: %s", error)

    def _read(self) -> _Kept:
        if self._store is None:
            return _Kept()
        try:
            octets = self._store.read()
            kept = json.decode(octets, type=_Kept) if octets else _Kept()
        except (OSError, DecodeError) as error:
            logger.warning("the records of the chassis are not known any more: %s", error)
            return _Kept()
        kept.slots = {number: records for number, records in kept.slots.items() if number in self._slots}
        return kept


def _of_slot(slot: int, record: bytes) -> bytes | None:
    """Give a blade's record as one of the chassis: whose it is, and in which slot; None for one of no sensor."""
    name_at = _NAME_AT.get(record[_TYPE]) if len(record) > _TYPE else None
    if name_at is None or len(record) <= name_at:
        return None
    owned = record[:_OWNER] + bytes((SlotAddress(slot).ipmb_address,)) + record[_OWNER + 1 : name_at]
    letters = record[name_at + 1 :][: record[name_at] & _NAME_LENGTH]
    if record[name_at] & _ASCII == _ASCII:
        letters = (f"{slot} ".encode() + letters)[:_LONGEST_NAME_BYTES]
    whole = owned + bytes((record[name_at] & _ASCII | len(letters),)) + letters
    return whole[:_LENGTH] + bytes((len(whole) - HEADER_BYTES,)) + whole[_LENGTH + 1 :]


def _is_empty(slot: Slot) -> bool:
    return slot.asked_once and slot.hot_swap is HotSwapState.M0_NOT_INSTALLED


def _numbered(own: Sequence[bytes], slots: Mapping[int, Sequence[bytes]]) -> dict[int, bytes]:
    numbered = dict(enumerate(own))
    for slot, records in sorted(slots.items()):
        numbered.update(enumerate(records, start=slot * _NUMBERS_A_SLOT))
    return {number: number.to_bytes(2, "little") + record[2:] for number, record in numbered.items()}
