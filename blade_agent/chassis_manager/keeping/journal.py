"""What was ordered of each slot, on disk: written before it is acted on, read when the manager starts. No I/O here
but through `DurableFile`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

Power: TypeAlias = Literal["on", "off", "unknown"]
PendingPower: TypeAlias = Literal["on", "off", "cycle", ""]


class Hold(StrEnum):
    """Why a slot is kept out of service."""

    NONE = ""
    ORDER = "order"
    """Somebody took it out on purpose. Only an order, or a hand at its handle, brings it back."""
    HEAT = "heat"
    """It was beyond a non-recoverable temperature. Ends as an order does."""
    POWER = "power"
    """The supplies could not carry it. Ends by itself when they can."""


class SlotEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One slot."""

    hold: Hold = Hold.NONE
    desired_power: Power = "unknown"
    """Of the main board; `unknown` while nobody has ordered anything."""
    releasing: bool = False
    """It may come back, and its CBC has to be told so."""
    pending_power: PendingPower = ""
    """What was ordered and has not been seen done."""
    observed_power: Power = "unknown"
    """As last seen."""


class Journal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All slots of which there is something to say."""

    slots: Mapping[int, SlotEntry] = {}

    def of(self, slot: int) -> SlotEntry:
        """Give a slot's entry."""
        return self.slots.get(slot, SlotEntry())

    def changed(self, slot: int, entry: SlotEntry) -> "Journal":
        """Give the journal with another entry for a slot."""
        return Journal(slots={**self.slots, slot: entry})


class JournalError(ValueError):
    """A journal that makes no sense."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the chassis journal cannot be read: {reason}")
        self.reason = reason


_decoder = msgspec.json.Decoder(Journal)


def journal_octets(journal: Journal) -> bytes:
    """Write a journal."""
    return msgspec.json.encode(journal) + b"\n"


def read_journal(octets: bytes) -> Journal:
    """Read a journal; what was never kept is empty.

    A power cycle that was ordered and perhaps begun is not done a second time: the main board is switched on.

    Raises JournalError: something else is in it.
    """
    if not octets:
        return Journal()
    try:
        journal = _decoder.decode(octets)
    except msgspec.MsgspecError as error:
        raise JournalError(str(error)) from error
    return Journal(slots={slot: _resumed(entry) for slot, entry in journal.slots.items()})


def _resumed(entry: SlotEntry) -> SlotEntry:
    if entry.pending_power != "cycle":
        return entry
    return msgspec.structs.replace(entry, pending_power="on")


class KeptJournal:
    """The journal as it is wanted and as it is on disk.

    What holds a blade back counts at once: if it is lost in a crash, the blade is out all the same. What switches or
    releases counts when it is kept.
    """

    def __init__(self, kept: Journal, now: float) -> None:
        self.kept = kept
        self.wanted = kept
        self.works = True
        """Whether the disk took the last change that it was given."""
        self._writing: Journal | None = None
        self._keep_from = now

    def set(self, slot: int, entry: SlotEntry) -> None:
        """Want another entry for a slot."""
        if entry != self.wanted.of(slot):
            self.wanted = self.wanted.changed(slot, entry)

    def change(self, slot: int, **changes: object) -> None:
        """Want a slot's entry with some fields changed."""
        self.set(slot, msgspec.structs.replace(self.wanted.of(slot), **changes))

    @property
    def due(self) -> float | None:
        """When `to_keep` has something to write; None when all is kept."""
        return None if self.wanted is self.kept else self._keep_from

    def to_keep(self, now: float) -> bytes | None:
        """Give what has to be written now; end with `written` or `not_written`."""
        if self.wanted is self.kept or now < self._keep_from:
            return None
        self._writing = self.wanted
        return journal_octets(self.wanted)

    def written(self) -> None:
        """Note that what `to_keep` gave is on disk."""
        if self._writing is not None:
            self.kept = self._writing
        self.works = True

    def not_written(self, retry_at: float) -> None:
        """Note that the disk did not take it."""
        self.works = False
        self._keep_from = retry_at
