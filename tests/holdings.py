"""What somebody holds, as tests write it."""

from collections.abc import Mapping

from media_network.cut import Cut
from media_network.messages.holdings import Holding, Holdings


def holdings_of(held: Mapping[Cut, str], *, more: bool = False) -> Holdings:
    """A page: segments by cut, as `segment_set` writes them."""
    told = (Holding(program=cut.program, table=cut.table, segments=held[cut]) for cut in sorted(held))
    return Holdings(holdings=tuple(told), more=more)


def by_cut(page: Holdings) -> dict[Cut, str]:
    """What a page says."""
    return {holding.cut: holding.segments for holding in page.holdings}
