"""Ingests (claims 2, 11), a few at a time: a source is fetched, cut into a program, and stored at home.

An ingest is a job of the center's: it goes on when whoever ordered it has gone, and when the center starts anew.
"""

import asyncio
import logging
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from distribution_center.center_figures import CenterCounters
from distribution_center.content.errors import AlreadyCut, IngestError, NameTaken
from distribution_center.content.ingest import ingest
from distribution_center.content.ingest_jobs import IngestJobs, UnfinishedIngest
from distribution_center.content.metadata.entering import entered
from distribution_center.content.packages.opening import Opening
from distribution_center.content.packages.package import Package
from distribution_center.content.providers.provider import shown
from distribution_center.content.storing import Storing
from distribution_center.content.uploads import Uploads
from distribution_center.registry.repository import Repository, RepositoryError, Verdict
from media_network.fields import ProgramId
from media_network.http.server import HandlerTable
from media_network.message_pages import first_page
from media_network.messages import content as messages
from media_network.messages.content import IngestProgress, IngestStage
from media_network.messages.verb import Done
from media_network.program import Program, joined
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_AT_ONCE = 2
_LONGEST_OF_SEGMENT = 6
_LONGEST_NUMBER = 80
_TAKING_BACK_S = 1.0
"""A headquarters that takes many back does not wait longer for one."""


