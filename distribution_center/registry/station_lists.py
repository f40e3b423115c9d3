"""Which stations there are, for whoever looks and for consoles: pages by name, with what the registry has counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from distribution_center.registry.presence import Presences
from distribution_center.registry.repository import RegisteredStation, Repository
from media_network.http.server import HandlerTable
from media_network.messages import registry as messages


@dataclass(frozen=True, kw_only=True)
class StationLists:
    """Answers with them."""

    repository: Repository
    presences: Presences
    home: str

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs into a table."""
        table.verb(messages.LIST_STATIONS, self._list_stations)
        table.verb(messages.LIST_DOORS, self._list_doors)

    async def _list_stations(self, question: messages.ListStations) -> messages.Stations:
        if question.only:
            return messages.Stations(await self._rows(await self._named(question.only)))
        found = await self.repository.stations(question.after, question.limit + 1, begins=question.begins)
        return messages.Stations(await self._rows(found[: question.limit]), more=len(found) > question.limit)

    async def _rows(self, stations: Sequence[RegisteredStation]) -> tuple[messages.StationRow, ...]:
        now = asyncio.get_running_loop().time()
        whole = await self.repository.whole_programs([each.station for each in stations])
        return tuple(
            messages.StationRow(
                station=each.station,
                director=each.director,
                media=each.media,
                epoch=each.stamp.epoch,
                engines=presence.engines,
                programs=whole.get(each.station, 0),
                home=each.station == self.home,
                silent_ms=int(presence.silent_s(now) * 1000),
            )
            for each in stations
            for presence in [self.presences.known(each.station)]
        )

    async def _list_doors(self, question: messages.ListDoors) -> messages.Doors:
        if question.station is not None:
            return messages.Doors(tuple(map(self._door, await self._named([question.station]))))
        limit = question.limit + 1
        if question.program is None:
            found = await self.repository.stations(question.after, limit)
        else:
            found = await self.repository.whole_at(question.program, question.after, limit)
        return messages.Doors(tuple(map(self._door, found[: question.limit])), more=len(found) == limit)

    def _door(self, station: RegisteredStation) -> messages.StationDoor:
        return messages.StationDoor(station=station.station, media=station.media, home=station.station == self.home)

    async def _named(self, names: Sequence[str]) -> list[RegisteredStation]:
        found = [await self.repository.station(name) for name in names]
        return [station for station in found if station]
