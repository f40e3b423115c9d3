"""What of an H.264 access unit matters for cutting (ITU-T H.264, 7.4.1): where decoding can begin."""

import re

SLICE_OF_IDR = 5
"""NAL unit type of a picture before which no later picture refers to."""
_SEQUENCE_PARAMETERS = 7
_PICTURE_PARAMETERS = 8
_START_CODE = re.compile(b"\x00\x00\x01(.)", re.DOTALL)


def unit_types(access_unit: bytes, extradata: bytes | None) -> set[int]:
    """Types of the NAL units in an access unit; `extradata` tells how they are set apart."""
    length_size = _length_size(extradata)
    if length_size:
        return _types_by_length(access_unit, length_size)
    return {match[1][0] & 0x1F for match in _START_CODE.finditer(access_unit)}


def closes_group(access_unit: bytes, extradata: bytes | None) -> bool:
    """Whether a group of pictures that refers to nothing before it begins here, with all that is needed to decode it.

    Where lengths set the units apart the parameter sets are in `extradata`, and the multiplexer repeats them.
    """
    needed = {SLICE_OF_IDR} if _length_size(extradata) else {SLICE_OF_IDR, _SEQUENCE_PARAMETERS, _PICTURE_PARAMETERS}
    return unit_types(access_unit, extradata) >= needed


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
