"""Sets of segment numbers, short on the wire: `"0-41,43"`, or a bit for each number where that is shorter.

A whole program is a few bytes whatever its length. Of one that is spread over the engines of a station each holds
segments with gaps between them: no set takes more than forty letters, or one for each six numbers up to its last.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Iterable
from itertools import groupby

SEGMENTS_PER_PROGRAM_MAX = 1_000_000
"""More than eleven days of one-second segments; bounds what a hostile range can make us build."""

_BITS = "*"
_READABLE = 40
"""Letters: ranges that are no longer are written as such, for whoever looks on."""
_OCTETS_MAX = -(-SEGMENTS_PER_PROGRAM_MAX // 8)
TEXT_LENGTH_MAX = len(_BITS) + 4 * -(-_OCTETS_MAX // 3)
"""Of any set, in letters."""

_RANGES = re.compile(r"(?:\d{1,7}(?:-\d{1,7})?(?:,\d{1,7}(?:-\d{1,7})?)*)?", re.ASCII)


def format_segments(numbers: Iterable[int]) -> str:
    """Write numbers as ascending ranges: `{0, 1, 2, 5}` is `"0-2,5"`, the empty set `""`.

    Where that is shorter: `*`, and in base64 octets whose bits say, from the lowest of the first on, which numbers are
    in the set.
    """
    ordered = sorted(set(numbers))
    runs = groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(group) for _, group in runs)]
    ranges = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)
    bits_length = len(_BITS) + 4 * -(-(ordered[-1] // 8 + 1) // 3) if ordered else 1
    return ranges if len(ranges) <= max(bits_length, _READABLE) else _BITS + _bits(ordered)


def parse_segments(text: str) -> frozenset[int]:
    """Read what `format_segments` wrote.

    Raises ValueError if the text is no set of numbers below `SEGMENTS_PER_PROGRAM_MAX`.
    """
    if text.startswith(_BITS):
        return _of_bits(text.removeprefix(_BITS))
    if not _RANGES.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a list of segment ranges")
    numbers: set[int] = set()
    previous = -1
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if not previous < low <= high < SEGMENTS_PER_PROGRAM_MAX:
            raise ValueError(f"{part!r} is out of order or out of range")
        numbers.update(range(low, high + 1))
        previous = high
    return frozenset(numbers)


def _bits(ordered: list[int]) -> str:
    octets = bytearray(ordered[-1] // 8 + 1)
    for number in ordered:
        octets[number // 8] |= 1 << number % 8
    return b64encode(octets).decode()


def _of_bits(text: str) -> frozenset[int]:
    if len(text) >= TEXT_LENGTH_MAX:
        raise ValueError("it has more bits than a program segments")
    try:
        octets = b64decode(text, validate=True)
    except BadBase64 as error:
        raise ValueError(f"{text[:40]!r} is not a set of bits") from error
    bits = f"{int.from_bytes(octets, 'little'):b}"[::-1]
    if len(bits) > SEGMENTS_PER_PROGRAM_MAX:
        raise ValueError("it has more bits than a program segments")
    return frozenset(number for number, bit in enumerate(bits) if bit == "1")
