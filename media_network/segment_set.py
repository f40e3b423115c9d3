"""Sets of segment numbers, short on the wire: `"0-41,43"`.

An inventory names every segment an engine holds; as ranges, a whole program is a few bytes whatever its length.
"""

import re
from collections.abc import Iterable
from itertools import groupby

SEGMENTS_PER_PROGRAM_MAX = 1_000_000
"""More than eleven days of one-second segments; bounds what a hostile range can make us build."""

_RANGES = re.compile(r"(?:\d{1,7}(?:-\d{1,7})?(?:,\d{1,7}(?:-\d{1,7})?)*)?", re.ASCII)


def format_segments(numbers: Iterable[int]) -> str:
    """Write numbers as ascending ranges: `{0, 1, 2, 5}` is `"0-2,5"`, the empty set `""`."""
    ordered = sorted(set(numbers))
    runs = groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(group) for _, group in runs)]
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def parse_segments(text: str) -> frozenset[int]:
    """Read what `format_segments` wrote.

    Raises ValueError if the text is not ascending ranges below `SEGMENTS_PER_PROGRAM_MAX`.
    """
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
