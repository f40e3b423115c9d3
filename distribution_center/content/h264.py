"""What of an H.264 stream matters for cutting and sending it (ITU-T H.264): where decoding can begin, and buffers."""

import re
from collections.abc import Iterator
from typing import NamedTuple

SLICE_OF_IDR = 5
"""NAL unit type of a picture before which no later picture refers to (7.4.1)."""
SLICES = range(1, 6)
"""NAL unit types that belong to the picture itself (table 7-1)."""
_SEQUENCE_PARAMETERS = 7
_PICTURE_PARAMETERS = 8
_START_CODE = re.compile(b"\x00\x00\x01(.)", re.DOTALL)
_LEVEL_1B = 9
_CONSTRAINT_SET_3 = 0x10
_BASELINE_AND_MAIN = frozenset({66, 77, 88})


class LevelLimits(NamedTuple):
    """Of a level (table A-1), in units of 1200 bit/s and 1200 bits: for byte streams of the common profiles."""

    rate: int
    """MaxBR."""
    buffer: int
    """MaxCPB."""


_LEVELS: dict[int, LevelLimits] = {
    _LEVEL_1B: LevelLimits(128, 350),
    10: LevelLimits(64, 175),
    11: LevelLimits(192, 500),
    12: LevelLimits(384, 1000),
    13: LevelLimits(768, 2000),
    20: LevelLimits(2000, 2000),
    21: LevelLimits(4000, 4000),
    22: LevelLimits(4000, 4000),
    30: LevelLimits(10_000, 10_000),
    31: LevelLimits(14_000, 14_000),
    32: LevelLimits(20_000, 20_000),
    40: LevelLimits(20_000, 25_000),
    41: LevelLimits(50_000, 62_500),
    42: LevelLimits(50_000, 62_500),
    50: LevelLimits(135_000, 135_000),
    51: LevelLimits(240_000, 240_000),
    52: LevelLimits(240_000, 240_000),
}
_HIGHEST_LEVEL = LevelLimits(240_000, 240_000)


def unit_types(access_unit: bytes, extradata: bytes | None) -> set[int]:
    """Types of the NAL units in an access unit; `extradata` tells how they are set apart."""
    length_size = _length_size(extradata)
    if length_size:
        return _types_by_length(access_unit, length_size)
    return {match[1][0] & 0x1F for match in _START_CODE.finditer(access_unit)}


def first_slice_type(access_unit: bytes | bytearray) -> int | None:
    """NAL unit type of the first slice of a byte stream; None: none has begun yet."""
    types = (match[1][0] & 0x1F for match in _START_CODE.finditer(access_unit))
    return next((one for one in types if one in SLICES), None)


def closes_group(access_unit: bytes, extradata: bytes | None) -> bool:
    """Whether a group of pictures that refers to nothing before it begins here, with all that is needed to decode it.

    Where lengths set the units apart the parameter sets are in `extradata`, and the multiplexer repeats them.
    """
    needed = {SLICE_OF_IDR} if _length_size(extradata) else {SLICE_OF_IDR, _SEQUENCE_PARAMETERS, _PICTURE_PARAMETERS}
    return unit_types(access_unit, extradata) >= needed


def level_limits(extradata: bytes | None) -> LevelLimits:
    """What the level in the sequence parameters allows; the most of all where none is found or it is unknown."""
    for profile, constraints, level in _sequence_parameters(extradata or b""):
        is_1b = level == 11 and constraints & _CONSTRAINT_SET_3 and profile in _BASELINE_AND_MAIN
        return _LEVELS.get(_LEVEL_1B if is_1b else level, _HIGHEST_LEVEL)
    return _HIGHEST_LEVEL


def rfc6381_codec(extradata: bytes | None) -> str | None:
    """What players call it: `avc1.` and profile, constraints and level in hexadecimal (RFC 6381, 3.3)."""
    found = next(_sequence_parameters(extradata or b""), None)
    return f"avc1.{found.hex()}" if found else None


def _sequence_parameters(extradata: bytes) -> Iterator[bytes]:
    """Profile, constraints and level (7.3.2.1.1) of each set of sequence parameters."""
    if _length_size(extradata):
        yield extradata[1:4]
        return
    for match in _START_CODE.finditer(extradata):
        if match[1][0] & 0x1F == _SEQUENCE_PARAMETERS and len(extradata) >= match.end() + 3:
            yield extradata[match.end() : match.end() + 3]


def _length_size(extradata: bytes | None) -> int:
    """Bytes of the length before each unit (ISO/IEC 14496-15, 5.3.3.1); 0 where start codes stand there (annex B)."""
    if extradata is None or len(extradata) < 5 or extradata[0] != 1:
        return 0
    return (extradata[4] & 3) + 1


def _types_by_length(access_unit: bytes, length_size: int) -> set[int]:
    types = set()
    place = 0
    while place + length_size < len(access_unit):
        unit = place + length_size
        types.add(access_unit[unit] & 0x1F)
        place = unit + int.from_bytes(access_unit[place:unit], "big")
    return types
