"""The ingests of late. Those that are not over are on disk: the center goes on with them when it starts anew.

One that was ordered under a number of the orderer's stays on disk when it is over, with how it ended, until its orderer
has acknowledged that: however often, and whenever, it is ordered again, it is done once.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import dropwhile
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


OUTCOMES_MAX = 1024
"""So many that nobody acknowledges are kept, the latest: who acknowledges nothing fills no disk."""


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
    outcome: IngestProgress | None = None
    """How it ended, of one whose number its orderer has chosen: kept until that one says that he knows."""


class IngestJobs:
    """Ingests by number, oldest first."""

    def __init__(self, folder: Path) -> None:
        """`folder` is for those that are not over. Raises OSError."""
        make_durable_folder(folder)
        self._folder = folder
        self._rows: dict[str, IngestRow] = {}
        self._unfinished: dict[str, UnfinishedIngest] = {}
        self._outcomes: dict[str, UnfinishedIngest] = {}
        """Those that are over and not acknowledged, the latest last."""
        self._paces: dict[str, tuple[IngestStage | None, Pace]] = {}

    def load(self) -> tuple[UnfinishedIngest, ...]:
        """What was not over when the center stopped, oldest first. Raises OSError."""
        names = [path.name for path in self._folder.iterdir() if "." not in path.name]
        kept = [unfinished for name in names if (unfinished := self._file(name).read().value)]
        for each in sorted(kept, key=lambda one: one.begun_at_s):
            if each.outcome:
                self._outcomes[each.ingest] = each
            else:
                self._show(each)
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
        unfinished = self._unfinished[ingest]
        progress = replace(
            self._rows[ingest].progress,
            stage=stage,
            fraction=float(stage is IngestStage.DONE),
            error=error,
            remaining_s=None,
        )
        over = replace(unfinished, outcome=progress) if unfinished.order.ingest else None
        try:
            await _in_thread(partial(self._keep, over) if over else partial(self._forget, ingest))
        except OSError as problem:
            # At the worst it is taken up once more, and found to be done, or to fail again.
            logger.warning("ingest %s is over, and cannot be forgotten: %s", ingest, problem)
        # Only then: who hears that it is over may look for what is left of it.
        self._rows[ingest] = replace(self._rows[ingest], progress=progress)
        self._paces.pop(ingest, None)
        del self._unfinished[ingest]
        if over:
            await self._keep_outcome(over)

    async def never(self, ingest: str, order: Ingest) -> IngestProgress:
        """It was taken back before it was begun: whenever it is ordered, it is over; durable on return.

        Raises OSError.
        """
        outcome = IngestProgress(ingest=ingest, stage=IngestStage.CANCELLED, fraction=0.0)
        over = UnfinishedIngest(ingest=ingest, order=order, begun_at_s=time.time(), outcome=outcome)
        await _in_thread(partial(self._keep, over))
        logger.info("ingest %s of %s is taken back before it was begun", ingest, shown(order.source))
        await self._keep_outcome(over)
        return outcome

    async def _keep_outcome(self, over: UnfinishedIngest) -> None:
        """Of one that is over on disk; the oldest go, if there are too many."""
        self._outcomes[over.ingest] = over
        for oldest in list(self._outcomes)[: max(0, len(self._outcomes) - OUTCOMES_MAX)]:
            logger.warning("how ingest %s ended is not kept any more: nobody has acknowledged it", oldest)
            await self._drop_outcome(oldest)

    async def acknowledge(self, ingest: str) -> None:
        """Its orderer knows how it ended; durable on return. Raises OSError."""
        if ingest in self._outcomes:
            await _in_thread(partial(self._forget, ingest))
            self._outcomes.pop(ingest, None)

    async def _drop_outcome(self, ingest: str) -> None:
        try:
            await self.acknowledge(ingest)
        except OSError as problem:
            logger.warning("ingest %s is over, and cannot be forgotten: %s", ingest, problem)
            self._outcomes.pop(ingest, None)

    def get(self, ingest: str) -> IngestProgress | None:
        """How far one is; None if it is not known, or not any more."""
        row, over = self._rows.get(ingest), self._outcomes.get(ingest)
        return row.progress if row else over.outcome if over else None

    def ordered_as(self, ingest: str) -> Ingest | None:
        """The order of one that is not over, or whose end is not acknowledged."""
        kept = self._unfinished.get(ingest) or self._outcomes.get(ingest)
        return kept.order if kept else None

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
    def unfinished(self) -> tuple[UnfinishedIngest, ...]:
        """Those that are not over."""
        return tuple(self._unfinished.values())

    @property
    def rows(self) -> tuple[IngestRow, ...]:
        """All of them."""
        return tuple(self._rows.values())

    def rows_after(self, ingest: str | None) -> tuple[IngestRow, ...]:
        """Those that were ordered after one; all if that is not among them, for the oldest are forgotten first."""
        if ingest is None or ingest not in self._rows:
            return self.rows
        return tuple(dropwhile(lambda row: row.progress.ingest != ingest, self.rows))[1:]

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
