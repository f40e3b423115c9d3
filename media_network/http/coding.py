"""Whether who asks takes a body in gzip (RFC 9110, 12.5.3)."""

import re

_CODINGS_MAX = 16
"""More of them nobody knows: what stands behind is not heard."""
_CODING = re.compile(r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*[qQ]=([01](?:\.[0-9]{0,3})?)[ \t]*)?")
_GZIP = frozenset({"gzip", "x-gzip"})


def takes_gzip(accept_encoding: str) -> bool:
    """Whether the header names it, or anything, and does not forbid it. A part that means nothing is left out."""
    weights: dict[str, float] = {}
    for part in accept_encoding.split(",", _CODINGS_MAX)[:_CODINGS_MAX]:
        if found := _CODING.fullmatch(part):
            weights[found[1].lower()] = float(found[2] or 1)
    named = [weight for coding, weight in weights.items() if coding in _GZIP]
    return max(named, default=weights.get("*", 0.0)) > 0
