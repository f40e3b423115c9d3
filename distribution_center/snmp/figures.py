"""A distribution center's figures for SNMP, out of its registry, its content engine and what all of it has counted."""

from collections.abc import Mapping
from copy import copy

from distribution_center.center_figures import (
    CenterCounters,
    CenterFigures,
    IngestFigures,
    ProgramFigures,
    StationFigures,
)
from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import Repository, all_programs
from media_network.messages.content import IngestProgress, IngestStage
from media_network.program_header import ProgramHeader
from media_network.time_of_day import now_ms

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
        registry: MediaLocationRegistry,
        ingests: IngestJobs,
        counters: CenterCounters,
    ) -> None:
        self._name = name
        self._home = home
        self._repository = repository
        self._registry = registry
        self._ingests = ingests
        self._counters = counters

    async def figures(self) -> CenterFigures:
        """Put the figures of now together. Raises RepositoryError."""
        return CenterFigures(
            name=self._name,
            home=self._home,
            programs=tuple([await self._program(program) async for program in all_programs(self._repository)]),
            stations=await self._stations(),
            ingests=tuple(_ingest(row.progress) for row in self._ingests.rows),
            orders_open=await self._repository.count_open_orders(),
            counted=copy(self._counters),
        )

    async def _program(self, program: ProgramHeader) -> ProgramFigures:
        return ProgramFigures(
            program=program.program,
            title=program.title,
            published=program.is_in_service(now_ms()),
            segments=program.segments,
            length_bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            rate_bps=program.rate_bps,
            held=await self._repository.held(program.program),
        )

    async def _stations(self) -> tuple[StationFigures, ...]:
        present = self._registry.present()
        return tuple(
            StationFigures(
                station=station.station,
                home=station.station == self._home,
                director=station.director,
                epoch=station.stamp.epoch,
                engines=present[station.station].engines if station.station in present else 0,
                silent_ms=present[station.station].silent_ms if station.station in present else None,
            )
            for station in await self._repository.stations()
        )


def _ingest(progress: IngestProgress) -> IngestFigures:
    return IngestFigures(
        ingest=progress.ingest,
        program=progress.program or "",
        state=_STATES[progress.stage],
        progress=progress.fraction,
        cause=progress.error or "",
    )
