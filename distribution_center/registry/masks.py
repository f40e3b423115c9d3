"""Sets of segments as bit masks: 63 segments a chunk, the bits of a signed 64-bit integer that stays positive."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

CHUNK_SEGMENTS = 63


def place(segment: int) -> tuple[int, int]:
    """Chunk and mask of one segment."""
    chunk, bit = divmod(segment, CHUNK_SEGMENTS)
    return chunk, 1 << bit


def masks(segments: Iterable[int]) -> dict[int, int]:
    """Masks of a set of segments by chunk."""
    result: defaultdict[int, int] = defaultdict(int)
    for segment in segments:
        chunk, mask = place(segment)
        result[chunk] |= mask
    return dict(result)


def segments(chunk: int, mask: int) -> Iterator[int]:
    """The segments of one chunk, in order."""
    while mask:
        lowest = mask & -mask
        yield chunk * CHUNK_SEGMENTS + lowest.bit_length() - 1
        mask ^= lowest
