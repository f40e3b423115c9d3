"""What the registry tells of shares: reads, as in `reads`."""

from distribution_center.registry.reads import Read
from distribution_center.registry.repository import FeedStanding, ShareChange

_SHARES = (
    "SELECT share_changes.version, programs.program, stations.station, coalesce(held.segments, 0), programs.segments"
    " FROM share_changes JOIN programs ON programs.number = share_changes.program"
    " JOIN stations ON stations.number = share_changes.station LEFT JOIN held"
    " ON held.station = stations.station AND held.program = share_changes.program AND held.copies = 1"
    " WHERE share_changes.version > $1 ORDER BY share_changes.version LIMIT $2"
)
_STANDING = "SELECT begun_at_ms, coalesce((SELECT max(version) FROM share_changes), 0) FROM share_feed"


def shares(since: int, limit: int) -> Read[list[ShareChange]]:
    """See `Repository`."""
    return Read(_SHARES, (since, limit), lambda rows: [ShareChange(*row) for row in rows])


def share_feed() -> Read[FeedStanding]:
    """See `Repository`."""
    return Read(_STANDING, (), lambda rows: FeedStanding(*next(iter(rows))))
