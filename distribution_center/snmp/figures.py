"""A distribution center's figures for SNMP, out of its registry, its distribution and its content engine."""

from collections.abc import Mapping

from distribution_center.content.content_engine import ContentEngine
from distribution_center.distribution import Distribution
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import OrderState, Repository
from distribution_center.snmp.objects import CenterFigures, IngestFigures, ProgramFigures, StationFigures
from media_network.messages.content import IngestProgress, IngestStage
from media_network.program import Program, ProgramState

_STATES: Mapping[IngestStage, str] = {
    IngestStage.DOWNLOADING: "running",
    IngestStage.CONVERTING: "running",
    IngestStage.STORING: "storing",
    IngestStage.DONE: "done",
    IngestStage.FAILED: "failed",
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
        distribution: Distribution,
        content_engine: ContentEngine,
    ) -> None:
        self._name = name
        self._home = home
        self._repository = repository
        self._registry = registry
        self._distribution = distribution
        self._content_engine = content_engine

    async def figures(self) -> CenterFigures:
        """Put the figures of now together. Raises StoreError."""
        programs = await self._repository.programs()
        counters = self._registry.counters
        return CenterFigures(
            name=self._name,
            home=self._home,
            programs=tuple([await self._program(program) for program in programs]),
            stations=await self._stations(),
            ingests=tuple(map(_ingest, self._content_engine.ingests())),
            registrations=counters.registrations,
            full_reports=counters.full_reports,
            locations_added=counters.locations_added,
            locations_removed=counters.locations_removed,
            stale_refused=counters.stale_refused,
            orders_open=await self._orders_open(programs),
            orders_done=self._distribution.orders_done,
            ingests_done=self._content_engine.ingests_done,
            ingests_failed=self._content_engine.ingests_failed,
        )

    async def _program(self, program: Program) -> ProgramFigures:
        held = await self._repository.locations(program.program)
        return ProgramFigures(
            program=program.program,
            title=program.title,
            published=program.state is ProgramState.PUBLISHED,
            segments=len(program.segments),
            length_bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            rate_bps=program.rate_bps,
            held={station: len(segments) for station, segments in held.items()},
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

    async def _orders_open(self, programs: list[Program]) -> int:
        orders = [await self._repository.orders(program.program) for program in programs]
        return sum(order.state is OrderState.ORDERED for known in orders for order in known.values())


def _ingest(progress: IngestProgress) -> IngestFigures:
    return IngestFigures(
        ingest=progress.ingest,
        program=progress.program or "",
        state=_STATES[progress.stage],
        progress=progress.fraction,
        cause=progress.error or "",
    )
