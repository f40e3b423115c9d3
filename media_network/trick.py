"""Trick play: a stream at another speed than the program's own, by its key pictures alone (claim 21)."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count

SCALE_MAX = 16
"""So many times its own speed a program goes at most, either way."""


class Trick(Struct, frozen=True, kw_only=True):
    """A turn at another speed: key pictures alone, at the program's rate (docs/protocols/streams.md, "Speed")."""

    scale: Annotated[int, Meta(ge=-SCALE_MAX, le=SCALE_MAX)]
    """So many times as fast; negative: backwards."""
    entered: Count
    """Packets of the program that lie before the place where the stream came to this speed."""
    packets: Count
    """Of the turn, if it is not cut short; `packet`, wherever it is said of the turn, counts these."""
    clock: int
    """What the stream's clock shows with the first of them, in packets since the beginning of the program."""
    before: Count
    """Packets of the program before its segment."""


SCALES = (-16, -8, -4, -2, 1, 2, 4, 8, SCALE_MAX)
"""The speeds that there are, in those of the program; negative: backwards."""


def used_scale(wanted: float) -> int:
    """The speed that there is and that comes nearest to what is wanted; the program's own for none at all."""
    wanted = max(-SCALE_MAX, min(SCALE_MAX, wanted))
    able = [scale for scale in SCALES if scale * wanted > 0] or [1]
    return min(able, key=lambda scale: max(scale / wanted, wanted / scale) if wanted else scale)
