"""What nobody asks a registry for whole but a test that compares."""

from collections.abc import AsyncIterator

from distribution_center.registry.repository import Repository
from media_network.program_header import ProgramHeader


async def all_programs(store: Repository) -> AsyncIterator[ProgramHeader]:
    """Every program by name."""
    page = await store.programs()
    while page:
        for header in page:
            yield header
        page = await store.programs(after=page[-1].program)


async def stations_with(store: Repository, program: str, segment: int) -> list[str]:
    """Names of the stations that hold a segment, in order."""
    return sorted(station for station, held in (await store.locations(program)).items() if segment in held)
