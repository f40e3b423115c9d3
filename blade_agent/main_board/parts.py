"""Parts of programs on a blade: segment tables and attachments, each in a file that is named by its digest.

A part never changes, and whoever has it is as good a source as any other: what came is right if its digest is. On the
disk are those of programs that the blade holds something of; what it only directs stays in memory, as much as fits.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from aiohttp import web

from media_network.address import Address
from media_network.durable_file import DurableFile
from media_network.fields import Sha256
from media_network.files import Files
from media_network.http.client import HttpClient
from media_network.http.parts import fetch_part, fetch_program, part_response
from media_network.http.server import HandlerTable
from media_network.messages.program_information import PART_PATH
from media_network.program import Program, joined
from media_network.program_header import ProgramHeader
from media_network.segment_table import BadTable

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_AT_HAND_BYTES = 32 * 1024 * 1024
"""Of tables that stay in memory: those of ninety programs of two hours."""
_REBUILT = "whoever has it gives it again"


class Parts:
    """What is on the disk, and the programs that were asked for last."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._at_hand: OrderedDict[Sha256, Program] = OrderedDict()
        self._at_hand_bytes = 0
        self._coming: dict[Sha256, asyncio.Task[Program | None]] = {}
        self._on_disk: set[Sha256] = set()
        """Those that were read or written since the start: a program is copied in thousands of segments."""
        self._one_at_a_time: WeakValueDictionary[Sha256, asyncio.Lock] = WeakValueDictionary()

    def at_hand(self, header: ProgramHeader) -> Program | None:
        """A program whose table is in memory."""
        found = self._at_hand.get(header.table)
        if found is None:
            return None
        self._at_hand.move_to_end(header.table)
        return found if found.header is header else Program(header, found.segments)

    async def program(self, header: ProgramHeader) -> Program | None:
        """A program whose table is here."""
        if found := self.at_hand(header):
            return found
        octets = await self.read(header.table)
        if octets is None:
            return None
        try:
            program = await _in_thread(partial(joined, header, octets))
        except BadTable as error:
            logger.warning("what is kept as the table of %s is none: %s", header.program, error)
            return None
        self._put(program)
        return program

    async def keep(self, header: ProgramHeader, octets: bytes) -> Program:
        """Take a table in; on return it survives a power cut. Raises `BadTable`, OSError."""
        program = joined(header, octets)
        await self._keep(header.table, octets)
        self._put(program)
        return program

    async def forget(self, sha256: Sha256) -> None:
        """Remove a part that no program has any more. Raises OSError."""
        if found := self._at_hand.pop(sha256, None):
            self._at_hand_bytes -= len(found.segments.octets)
        self._on_disk.discard(sha256)
        async with self._alone_with(sha256):
            await _in_thread(partial(self._remove, sha256))

    async def read(self, sha256: Sha256) -> bytes | None:
        """A part that is here."""
        async with self._alone_with(sha256):
            try:
                octets = await _in_thread(lambda: self._file(sha256).read().value)
            except OSError as error:
                logger.warning("part %s cannot be read: %s", sha256, error)
                return None
        if octets is None:
            self._on_disk.discard(sha256)  # it has rotted, maybe: whoever brings it again is to write it
        else:
            self._on_disk.add(sha256)
        return octets

    async def fetch(self, header: ProgramHeader, sources: Iterable[Address], http: HttpClient) -> Program | None:
        """A program whose table is here, or comes from the first of these who has it."""
        if found := self.at_hand(header):
            return found
        coming = self._coming.get(header.table)
        if coming is None:
            coming = asyncio.create_task(self._find(header, tuple(sources), http), name=f"table of {header.program}")
            self._coming[header.table] = coming
            coming.add_done_callback(lambda _: self._coming.pop(header.table, None))
        found = await asyncio.shield(coming)
        return Program(header, found.segments) if found else None

    async def get(self, request: web.Request) -> web.StreamResponse:
        """`GET /parts/<sha256>`."""
        return await part_response(request, self._give)

    async def hold(self, sha256: Sha256, bytes_max: int, source: Address, http: HttpClient) -> bool:
        """Have a part on the disk, whoever it belongs to; whether it is. Raises OSError."""
        if sha256 in self._on_disk or await self.read(sha256) is not None:
            return True
        octets = await fetch_part(http, source, sha256, bytes_max)
        if octets is None:
            return False
        await self._keep(sha256, octets)
        return True

    async def obtain(
        self, sha256: Sha256, bytes_max: int, sources: Iterable[Address], http: HttpClient
    ) -> bytes | None:
        """A part that is here, or comes from the first of these who has it, and is kept then."""
        if (octets := await self.read(sha256)) is not None:
            return octets
        for source in sources:
            octets = await fetch_part(http, source, sha256, bytes_max)
            if octets is not None:
                try:
                    await self._keep(sha256, octets)
                except OSError as error:
                    logger.warning("part %s cannot be kept: %s", sha256, error)
                return octets
        return None

    async def _give(self, sha256: Sha256) -> bytes | None:
        """From memory too: whoever directs has it there, and others are to hold it."""
        found = self._at_hand.get(sha256)
        return found.segments.octets if found else await self.read(sha256)

    async def _find(self, header: ProgramHeader, sources: Iterable[Address], http: HttpClient) -> Program | None:
        """On the disk, else from the first of these who has it; whoever asks meanwhile waits for the same."""
        if found := await self.program(header):
            return found
        for source in sources:
            if found := await fetch_program(http, source, header):
                self._put(found)
                return found
        return None

    async def _keep(self, sha256: Sha256, octets: bytes) -> None:
        async with self._alone_with(sha256):
            if sha256 not in self._on_disk:
                await _in_thread(partial(self._file(sha256).keep, octets))
                self._on_disk.add(sha256)

    def _alone_with(self, sha256: Sha256) -> asyncio.Lock:
        """Two that wrote one file at once would write both into it."""
        return self._one_at_a_time.setdefault(sha256, asyncio.Lock())

    def _put(self, program: Program) -> None:
        if program.header.table not in self._at_hand:
            self._at_hand_bytes += len(program.segments.octets)
        self._at_hand[program.header.table] = program
        self._at_hand.move_to_end(program.header.table)
        while self._at_hand_bytes > _AT_HAND_BYTES and len(self._at_hand) > 1:
            _, oldest = self._at_hand.popitem(last=False)
            self._at_hand_bytes -= len(oldest.segments.octets)

    def _remove(self, sha256: Sha256) -> None:
        with suppress(FileNotFoundError):
            self._files.remove(self._folder / sha256)

    def _file(self, sha256: Sha256) -> DurableFile[bytes]:
        return DurableFile(
            self._folder / sha256, partial(_check, sha256), rebuilt=_REBUILT, files=self._files, keeps_before=False
        )


def with_parts(table: HandlerTable, parts: Parts) -> HandlerTable:
    """A table that answers what every blade does, too, whatever its role."""
    table.resource(PART_PATH, parts.get, "A part of a program, by its digest.")
    return table


def _check(sha256: Sha256, octets: bytes) -> bytes:
    if hashlib.sha256(octets).hexdigest() != sha256:
        raise ValueError("its digest is another")
    return octets


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(None, work)
