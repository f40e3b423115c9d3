"""Program information at the station, as the content manager gave it (claim 2).

Kept on every blade's own disk, an engine's too: whichever blade directs next, with the distribution center away, it
serves what the director before it served.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from media_network.callback import do_nothing
from media_network.durable_file import DurableFile
from media_network.files import Files
from media_network.program import Program, ProgramId, ProgramState

logger = logging.getLogger(__name__)

_DIGEST_HEX_DIGITS = 32
_SUFFIX = ".json"
_REBUILT = "the center, or another blade of the station, says it again"


class Catalogue:
    """Programs by name, durable in one folder, one JSON file each."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._programs: dict[ProgramId, Program] = {}
        self._writing = asyncio.Lock()
        self._digest: str | None = None
        self._digests: dict[ProgramId, str] = {}
        self.learnt: Callable[[Program], None] = do_nothing
        """Called with each program that is new or has changed, once it is durable."""
        self.changes = 0
        """Grows with every change."""
        self.version: int | None = None
        """The center's version of what is here; None until it was asked."""

    def forget_listener(self) -> None:
        """Whoever wanted to know what is learnt does not any more."""
        self.learnt = do_nothing

    async def load(self) -> None:
        """Read what an earlier director on this blade was told."""
        loop = asyncio.get_running_loop()
        for program in await loop.run_in_executor(None, self._read_all):
            self._programs[program.program] = program
        self._digest = None

    @property
    def digests(self) -> dict[ProgramId, str]:
        """Each program by a digest of its information."""
        for name in self._programs.keys() - self._digests.keys():
            self._digests[name] = digest_of(self._programs[name])
        return self._digests

    @property
    def digest(self) -> str:
        """Of everything: of two catalogues with the same one neither knows more."""
        if self._digest is None:
            everything = "".join(f"{name} {digest}\n" for name, digest in sorted(self.digests.items()))
            self._digest = hashlib.sha256(everything.encode()).hexdigest()[:_DIGEST_HEX_DIGITS]
        return self._digest

    def __iter__(self) -> Iterator[Program]:
        return iter(tuple(self._programs.values()))

    def get(self, program: ProgramId) -> Program | None:
        """A program, or None."""
        return self._programs.get(program)

    def published(self, program: ProgramId) -> Program | None:
        """A program in service, or None."""
        found = self._programs.get(program)
        return found if found and found.state is ProgramState.PUBLISHED else None

    async def learn(self, programs: Iterable[Program]) -> None:
        """Take program information in; what is returned from is durable. Raises OSError."""
        await self._take(programs, lambda known, said: known != said)

    async def meet(self, program: Program) -> None:
        """Take in a program that is not known; of one that is, what is said may be older. Raises OSError."""
        await self._take([program], lambda known, _: known is None)

    async def recall(self, program: Program) -> None:
        """Take in what another blade of the station has kept: it may be older than what is here. Raises OSError."""
        await self._take(
            [program],
            lambda known, said: known is None or (known != said and said.state is ProgramState.PUBLISHED),
        )

    async def _take(self, programs: Iterable[Program], wanted: Callable[[Program | None, Program], bool]) -> None:
        """Take in what is `wanted` beside what is known by the time it would be written: others write meanwhile."""
        loop = asyncio.get_running_loop()
        async with self._writing:
            for program in programs:
                if wanted(self._programs.get(program.program), program):
                    await loop.run_in_executor(None, self._write, program)
                    self._programs[program.program] = program
                    self._digests.pop(program.program, None)
                    self._digest = None
                    self.changes += 1
                    self.learnt(program)

    async def forget(self, programs: Iterable[ProgramId]) -> None:
        """Let go of program information; what is returned from is durable. Raises OSError."""
        loop = asyncio.get_running_loop()
        async with self._writing:
            for name in programs:
                if name in self._programs:
                    await loop.run_in_executor(None, self._remove, name)
                    del self._programs[name]
                    self._digests.pop(name, None)
                    self._digest = None
                    self.changes += 1

    def _remove(self, name: ProgramId) -> None:
        with suppress(FileNotFoundError):
            self._files.remove(self._folder / f"{name}.json")
        self._files.sync_folder(self._folder)

    def _read_all(self) -> list[Program]:
        self._files.make_folder(self._folder)
        self._files.sync_folder(self._folder.parent)
        names = [name for name in self._files.list_folder(self._folder) if name.endswith(_SUFFIX)]
        return [program for name in names if (program := self._read(self._folder / name))]

    def _read(self, path: Path) -> Program | None:
        try:
            return self._file(path).read().value
        except OSError as error:
            # The distribution center will say it again; the other programs go on meanwhile.
            logger.warning("%s cannot be used: %s", path, error)
            return None

    def _write(self, program: Program) -> None:
        self._file(self._folder / f"{program.program}{_SUFFIX}").keep(msgspec.json.encode(program))

    def _file(self, path: Path) -> DurableFile[Program]:
        parse = partial(_parse, path.name.removesuffix(_SUFFIX))
        return DurableFile(path, parse, rebuilt=_REBUILT, files=self._files, keeps_before=False)


def _parse(name: str, octets: bytes) -> Program:
    program = msgspec.json.decode(octets, type=Program)
    if program.program != name:
        raise ValueError(f"it is about {program.program}")
    return program


def digest_of(program: Program) -> str:
    """A digest of program information."""
    return hashlib.sha256(msgspec.json.encode(program)).hexdigest()[:_DIGEST_HEX_DIGITS]
