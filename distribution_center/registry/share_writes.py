"""The feed of how much of a program each station holds: parts of writes, as in `writes`.

A change has a number where the count that `tallying` keeps becomes another one: a further copy of a segment that is
there is no news. Of a program and a station the newest number is kept, be it that nothing is held any more.
"""

from collections.abc import Iterable

from distribution_center.registry.statements import Each, Statement, Writing

_TELL = (
    "INSERT INTO share_changes (program, station, version)"
    " VALUES ($1, $2, (SELECT 1 + coalesce(max(version), 0) FROM share_changes))"
    " ON CONFLICT (program, station) DO UPDATE SET version = excluded.version"
)


def tell(shares: Iterable[tuple[int, int]]) -> Writing:
    """Stations hold more or less of programs than they did: numbers of a program and a station."""
    yield Each(_TELL, [*shares])


def begin(now_ms: int) -> Writing:
    """The feed begins now."""
    yield Statement("INSERT INTO share_feed (begun_at_ms) VALUES ($1)", (now_ms,))


def begin_anew(now_ms: int) -> Writing:
    """Something of what the feeds have told was lost: who has followed them begins anew, at a time of its own."""
    yield Statement(
        "UPDATE share_feed SET begun_at_ms = CASE WHEN begun_at_ms < $1 THEN $1 ELSE begun_at_ms + 1 END", (now_ms,)
    )
