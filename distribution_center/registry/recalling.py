"""A registry that has lost its programs asks the stations for them: directors keep the information of theirs."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from distribution_center.registry.repository import Repository, RepositoryError, Verdict
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.fields import ProgramId
from media_network.http.client import HttpClient
from media_network.http.parts import fetch_program
from media_network.messages.program_information import ASK_STATION_PROGRAM, AskProgram

logger = logging.getLogger(__name__)

_WANTED_MAX = 10_000
"""Programs that wait to be asked for; what is left out comes up again with the station's next report."""


class Recalling:
    """Asks for one program after the other, whichever station reports that it holds it."""

    def __init__(self, repository: Repository, http: HttpClient) -> None:
        self._repository = repository
        self._http = http
        self._wanted: dict[ProgramId, str] = {}
        """Station by program."""
        self._news = asyncio.Event()
        self.recalled: Callable[[str], None] = do_nothing
        """Gets each station of which programs are known again: it has to say once more what it holds of them."""

    async def note(self, station: str, programs: Iterable[ProgramId]) -> None:
        """A station reports that it holds these. Raises RepositoryError."""
        for program in programs:
            if len(self._wanted) < _WANTED_MAX and await self._repository.program(program) is None:
                self._wanted[program] = station
                self._news.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            stations: set[str] = set()
            while self._wanted:
                program, station = self._wanted.popitem()
                if await self._recall(program, station):
                    stations.add(station)
            for station in stations:
                self.recalled(station)

    async def _recall(self, name: ProgramId, station: str) -> bool:
        """Ask a station for a program; whether it is known now. What fails is wanted again with the next report."""
        try:
            registered = await self._repository.station(station)
            if registered is None:
                return False
            director = Address.parse(registered.director)
            header = await self._http.tell(director, ASK_STATION_PROGRAM, AskProgram(name), deadline_s=2.0)
            if header is None or header.program != name:
                return False
            program = await fetch_program(self._http, Address.parse(registered.media), header)
            if program is None or await self._repository.recall_program(program) is not Verdict.ACCEPTED:
                return False
        except RepositoryError as error:
            logger.warning("%s is not known again yet: %s", name, error)
            return False
        logger.info("%s is known again: %s has it", name, station)
        return True
