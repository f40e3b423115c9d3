"""Rows of a table that are not in memory, for it has any number of them: they are sought by index when somebody asks.

A walk costs as much a row at fifty thousand rows as at ten. What was sought is kept for a few seconds, a window of rows
each time, so that the columns of a row, and the rows behind it, are read once.

Readers do not wait. Who asks for what is not known yet gets `RowsAway`; whoever answers managers fetches, and answers
then.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from media_network.snmp.ber import Oid

ROWS_AT_ONCE = 128
"""As many as one request may ask for."""
_WINDOWS_MAX = 64
_FRESH_S = 5.0

Fetch = Callable[[Oid, int], Awaitable[list[tuple[Oid, Any]]]]
"""Gives the rows behind an index, in order, no more than a number of them; it may be behind no row, or at -1."""


class RowsAway(Exception):
    """What is asked for is not in memory. `fetch` brings it; it may raise whatever its source does."""

    def __init__(self, fetch: Callable[[], Awaitable[None]]) -> None:
        super().__init__("rows have to be fetched first")
        self.fetch = fetch


class _Window(NamedTuple):
    """All rows behind an index, up to the last of them; if it is the last window, to the end."""

    after: Oid
    indexes: list[Oid]
    rows: list[Any]
    is_last: bool
    fetched_at: float

    def is_about(self, index: Oid) -> bool:
        """Whether it is known from here what comes behind an index."""
        return self.after <= index and (self.is_last or index < self.indexes[-1])


class SoughtRows:
    """The instances of a table that has `width` numbers in its index."""

    def __init__(self, fetch: Fetch, width: int, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._width = width
        self._clock = clock
        self._windows: deque[_Window] = deque(maxlen=_WINDOWS_MAX)

    def after(self, index: Oid) -> list[tuple[Oid, Any]]:
        """Some rows behind an index, in order; none: there are none. Raises RowsAway."""
        for window in reversed(self._windows):
            if window.is_about(index) and self._is_fresh(window):
                at = bisect_right(window.indexes, index)
                return list(zip(window.indexes[at:], window.rows[at:], strict=True))
        raise RowsAway(partial(self._bring, index))

    def find(self, index: Oid) -> Any:
        """Give the row of an index, None if there is none. Raises RowsAway."""
        if len(index) != self._width:
            return None
        before = (*index[:-1], index[-1] - 1)
        return next((row for found, row in self.after(before)[:1] if found == index), None)

    async def _bring(self, index: Oid) -> None:
        key = (*index[: self._width], *(-1 for _ in range(self._width - len(index))))
        rows = await self._fetch(key, ROWS_AT_ONCE)
        self._windows.append(
            _Window(
                after=index,
                indexes=[found for found, _ in rows],
                rows=[row for _, row in rows],
                is_last=len(rows) < ROWS_AT_ONCE,
                fetched_at=self._clock(),
            )
        )

    def _is_fresh(self, window: _Window) -> bool:
        return self._clock() - window.fetched_at < _FRESH_S
