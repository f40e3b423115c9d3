"""A center's programs and stations, and where segments are, by number: some rows at a time, as managers walk them."""

import asyncio
from dataclasses import dataclass

from distribution_center.center_figures import ProgramFigures, StationFigures
from distribution_center.registry.presence import Presences
from distribution_center.registry.repository import NumberedStation, Repository
from media_network.snmp.ber import Oid
from media_network.time_of_day import now_ms


@dataclass(frozen=True, kw_only=True)
class CenterTables:
    """Gives rows behind an index. All raise RepositoryError."""

    repository: Repository
    presences: Presences
    home: str

    async def programs(self, after: Oid, limit: int) -> list[tuple[Oid, ProgramFigures]]:
        """By number of the program."""
        now = now_ms()
        return [
            (
                (number,),
                ProgramFigures(
                    program=header.program,
                    title=header.title,
                    published=header.is_in_service(now),
                    segments=header.segments,
                    length_bytes=header.length_bytes,
                    duration_ms=header.duration_ms,
                    rate_bps=header.rate_bps,
                    whole=whole,
                ),
            )
            for number, header, whole in await self.repository.numbered_programs(after[0], limit)
        ]

    async def stations(self, after: Oid, limit: int) -> list[tuple[Oid, StationFigures]]:
        """By number of the station."""
        found = await self.repository.numbered_stations(after[0], limit)
        return [((each.number,), self._figures(each)) for each in found]

    async def holdings(self, after: Oid, limit: int) -> list[tuple[Oid, int]]:
        """Segments, by number of program and station."""
        return [*await self.repository.numbered_holdings((after[0], after[1]), limit)]

    async def station(self, name: str) -> StationFigures | None:
        """One station."""
        number = await self.repository.station_number(name)
        if number is None:
            return None
        found = await self.repository.numbered_stations(number - 1, 1)
        return self._figures(found[0]) if found else None

    def _figures(self, known: NumberedStation) -> StationFigures:
        station = known.station
        presence = self.presences.get(station.station)
        silent_s = self.presences.silent_s(station.station, asyncio.get_running_loop().time())
        return StationFigures(
            number=known.number,
            station=station.station,
            home=station.station == self.home,
            director=station.director,
            epoch=station.stamp.epoch,
            engines=presence.engines if presence else 0,
            whole=known.whole,
            silent_ms=None if silent_s is None else int(silent_s * 1000),
        )
