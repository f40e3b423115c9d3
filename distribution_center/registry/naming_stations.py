"""Stations in a sentence: a few of them, however many there are."""

from collections.abc import Sequence

from distribution_center.registry.repository import Repository
from media_network.refusal import Reason, Refused

_NAMED = 20


def in_short(names: Sequence[str]) -> str:
    """The first of some names, and that there are others."""
    more = ", and others" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


async def no_such_station(repository: Repository, name: str) -> Refused:
    """The refusal of whatever names it, with some that there are. Raises `RepositoryError`."""
    known = in_short(await repository.station_names(_NAMED + 1))
    return Refused(Reason.UNKNOWN_STATION, f"there is no station {name}; there are: {known}")
