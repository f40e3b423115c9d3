"""The part of the registry over an SQL database that tells what it has counted, and what was withdrawn."""

from collections.abc import Sequence

from distribution_center.registry import tally_reads, withdrawal_reads
from distribution_center.registry.repository import (
    ALL_PROGRAMS,
    PAGE,
    CatalogueTally,
    FleetTally,
    NumberedProgram,
    NumberedStation,
    ProgramTally,
    RegisteredStation,
    WantedPrograms,
    Withdrawn,
)
from distribution_center.registry.sql_store import SqlStore


class TallyRepository:
    """Reads of `Repository` that count nothing."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store

    async def held(self, program: str, copies: int = 1, after: str = "", limit: int = PAGE) -> dict[str, int]:
        """See `Repository`."""
        return await self.store.read(tally_reads.held(program, copies, after, limit))

    async def held_at(self, program: str, station: str, copies: int = 1) -> int:
        """See `Repository`."""
        return await self.store.read(tally_reads.held_at(program, station, copies))

    async def least_held(self, program: str, limit: int) -> dict[str, int]:
        """See `Repository`."""
        return await self.store.read(tally_reads.least_held(program, limit))

    async def whole_at(self, program: str, after: str = "", limit: int = PAGE) -> list[RegisteredStation]:
        """See `Repository`."""
        return await self.store.read(tally_reads.whole_at(program, after, limit))

    async def whole_programs(self, stations: Sequence[str]) -> dict[str, int]:
        """See `Repository`."""
        return await self.store.read(tally_reads.whole_programs(stations)) if stations else {}

    async def program_tally(self, program: str) -> ProgramTally:
        """See `Repository`."""
        return await self.store.read(tally_reads.program_tally(program))

    async def catalogue_tally(self, now_ms: int) -> CatalogueTally:
        """See `Repository`."""
        return await self.store.read(tally_reads.catalogue_tally(now_ms))

    async def fleet_tally(self) -> FleetTally:
        """See `Repository`."""
        return await self.store.read(tally_reads.fleet_tally())

    async def numbered_stations(self, after: int = 0, limit: int = PAGE) -> list[NumberedStation]:
        """See `Repository`."""
        return await self.store.read(tally_reads.numbered_stations(after, limit))

    async def numbered_programs(self, after: int = 0, limit: int = PAGE) -> list[NumberedProgram]:
        """See `Repository`."""
        return await self.store.read(tally_reads.numbered_programs(after, limit))

    async def numbered_holdings(
        self, after: tuple[int, int] = (0, -1), limit: int = PAGE
    ) -> list[tuple[tuple[int, int], int]]:
        """See `Repository`."""
        return await self.store.read(tally_reads.numbered_holdings(after, limit))

    async def station_number(self, station: str) -> int | None:
        """See `Repository`."""
        return await self.store.read(tally_reads.station_number(station))

    async def withdrawn(
        self, after: str = "", limit: int = PAGE, wanted: WantedPrograms = ALL_PROGRAMS
    ) -> list[Withdrawn]:
        """See `Repository`."""
        return await self.store.read(withdrawal_reads.withdrawn(after, limit, wanted))

    async def withdrawn_program(self, program: str) -> Withdrawn | None:
        """See `Repository`."""
        found = await self.store.read(withdrawal_reads.withdrawn_program(program))
        return found[0] if found else None

    async def left_at(self, program: str, limit: int) -> dict[str, int]:
        """See `Repository`."""
        return await self.store.read(withdrawal_reads.left_at(program, limit))
