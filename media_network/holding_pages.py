"""Pages of what is held, from whatever knows the segments of each cut."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from media_network.cut import Cut
from media_network.message_pages import first_page
from media_network.messages.holdings import Holding, Holdings
from media_network.segment_set import format_segments


def page_of(cuts: Sequence[Cut], numbers: Callable[[Cut], Iterable[int]], after: Cut | None = None) -> Holdings:
    """The page of these cuts, which are in order, that begins after one."""
    following = cuts[bisect_right(cuts, after) :] if after else cuts
    page, more = first_page(
        Holding(program=cut.program, table=cut.table, segments=format_segments(numbers(cut))) for cut in following
    )
    return Holdings(holdings=tuple(page), more=more)
