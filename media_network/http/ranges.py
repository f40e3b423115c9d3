"""Which bytes of a resource a request wants (RFC 9110, 14)."""

import re

_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE | re.ASCII)


def asked_range(header: str, length_bytes: int) -> tuple[int, int] | None:
    """First byte, and the one after the last, that a `Range` header wants; the two are equal where there is none.

    None: all of it. A header that means nothing is ignored, and so is one that wants several ranges (RFC 9110, 14.2).
    """
    wanted = _RANGE.fullmatch(header)
    if wanted is None:
        return None
    if wanted[3] is not None:
        return length_bytes - min(int(wanted[3]), length_bytes), length_bytes
    first = int(wanted[1])
    last = int(wanted[2]) if wanted[2] else length_bytes - 1
    if wanted[2] and last < first:
        return None
    return min(first, length_bytes), min(last + 1, length_bytes)
