"""The content manager: program information for the media stations, and when a program is in service (claims 2, 11)."""

import asyncio
import logging
import zlib

import msgspec

from distribution_center.registry.repository import Repository, Verdict
from media_network.address import Address
from media_network.http_client import HttpClient
from media_network.http_server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.director import PUBLISH_PROGRAM, PublishProgram
from media_network.messages.registry import LIST_CATALOGUE, Catalogue, ListCatalogue
from media_network.program import Program, ProgramState
from media_network.refusal import Reason, Refused

_log = logging.getLogger(__name__)


class ContentManager:
    """Programs and their states."""

    def __init__(self, repository: Repository, http: HttpClient, home: str) -> None:
        self._repository = repository
        self._http = http
        self._home = home
        self._version: int | None = None

    def answer(self, table: HandlerTable) -> None:
        """Enter the content manager's verbs into a table."""
        table.verb(LIST_CATALOGUE, self._list_catalogue)
        table.verb(messages.PUBLISH, self._publish)
        table.verb(messages.LIST_PROGRAMS, self._list_programs)

    def catalogue_version(self) -> int:
        """Differs whenever a program or its state does; the same after a restart."""
        if self._version is None:
            self._version = zlib.crc32(msgspec.json.encode(self._repository.programs()))
        return self._version

    def catalogue_changed(self) -> None:
        """A program came, went or changed its state."""
        self._version = None

    def at_home(self, program: Program) -> bool:
        """Whether the home media station holds the whole program."""
        held = self._repository.locations(program.program).get(self._home, frozenset())
        return len(held) == len(program.segments)

    def row(self, program: Program) -> messages.ProgramRow:
        """A program, and which stations hold how much of it."""
        locations = self._repository.locations(program.program)
        return messages.ProgramRow(
            program=program.program,
            title=program.title,
            state=program.state,
            sha256=program.sha256,
            segments=len(program.segments),
            bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            stations={station: len(held) for station, held in sorted(locations.items())},
        )

    async def _list_catalogue(self, _: ListCatalogue) -> Catalogue:
        return Catalogue(version=self.catalogue_version(), programs=tuple(self._repository.programs()))

    async def _list_programs(self, _: messages.ListPrograms) -> messages.Programs:
        return messages.Programs(tuple(self.row(program) for program in self._repository.programs()))

    async def _publish(self, order: messages.Publish) -> Program | Refused:
        """Claim 11: send "publish" to all media stations. One that does not hear it catches up with the catalogue."""
        program = self._repository.program(order.program)
        if program is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program}")
        if not self.at_home(program):
            return Refused(Reason.NOT_HERE, f"the home media station does not hold the whole of {order.program} yet")
        verdict = await self._repository.set_state(order.program, ProgramState.PUBLISHED)
        if verdict is Verdict.UNKNOWN_PROGRAM:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program} any more")
        self.catalogue_changed()
        published = msgspec.structs.replace(program, state=ProgramState.PUBLISHED)
        stations = self._repository.stations()
        await asyncio.gather(*(self._tell(station.station, station.director, published) for station in stations))
        return published

    async def _tell(self, station: str, director: str, program: Program) -> None:
        told = await self._http.tell(Address.parse(director), PUBLISH_PROGRAM, PublishProgram(program), deadline_s=2.0)
        if told is None:
            _log.warning("%s has not heard that %s is published; it will when it registers", station, program.program)
