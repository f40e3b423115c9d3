"""Message of the OEM group, version 2: which blades of the station have reported, and where they are (claim 7).

The chassis manager is the one that knows: it is wired to its slots. It tells the director, and only what has changed.
"""

from typing import Any, Final

import construct
from msgspec import Struct

from blade_agent.backplane.command import Command, media_station
from blade_agent.backplane.layout import ADDRESS, NOTHING, Layout
from blade_agent.backplane.slot_address import SLOTS
from media_network.address import Address

BLADES_A_MESSAGE: Final = 4
_ENTRY = construct.Struct("slot" / construct.Int8ub, "address" / ADDRESS)
_ENTRY_BYTES: Final = 7


class SlotBlade(Struct, frozen=True):
    """Where machines speak to the blade in a slot; None: nowhere, it is not one of the station's any more."""

    slot: int
    address: Address | None


class NoteBlades(Struct, frozen=True):
    """Slots about which there is news, at most `BLADES_A_MESSAGE`; all others stay as they were told before."""

    blades: tuple[SlotBlade, ...]


def _blades(octets: Any, _context: Any) -> tuple[SlotBlade, ...]:
    content = bytes(octets)
    if len(content) % _ENTRY_BYTES:
        message = f"{len(content)} bytes are no whole number of blades"
        raise construct.ValidationError(message)
    entries = [_ENTRY.parse(content[at : at + _ENTRY_BYTES]) for at in range(0, len(content), _ENTRY_BYTES)]
    if any(not 1 <= entry.slot <= SLOTS for entry in entries):
        message = "a slot that no chassis has"
        raise construct.ValidationError(message)
    return tuple(SlotBlade(entry.slot, entry.address) for entry in entries)


def _octets(blades: Any, _context: Any) -> bytes:
    return b"".join(_ENTRY.build({"slot": blade.slot, "address": blade.address}) for blade in blades)


NOTE_BLADES = Command(
    "Note Blades",
    media_station(0x16),
    request=Layout(
        NoteBlades,
        "blades" / construct.ExprAdapter(construct.GreedyBytes, _blades, _octets),
        lengths_bytes=(_ENTRY_BYTES, BLADES_A_MESSAGE * _ENTRY_BYTES),
    ),
    reply=NOTHING,
    sealed=True,
)
