"""The station's catalogue, kept on every blade: whichever directs next serves it, with the center away."""

import logging
from collections.abc import Iterable

from blade_agent.main_board.catalogue import Catalogue, digest_of
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.term import Term
from media_network.messages.program_information import (
    ASK_CATALOGUE,
    ASK_PROGRAM,
    KEEP_PROGRAM,
    AskCatalogue,
    AskProgram,
    KeepProgram,
)
from media_network.program import Program, ProgramId

logger = logging.getLogger(__name__)


class CatalogueKeeping:
    """Compares catalogues when an engine enlists; tells every change."""

    def __init__(self, term: Term, catalogue: Catalogue, roster: Roster) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster

    def enlisted(self, engine: EngineRecord, digest: str | None) -> None:
        """An engine has come with a catalogue of its own: each is to know what the other does."""
        if digest is not None and digest != self._catalogue.digest:
            self._term.tasks.create_task(self._compare(engine), name=f"compare catalogues with {engine.address}")

    def learnt(self, program: Program) -> None:
        """There is something new: every engine keeps it."""
        for engine in self._roster:
            self._term.tasks.create_task(self._tell(engine, program), name=f"{engine.address} keeps {program.program}")

    async def recall(self, engine: EngineRecord, programs: Iterable[ProgramId]) -> None:
        """Have an engine tell what is needed now and is not known here."""
        for name in programs:
            if self._catalogue.get(name) is None:
                await self._recall(engine, name)

    async def _compare(self, engine: EngineRecord) -> None:
        kept = await self._term.http.tell(engine.address, ASK_CATALOGUE, AskCatalogue())
        if kept is None:
            return
        for name, digest in kept.programs.items():
            if self._catalogue.digests.get(name) != digest:
                await self._recall(engine, name)
        for program in self._catalogue:
            if kept.programs.get(program.program) != digest_of(program):
                await self._tell(engine, program)

    async def _recall(self, engine: EngineRecord, name: ProgramId) -> None:
        program = await self._term.http.tell(engine.address, ASK_PROGRAM, AskProgram(name))
        if program and program.program == name:
            try:
                await self._catalogue.recall(program)
            except OSError as error:
                logger.warning("program %s is not kept: %s", name, error)

    async def _tell(self, engine: EngineRecord, program: Program) -> None:
        message = KeepProgram(epoch=self._term.epoch, program=program)
        await self._term.http.tell(engine.address, KEEP_PROGRAM, message)