@dataclass(kw_only=True)
class Ingesting:
    """The ingests that were ordered, and those who carry them out."""

    jobs: IngestJobs
    spool: Path
    opening: Opening
    storing: Storing
    repository: Repository
    rng: random.Random
    tasks: asyncio.TaskGroup
    counters: CenterCounters
    uploads: Uploads
    """Nobody else needs what was uploaded once its ingest is over."""
    longest_segment_ms: int
    """Groups of pictures up to this are copied, if the order says nothing else."""

    def __post_init__(self) -> None:
        self._carried_out: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()
        self._ending: set[str] = set()
        """They are all but over: cancelling them now would leave them without an end."""
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._beginning = asyncio.Lock()
        """Held while one is begun: the same order that is said twice at a time is one ingest."""
        self._sources: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs of ingests into a table."""
        table.verb(messages.INGEST, self._ingest)
        table.verb(messages.ASK_INGEST, self._ask)
        table.verb(messages.LIST_INGESTS, self._list)
        table.verb(messages.CANCEL_INGEST, self._cancel)
        table.verb(messages.TAKE_BACK_INGEST, self._take_back)
        table.verb(messages.ACKNOWLEDGE_INGEST, self._acknowledge)

    async def take_up(self) -> set[ProgramId]:
        """Go on with what was not over when the center stopped; gives the programs that are being stored so.

        Raises `RepositoryError`, OSError.
        """
        taken_up: set[ProgramId] = set()
        unfinished_ones = self.jobs.load()
        await self.uploads.keep_only({unfinished.order.source for unfinished in unfinished_ones})
        for unfinished in unfinished_ones:
            logger.info("the ingest of %s goes on", shown(unfinished.order.source))
            program = await self._already_cut(unfinished)
            if program:
                taken_up.add(program.program)
            self._go_on(unfinished.ingest, unfinished.order, program)
        return taken_up

    async def _already_cut(self, unfinished: UnfinishedIngest) -> ProgramHeader | None:
        """The program, if storing it is all that is left."""
        known = await self.repository.program(unfinished.program) if unfinished.program else None
        if known is None:
            return None
        in_spool = (self.spool / known.program).is_dir()
        return known if in_spool or await self.storing.content_manager.at_home(known) else None

    async def _ingest(self, order: messages.Ingest) -> IngestProgress | Refused:
        """Claim 11: instruct the content engine to transfer the program data into the home media station."""
        async with self._beginning:
            return self._ordered_before(order) or await self._begin_new(order)

    def _ordered_before(self, order: messages.Ingest) -> IngestProgress | Refused | None:
        """How far an ingest is that was ordered under this number before; None: it was not."""
        if order.ingest is None:
            return None
        before = self.jobs.ordered_as(order.ingest)
        if before is not None and before != order:
            return Refused(Reason.BAD_MESSAGE, f"ingest {order.ingest} is another one, of {shown(before.source)}")
        return self.jobs.get(order.ingest)

    async def _begin_new(self, order: messages.Ingest) -> IngestProgress | Refused:
        if refusal := self.opening.fetching.refusal(order.source):
            return Refused(Reason.BAD_SOURCE, refusal)
        return await self.begin(order)

    async def begin(self, order: messages.Ingest) -> IngestProgress | Refused:
        """Begin an ingest of what may be ingested."""
        if nobody := await self.storing.nobody_there():
            return Refused(Reason.NO_ENGINE, nobody)
        number = order.ingest or f"{self.rng.getrandbits(64):016x}"
        try:
            progress = await self.jobs.begin(number, order)
        except OSError as error:
            return Refused(Reason.IO_ERROR, f"the center cannot keep the order: {(error.strerror or '').lower()}")
        self._go_on(number, order)
        return progress

    def _go_on(self, number: str, order: messages.Ingest, cut: ProgramHeader | None = None) -> None:
        task = self.tasks.create_task(self._carry_out(number, order, cut), name=f"ingest {number}")
        self._carried_out[number] = task

        def over(_: asyncio.Task[None]) -> None:
            self._carried_out.pop(number, None)
            self._cancelled.discard(number)

        task.add_done_callback(over)

    async def _acknowledge(self, told: messages.AcknowledgeIngest) -> Done | Refused:
        try:
            await self.jobs.acknowledge(told.ingest)
        except OSError as error:
            return Refused(Reason.IO_ERROR, f"the center cannot forget it: {(error.strerror or '').lower()}")
        return Done()

    async def _ask(self, question: messages.AskIngest) -> IngestProgress | Refused:
        return self.jobs.get(question.ingest) or _no_ingest(question.ingest)

    async def _list(self, question: messages.ListIngests) -> messages.Ingests:
        page, more = first_page(self.jobs.rows_after(question.after))
        return messages.Ingests(tuple(page), more=more)

    async def _cancel(self, order: messages.CancelIngest) -> IngestProgress | Refused:
        """End an ingest, and answer when it is over: with how it is then, for it may have been done already."""
        return await self._end(order.ingest)

    async def _end(self, number: str, patience_s: float | None = None) -> IngestProgress | Refused:
        """Begin to end an ingest, and answer when it is over, or the patience."""
        if task := self._carried_out.get(number):
            if number not in self._cancelled | self._ending:
                self._cancelled.add(number)
                task.cancel()
            await asyncio.wait([task], timeout=patience_s)
        return self.jobs.get(number) or _no_ingest(number)

    async def _take_back(self, told: messages.TakeBackIngest) -> IngestProgress | Refused:
        """As `_cancel`, for who has chosen the number: whether it was ever ordered here may be unknown to him, and who
        is not told that it is over asks again.
        """
        order = told.order
        if order.ingest is None:
            return Refused(Reason.BAD_MESSAGE, "order: without a number of its own nobody can take it back")
        async with self._beginning:
            known = self._ordered_before(order)
            if known is None:
                try:
                    return await self.jobs.never(order.ingest, order)
                except OSError as error:
                    detail = f"the center cannot keep that it is taken back: {(error.strerror or '').lower()}"
                    return Refused(Reason.IO_ERROR, detail)
        return known if isinstance(known, Refused) else await self._end(order.ingest, _TAKING_BACK_S)

    async def _carry_out(self, number: str, order: messages.Ingest, cut: ProgramHeader | None) -> None:
        """From the beginning, or from where it is cut, to its end: whatever that is."""
        stage, error = IngestStage.FAILED, None
        try:
            async with self._alone_at(order.source):
                error = await self._bring_home(number, order, cut)
            stage = IngestStage.FAILED if error else IngestStage.DONE
        except asyncio.CancelledError:
            if number not in self._cancelled:
                raise  # The center stops; it goes on when that starts again.
            stage, error = IngestStage.CANCELLED, await self._leave_nothing(number, order)
        except (IngestError, RepositoryError) as problem:
            error = str(problem)
        except OSError as problem:
            error = f"{shown(order.source)} was not ingested: {problem.strerror} ({problem.filename})"
        except Exception:
            # Whatever a film, or the process that reads it, brings about: the center goes on.
            logger.exception("the ingest of %s", shown(order.source))
            error = f"{shown(order.source)} was not ingested: the center has met a fault of its own, its log has it"
        self._ending.add(number)
        self.counters.ingests_done += stage is IngestStage.DONE
        self.counters.ingests_failed += stage is IngestStage.FAILED
        try:
            await self.jobs.end(number, stage, self.uploads.in_words(error) if error else None)
            await self.uploads.let_go(order.source)
        finally:
            self._ending.discard(number)

    async def _bring_home(self, number: str, order: messages.Ingest, cut: ProgramHeader | None) -> str | None:
        """Gives what was in the way, or None: it is at home. Raises `IngestError`, `RepositoryError`, OSError."""
        if cut is not None:
            async with self._at_once:
                return await self._store(number, cut)

        def downloaded(received_bytes: int, length_bytes: int) -> None:
            self.jobs.note_bytes(number, received_bytes, length_bytes)

        async with self.opening.open(order.source, downloaded) as package:
            self.jobs.note(number, IngestStage.WAITING, 0.0)
            async with self._at_once:
                made, attachments = await self._make_program(number, order, package)
                await self._register(number, made, order.source, attachments)
                return await self._store(number, made.header)

    async def _store(self, number: str, cut: ProgramHeader) -> str | None:
        def stored(fraction: float) -> None:
            self.jobs.note(number, IngestStage.STORING, fraction)

        in_the_way = await self.storing.store(cut, stored)
        if in_the_way is None:
            return None
        await self._clear_away(number, cut.program)
        return f"the home media station did not take the program: {in_the_way.sentence}"

    async def _register(self, number: str, program: Program, source: str, attachments: Sequence[bytes]) -> None:
        known = await self.repository.program(program.name)
        await self.jobs.cut(number, program.name, fresh=known is None)
        if known is None and await self.repository.add_program(program, attachments) is Verdict.CONFLICT:
            await self._admit(program, source)  # another ingest was a moment faster
            raise NameTaken(source, program.name)

    async def _clear_away(self, number: str, program: ProgramId) -> None:
        """Remove from the spool what home did not take; and from everywhere, if nobody has counted on it."""
        if not self.jobs.is_alone_at(number, program):
            return
        if self.jobs.is_fresh(number) and not await self.storing.is_wanted(program):
            await self.storing.give_up(program)
        self.storing.clear(program)

    async def _leave_nothing(self, number: str, order: messages.Ingest) -> str | None:
        """Remove what there is of an ingest that was cancelled; gives why something stays."""
        progress = self.jobs.get(number)
        try:
            if not self._alone_at(order.source).locked():
                self.opening.forget(order.source)
            if progress and progress.program:
                await self._clear_away(number, progress.program)
        except (RepositoryError, OSError) as problem:
            logger.warning("something of the ingest of %s stays: %s", shown(order.source), problem)
            return f"something of it stays until the center starts anew: {problem}"
        return None

    def _alone_at(self, source: str) -> asyncio.Lock:
        """One source at a time: two downloads of it would write one file, and each would remove the other's."""
        return self._sources.setdefault(source, asyncio.Lock())

    async def _make_program(
        self, number: str, order: messages.Ingest, package: Package
    ) -> tuple[Program, Sequence[bytes]]:
        """The program, and the bytes of its attachments."""
        attached: list[bytes] = []

        def converted(fraction: float) -> None:
            self.jobs.note(number, IngestStage.CONVERTING, min(1.0, fraction))

        converted(0.0)
        said = package.metadata
        made = await ingest(
            package.film,
            self.spool,
            title=order.title or (said and said.title) or _title(order.source),
            segment_ms=order.segment_ms,
            longest_segment_ms=self._longest_segment_ms(order),
            on_progress=converted,
            admit=lambda program: self._admit(program, order.source),
            attach=attached.append,
            name=order.source,
        )
        if said is None:
            return made, attached
        attachments = [attachment for attachment, _ in package.parts]
        header = entered(made.header, said, attachments, now_ms())
        return replace(made, header=header), [*attached, *(octets for _, octets in package.parts)]

    def _longest_segment_ms(self, order: messages.Ingest) -> int:
        """Who wants short segments does not want one that is many times as long."""
        return order.longest_segment_ms or min(self.longest_segment_ms, _LONGEST_OF_SEGMENT * order.segment_ms)

    async def _admit(self, program: Program, source: str) -> None:
        """The same film as before gives the same program only if it is cut at the same places."""
        known = await self.repository.program(program.name)
        if known is None:
            return
        if known.sha256 != program.header.sha256:
            raise NameTaken(source, program.name)
        if known.table != program.header.table:
            octets = await self.repository.part(known.table)
            raise AlreadyCut(source, known.program, known.segments, _usual_ms(joined(known, octets or b"")))


def _no_ingest(number: str) -> Refused:
    return Refused(Reason.UNKNOWN_INGEST, f"there is no ingest {number[:_LONGEST_NUMBER]}")


def _usual_ms(program: Program) -> int:
    """Length of most segments: the last one may be short."""
    return statistics.mode(segment.duration_ms for segment in program.segments)


def _title(source: str) -> str:
    """The last part of a path or URL, without what follows the name."""
    return Path(source.partition("?")[0]).stem or source
