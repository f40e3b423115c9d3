"""Program information at the station, as the content manager gave it (claim 2).

Kept on the blade's own disk: a director that restarts while the distribution center is away serves what it served.
"""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from blade_agent.files import Files
from media_network.program import Program, ProgramId, ProgramState

_log = logging.getLogger(__name__)


class Catalogue:
    """Programs by name, durable in one folder, one JSON file each."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._programs: dict[ProgramId, Program] = {}
        self._writing = asyncio.Lock()
        self.version: int | None = None
        """The center's version of what is here; None until it was asked."""

    async def load(self) -> None:
        """Read what an earlier director on this blade was told."""
        loop = asyncio.get_running_loop()
        for program in await loop.run_in_executor(None, self._read_all):
            self._programs[program.program] = program

    def get(self, program: ProgramId) -> Program | None:
        """A program, or None."""
        return self._programs.get(program)

    def published(self, program: ProgramId) -> Program | None:
        """A program in service, or None."""
        found = self._programs.get(program)
        return found if found and found.state is ProgramState.PUBLISHED else None

    async def learn(self, programs: Iterable[Program]) -> None:
        """Take program information in; what is returned from is durable. Raises OSError."""
        loop = asyncio.get_running_loop()
        async with self._writing:
            for program in programs:
                if self._programs.get(program.program) != program:
                    await loop.run_in_executor(None, self._write, program)
                    self._programs[program.program] = program

    def _read_all(self) -> list[Program]:
        self._files.make_folder(self._folder)
        self._files.sync_folder(self._folder.parent)
        names = [name for name in self._files.list_folder(self._folder) if name.endswith(".json")]
        return [program for name in names if (program := self._read(self._folder / name))]

    def _read(self, path: Path) -> Program | None:
        try:
            with self._files.read(path) as file:
                return msgspec.json.decode(file.read(), type=Program)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            # The distribution center will say it again; the other programs go on meanwhile.
            _log.warning("%s cannot be used: %s", path, error)
            return None

    def _write(self, program: Program) -> None:
        path = self._folder / f"{program.program}.json"
        temporary = path.with_suffix(".new")
        if temporary.name in self._files.list_folder(self._folder):
            self._files.remove(temporary)
        file = self._files.append(temporary)
        try:
            file.write(msgspec.json.encode(program))
            file.sync()
        finally:
            file.close()
        self._files.rename(temporary, path)
        self._files.sync_folder(self._folder)
