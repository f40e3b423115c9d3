"""What a headquarters counts and knows, for whoever manages the network."""

from msgspec import Struct

from media_network.messages.headquarters import CenterRow


class OrderCounters(Struct, kw_only=True):
    """Downloads since the start, each counted when its center has said how it ended."""

    done: int = 0
    failed: int = 0
    cancelled: int = 0


class HeadquartersFigures(Struct, frozen=True, kw_only=True):
    """A headquarters at one moment."""

    centers: tuple[CenterRow, ...] = ()
    unasked: frozenset[str] = frozenset()
    """Those that have had no time to answer yet."""
    counted: OrderCounters
