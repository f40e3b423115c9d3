"""Messages of the OEM group, version 2: what a blade measures, all of it at once, and what names what it is.

What stays is read by the standard commands, as every IPMI tool does: sensor data records and the FRU inventory. Those
carry no check of their own; the digest of both stands in the heartbeat.
"""

import zlib
from collections.abc import Iterable
from typing import Final

import construct
from msgspec import Struct

from blade_agent.backplane.command import Command, media_station
from blade_agent.backplane.layout import Layout, single_bytes

READINGS_A_MESSAGE: Final = 16
"""Sensors in one answer; a blade with more is asked again from the next one on."""
_READING_BYTES: Final = 2


class ReadingsFrom(Struct, frozen=True):
    """From which sensor on, by its number."""

    first: int


class Readings(Struct, frozen=True):
    """Sensors in the order of their numbers, two bytes each: the reading, and the flags of Get Sensor Reading.

    A number that no sensor has is 0 and 0: not scanned. The last one is that of the last sensor, or the sixteenth.
    """

    octets: bytes

    def of(self, place: int) -> tuple[int, int]:
        """Give reading and flags of the sensor at a place; 0 and 0 beyond the last one."""
        pair = self.octets[_READING_BYTES * place : _READING_BYTES * (place + 1)]
        return (pair[0], pair[1]) if len(pair) == _READING_BYTES else (0, 0)


GET_READINGS = Command(
    "Get Readings",
    media_station(0x17),
    request=Layout(ReadingsFrom, *single_bytes("first")),
    reply=Layout(
        Readings,
        "octets" / construct.GreedyBytes,
        lengths_bytes=(0, READINGS_A_MESSAGE * _READING_BYTES),
    ),
    sealed=True,
)


def facts_digest(records: Iterable[bytes], inventory: bytes) -> int:
    """Name what a blade says of itself in 32 bits: CRC-32 of its sensor data records in order, then its inventory."""
    digest = 0
    for octets in (*records, inventory):
        digest = zlib.crc32(octets, digest)
    return digest
