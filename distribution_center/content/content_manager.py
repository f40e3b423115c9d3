"""The content manager: program information for the media stations, and when a program is in service (claims 2, 11)."""

import asyncio
import logging
import zlib

import msgspec

from distribution_center.obstacles import Obstacles
from distribution_center.registry.repository import Repository, Verdict
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.program_information import PUBLISH_PROGRAM, PublishProgram
from media_network.messages.registry import LIST_CATALOGUE, CatalogueListing, ListCatalogue
from media_network.program import Program, ProgramState
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)


class ContentManager:
    """Programs and their states."""

    def __init__(self, repository: Repository, http: HttpClient, home: str) -> None:
        self._repository = repository
        self._http = http
        self._home = home
        self.obstacles = Obstacles()
        """What is in the way of orders that are not carried out yet."""
        self._version: int | None = None
        self._changes = 0

    def answer(self, table: HandlerTable) -> None:
        """Enter the content manager's verbs into a table."""
        table.verb(LIST_CATALOGUE, self._list_catalogue)
        table.verb(messages.PUBLISH, self._publish)
        table.verb(messages.LIST_PROGRAMS, self._list_programs)

    async def catalogue_version(self) -> int:
        """Differs whenever a program or its state does; the same after a restart."""
        if self._version is not None:
            return self._version
        changes = self._changes
        version = zlib.crc32(msgspec.json.encode(await self._repository.programs()))
        if changes == self._changes:  # nothing came while the programs were read
            self._version = version
        return version

    def catalogue_changed(self) -> None:
        """A program came, went or changed its state."""
        self._version = None
        self._changes += 1

    async def at_home(self, program: Program) -> bool:
        """Whether the home media station holds the whole program."""
        held = (await self._repository.locations(program.program)).get(self._home, frozenset())
        return len(held) == len(program.segments)

    async def row(self, program: Program) -> messages.ProgramRow:
        """A program, and which stations hold how much of it."""
        locations = await self._repository.locations(program.program)
        return messages.ProgramRow(
            program=program.program,
            title=program.title,
            state=program.state,
            sha256=program.sha256,
            segments=len(program.segments),
            bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            stations={station: len(held) for station, held in sorted(locations.items())},
            obstacles=self.obstacles.of(program.program),
            film_bytes=program.film_bytes,
            streams=program.streams,
            warnings=program.warnings,
        )

    async def _list_catalogue(self, _: ListCatalogue) -> CatalogueListing:
        return CatalogueListing(
            version=await self.catalogue_version(), programs=tuple(await self._repository.programs())
        )

    async def _list_programs(self, _: messages.ListPrograms) -> messages.Programs:
        return messages.Programs(tuple([await self.row(program) for program in await self._repository.programs()]))

    async def _publish(self, order: messages.Publish) -> Program | Refused:
        """Claim 11: send "publish" to all media stations. One that does not hear it catches up with the catalogue."""
        program = await self._repository.program(order.program)
        if program is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program}")
        if not await self.at_home(program):
            return Refused(Reason.NOT_HERE, f"the home media station does not hold the whole of {order.program} yet")
        verdict = await self._repository.set_state(order.program, ProgramState.PUBLISHED)
        if verdict is Verdict.UNKNOWN_PROGRAM:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program} any more")
        self.catalogue_changed()
        published = msgspec.structs.replace(program, state=ProgramState.PUBLISHED)
        stations = await self._repository.stations()
        await asyncio.gather(*(self._tell(station.station, station.director, published) for station in stations))
        return published

    async def _tell(self, station: str, director: str, program: Program) -> None:
        told = await self._http.tell(Address.parse(director), PUBLISH_PROGRAM, PublishProgram(program), deadline_s=2.0)
        if told is None:
            logger.warning("%s has not heard that %s is published; it will when it registers", station, program.program)
