"""The ingests of late. Those that are not over are on disk: the center goes on with them when it starts anew."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from distribution_center.content.pace import Pace
from distribution_center.content.providers.provider import shown
from media_network.durable_file import DurableFile
from media_network.fields import ProgramId
from media_network.files import DiskFiles, make_durable_folder
from media_network.messages.content import INGESTS_SHOWN_MAX, Ingest, IngestProgress, IngestRow, IngestStage

logger = logging.getLogger(__name__)

_REBUILT = "this ingest has to be ordered again"


class UnfinishedIngest(Struct, frozen=True, kw_only=True):
    """An ingest as it is kept."""

    ingest: str
    order: Ingest
    begun_at_s: float
    """Seconds since 1970."""
    program: ProgramId | None = None
    """Once it is cut: only storing is left."""
    fresh: bool = False
    """Nobody knew the program before: nothing of it is to stay if it does not become whole."""


class IngestJobs:
    """Ingests by number, oldest first."""

    def __init__(self, folder: Path) -> None:
        """`folder` is for those that are not over. Raises OSError."""
        make_durable_folder(folder)
        self._folder = folder
        self._rows: dict[str, IngestRow] = {}
        self._unfinished: dict[str, UnfinishedIngest] = {}
        self._paces: dict[str, tuple[IngestStage | None, Pace]] = {}

    def load(self) -> tuple[UnfinishedIngest, ...]:
        """What was not over when the center stopped, oldest first. Raises OSError."""
        names = [path.name for path in self._folder.iterdir() if "." not in path.name]
        kept = [unfinished for name in names if (unfinished := self._file(name).read().value)]
        for unfinished in sorted(kept, key=lambda one: one.begun_at_s):
            self._show(unfinished)
        return tuple(self._unfinished.values())

    async def begin(self, ingest: str, order: Ingest) -> IngestProgress:
        """Begin a new one; what is returned from is durable. Raises OSError."""
        unfinished = UnfinishedIngest(ingest=ingest, order=order, begun_at_s=time.time())
        await _in_thread(partial(self._keep, unfinished))
        self._show(unfinished)
        logger.info("ingest %s of %s is ordered", ingest, shown(order.source))
        over = [row.progress.ingest for row in self._rows.values() if row.progress.is_over]
        for oldest in over[: max(0, len(self._rows) - INGESTS_SHOWN_MAX)]:
            del self._rows[oldest]
        return self._rows[ingest].progress

    async def cut(self, ingest: str, program: ProgramId, *, fresh: bool) -> None:
        """It is a program now, which has to be stored; durable on return. Raises OSError."""
        unfinished = replace(self._unfinished[ingest], program=program, fresh=fresh)
        await _in_thread(partial(self._keep, unfinished))
        self._show(unfinished)

    def note(self, ingest: str, stage: IngestStage, fraction: float, **bytes_: int | None) -> None:
        """It has got on."""
        if self._rows[ingest].progress.stage is not stage:
            logger.info("ingest %s: %s", ingest, stage)
        before, pace = self._paces.get(ingest, (None, Pace()))
        if stage is not before:
            pace = Pace()
        self._paces[ingest] = (stage, pace)
        remaining_s = pace.remaining_s(asyncio.get_running_loop().time(), fraction)
        self._change(ingest, stage=stage, fraction=fraction, remaining_s=remaining_s, **bytes_)

    def note_bytes(self, ingest: str, received_bytes: int, length_bytes: int) -> None:
        """So much of its film has come; the length is -1, or 0, while nobody knows it."""
        length = length_bytes if length_bytes > 0 else None
        fraction = min(1.0, received_bytes / length) if length else 0.0
        self.note(ingest, IngestStage.DOWNLOADING, fraction, received_bytes=received_bytes, length_bytes=length)

    async def end(self, ingest: str, stage: IngestStage, error: str | None = None) -> None:
        """It is over."""
        logger.log(
            logging.WARNING if error else logging.INFO, "ingest %s: %s%s", ingest, stage, f": {error}" if error else ""
        )
        try:
            await _in_thread(partial(self._forget, ingest))
        except OSError as problem:
            # At the worst it is taken up once more, and found to be done, or to fail again.
            logger.warning("ingest %s is over, and cannot be forgotten: %s", ingest, problem)
        # Only then: who hears that it is over may look for what is left of it.
        self._change(ingest, stage=stage, fraction=float(stage is IngestStage.DONE), error=error, remaining_s=None)
        self._paces.pop(ingest, None)
        del self._unfinished[ingest]

    def get(self, ingest: str) -> IngestProgress | None:
        """How far one is; None if it is not known, or not any more."""
        row = self._rows.get(ingest)
        return row.progress if row else None

    def is_fresh(self, ingest: str) -> bool:
        """Whether nothing of its program is to stay if that does not become whole."""
        return self._unfinished[ingest].fresh

    def making(self, program: ProgramId) -> str | None:
        """Number of an ingest that is under way and makes this program."""
        return next((one.ingest for one in self._unfinished.values() if one.program == program), None)

    def is_alone_at(self, ingest: str, program: ProgramId) -> bool:
        """Whether no other that is under way makes the same program."""
        return all(other.program != program for other in self._unfinished.values() if other.ingest != ingest)

    @property
    def rows(self) -> tuple[IngestRow, ...]:
        """All of them."""
        return tuple(self._rows.values())

    def _show(self, unfinished: UnfinishedIngest) -> None:
        self._unfinished[unfinished.ingest] = unfinished
        self._rows[unfinished.ingest] = IngestRow(
            progress=IngestProgress(
                ingest=unfinished.ingest, stage=IngestStage.WAITING, fraction=0.0, program=unfinished.program
            ),
            source=shown(unfinished.order.source),
            title=unfinished.order.title,
            begun_at_s=unfinished.begun_at_s,
        )

    def _change(self, ingest: str, **changes: object) -> None:
        row = self._rows[ingest]
        self._rows[ingest] = replace(row, progress=replace(row.progress, **changes))

    def _keep(self, unfinished: UnfinishedIngest) -> None:
        self._file(unfinished.ingest).keep(msgspec.json.encode(unfinished))

    def _forget(self, ingest: str) -> None:
        (self._folder / ingest).unlink(missing_ok=True)
        DiskFiles().sync_folder(self._folder)

    def _file(self, ingest: str) -> DurableFile[UnfinishedIngest]:
        parse = partial(msgspec.json.decode, type=UnfinishedIngest)
        return DurableFile(self._folder / ingest, parse, rebuilt=_REBUILT, keeps_before=False)


async def _in_thread(work: Callable[[], None]) -> None:
    await asyncio.get_running_loop().run_in_executor(None, work)
