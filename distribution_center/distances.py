"""How far zones are from each other, as the settings of the center say."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Zone
from media_network.messages.sources import Kilometres


class ZonePair(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far two zones are from each other, there and back."""

    zones: Annotated[tuple[Zone, ...], Meta(min_length=2, max_length=2, description="a list of two zones")]
    km: Kilometres

    def __post_init__(self) -> None:
        """Refuse a pair that is one zone; ValueError says which."""
        if len(set(self.zones)) < len(self.zones):
            raise ValueError(f"both zones are {self.zones[0]!r}: within a zone the distance is 0")


class DistanceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far zones are from each other. Within a zone it is 0 km."""

    default_km: Kilometres = 1000.0
    """Between zones of which nothing is said; a station without a zone is that far from all that have one."""
    between: Annotated[tuple[ZonePair, ...], Meta(max_length=10_000, description="a list of pairs of zones")] = ()

    def __post_init__(self) -> None:
        """Refuse a pair that is named twice; ValueError says which."""
        seen = set()
        for pair in self.between:
            zones = frozenset(pair.zones)
            if zones in seen:
                raise ValueError(f"the distance between {' and '.join(pair.zones)} stands twice")
            seen.add(zones)


class Distances:
    """A table of distances."""

    def __init__(self, settings: DistanceSettings) -> None:
        self._default_km = settings.default_km
        self._between = dict(_both_ways(settings.between))

    def km(self, one: str, other: str) -> float:
        """From one zone to another."""
        return 0.0 if one == other else self._between.get((one, other), self._default_km)


def _both_ways(pairs: Iterable[ZonePair]) -> Iterable[tuple[tuple[str, str], float]]:
    for pair in pairs:
        one, other = pair.zones
        yield (one, other), pair.km
        yield (other, one), pair.km
