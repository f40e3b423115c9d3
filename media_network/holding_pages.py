"""Pages of what is held, from whatever knows the segments of each cut."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from media_network.cut import Cut
from media_network.message_pages import first_page
from media_network.messages.holdings import Holding, Holdings
from media_network.segment_set import format_segments

_NUMBERS_MAX = 100_000
"""Segments on a page, each as often as it is counted; one cut is never parted."""


def page_of(
    cuts: Sequence[Cut], layers: Callable[[Cut], Sequence[Iterable[int]]], after: Cut | None = None
) -> Holdings:
    """The page of these cuts, which are in order, that begins after one.

    `layers` gives the segments that are there once at least, twice, and so on.
    """
    following = cuts[bisect_right(cuts, after) :] if after else cuts
    page, more = first_page(_so_many(following, layers))
    return Holdings(holdings=tuple(page), more=more or len(page) < len(following))


def _so_many(cuts: Sequence[Cut], layers: Callable[[Cut], Sequence[Iterable[int]]]) -> Iterator[Holding]:
    """As many as may be counted in one go: who says them, and who hears them, does other things beside."""
    left = _NUMBERS_MAX
    for cut in cuts:
        held = [list(layer) for layer in layers(cut)]
        yield _holding(cut, held)
        left -= sum(map(len, held))
        if left <= 0:
            return


def _holding(cut: Cut, layers: Sequence[Iterable[int]]) -> Holding:
    first, *again = map(format_segments, layers) if layers else ("",)
    return Holding(program=cut.program, table=cut.table, segments=first, again=tuple(again))
