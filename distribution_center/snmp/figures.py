"""A distribution center's figures for SNMP, out of its registry, its content engine and what all of it has counted.

Nothing is counted for them, and nobody looks through programs or stations: the registry keeps the sums, and stations
that speak are in the order in which they were heard.
"""

import asyncio
from collections.abc import Iterable, Mapping
from copy import copy

from distribution_center.center_figures import CenterCounters, CenterFigures, IngestFigures, StationFigures
from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.registry.presence import Presences
from distribution_center.registry.repository import Repository
from distribution_center.snmp.tables import CenterTables
from media_network.messages.content import IngestProgress, IngestStage
from media_network.time_of_day import now_ms

_SILENT_S = 15.0
"""A director registers every few seconds; after this it is not only slow."""

_STATES: Mapping[IngestStage, str] = {
    IngestStage.WAITING: "waiting",
    IngestStage.DOWNLOADING: "running",
    IngestStage.CONVERTING: "running",
    IngestStage.STORING: "storing",
    IngestStage.DONE: "done",
    IngestStage.FAILED: "failed",
    IngestStage.CANCELLED: "cancelled",
}


class CenterView:
    """A center as it is when it is asked. Reads its registry, so it may wait."""

    def __init__(
        self,
        *,
        name: str,
        home: str,
        repository: Repository,
        presences: Presences,
        ingests: IngestJobs,
        counters: CenterCounters,
    ) -> None:
        self._name = name
        self._home = home
        self._repository = repository
        self._presences = presences
        self._ingests = ingests
        self._counters = counters
        self.tables = CenterTables(repository=repository, presences=presences, home=home)
        self._silent: frozenset[str] = frozenset()
        """Stations, when that was looked at last."""
        self._looked_at = float("-inf")

    async def figures(self) -> CenterFigures:
        """Put the figures of now together. Raises RepositoryError."""
        now = asyncio.get_running_loop().time()
        catalogue = await self._repository.catalogue_tally(now_ms())
        fleet = await self._repository.fleet_tally()
        silent = frozenset(self._presences.silent(now, _SILENT_S))
        new = self._presences.first_heard_after(self._looked_at)
        figures = CenterFigures(
            name=self._name,
            home=self._home,
            programs=catalogue.programs,
            published=catalogue.in_service,
            program_segments=catalogue.segments,
            stations=fleet.stations,
            silent=len(silent),
            held_segments=fleet.segments,
            fell_silent=await self._stations(silent - self._silent),
            came_back=await self._stations({*(self._silent - silent), *new} - silent),
            ingests=tuple(_ingest(row.progress) for row in self._ingests.rows),
            orders_open=await self._repository.count_open_orders(),
            registry_troubles=dict(self._repository.troubles),
            counted=copy(self._counters),
        )
        # Only now: what could not be read is told the next time.
        self._silent, self._looked_at = silent, now
        return figures

    async def _stations(self, names: Iterable[str]) -> tuple[StationFigures, ...]:
        found = [await self.tables.station(name) for name in sorted(names)]
        return tuple(station for station in found if station)


def _ingest(progress: IngestProgress) -> IngestFigures:
    return IngestFigures(
        ingest=progress.ingest,
        program=progress.program or "",
        state=_STATES[progress.stage],
        progress=progress.fraction,
        cause=progress.error or "",
    )
