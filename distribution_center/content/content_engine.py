"""The content engine: downloads programs from providers and brings them to the home media station (claims 2, 11).

Until the home station has a program, the content engine is the source that its engines fetch it from: it answers like
a director and an engine that hold what is in the spool.
"""

import asyncio
import logging
import random
import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

import msgspec
from aiohttp import ClientSession, web

from distribution_center.center_figures import CenterCounters
from distribution_center.content.content_manager import ContentManager
from distribution_center.content.download import download
from distribution_center.content.errors import AlreadyCut, IngestError, NameTaken
from distribution_center.content.ingest import ingest
from distribution_center.content.ingest_report import path_of
from distribution_center.content.segment_folder import segment_path
from distribution_center.content.spool import DOWNLOADS, clear_spool
from distribution_center.content.withdrawn import Withdrawn
from distribution_center.obstacles import in_words, no_answer, no_director
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import Repository, RepositoryError, Verdict
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.http.client import HttpClient
from media_network.http.refusing import refusing
from media_network.http.server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.content import IngestProgress, IngestStage
from media_network.messages.obtaining import LOCATE_SEGMENT, OBTAIN, LocateSegment, Obstacle, Obtain, SegmentLocation
from media_network.program import Program, ProgramId, ProgramState
from media_network.refusal import Reason, Refused
from media_network.segment_url import HELD_SEGMENT_PATH, asked_segment
from media_network.ticket import TicketKey

logger = logging.getLogger(__name__)

_SAY_AGAIN_S = 3.0
_JOBS_REMEMBERED = 256
_AT_ONCE = 2
_FILE, _REMOTE = "file:///", ("http://", "https://")
_URLS = (_FILE, *_REMOTE)
_LONGEST_OF_SEGMENT = 6


@dataclass(kw_only=True)
class ContentEngine:
    """Ingest orders, a few at a time, and the spool."""

    address: Address
    """Where machines speak to the center."""
    media: Address
    """Where segments of the spool are fetched."""
    spool: Path
    withdrawn: Path
    """Folder of the names of programs that were given up."""
    home: str
    """Name of the home media station."""
    repository: Repository
    registry: MediaLocationRegistry
    content_manager: ContentManager
    http: HttpClient
    rng: random.Random
    tasks: asyncio.TaskGroup
    counters: CenterCounters
    longest_segment_ms: int
    """Groups of pictures up to this are copied, if the order says nothing else."""
    storing_patience_s: float
    """How long the home media station may take no segment before an ingest is given up."""

    def __post_init__(self) -> None:
        self._withdrawn = Withdrawn(self.withdrawn)
        self._tickets = TicketKey(self.rng.randbytes(32))
        self._jobs: dict[str, IngestProgress] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._sources: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def answer(self, table: HandlerTable) -> None:
        """Enter the content engine's verbs and resources into a table."""
        table.verb(messages.INGEST, self._ingest)
        table.verb(messages.ASK_INGEST, self._ask)
        table.verb(LOCATE_SEGMENT, self._locate_segment)
        table.resource(HELD_SEGMENT_PATH, self._segment, "A segment in the spool.")

    def given_up(self) -> tuple[ProgramId, ...]:
        """Programs of which nothing is to stay anywhere."""
        return self._withdrawn.names

    def ingests(self) -> tuple[IngestProgress, ...]:
        """The ingests of late, oldest first."""
        return tuple(self._jobs.values())

    async def take_up(self) -> None:
        """Go on with what was being stored when the center stopped; clear what was not whole.

        Raises `RepositoryError`.
        """
        self.spool.mkdir(parents=True, exist_ok=True)
        for name in self._withdrawn.names:
            await self.repository.remove_program(name)
        programs = await self.repository.programs()
        clear_spool(self.spool, {program.program for program in programs})
        for program in programs:
            if (self.spool / program.program).is_dir():
                self.tasks.create_task(self._take_up(program), name=f"store {program.program}")

    async def _take_up(self, program: Program) -> None:
        """Nobody asks for it any more: it waits for its station as long as that takes, but for no space."""
        while in_the_way := await self._store(program, do_nothing):
            try:
                if in_the_way.full and not await self._is_wanted(program):
                    logger.warning("%s is given up: %s", program.program, in_the_way.sentence)
                    await self._give_up(program)
                    return
            except (RepositoryError, OSError) as error:
                logger.warning("%s cannot be given up: %s", program.program, error)
            logger.warning("%s waits to be stored: %s", program.program, in_the_way.sentence)

    async def _is_wanted(self, program: Program) -> bool:
        """Whether somebody counts on a program: it was whole once."""
        known = await self.repository.program(program.program)
        published = known is not None and known.state is not ProgramState.INACTIVE
        return published or bool(await self.repository.orders(program.program))

    async def _give_up(self, program: Program) -> None:
        """Nothing of it stays: what is at the station goes when that registers next, for as long as that takes."""
        self._withdrawn.add(program.program)
        await self.repository.remove_program(program.program)
        self.content_manager.catalogue_changed()
        shutil.rmtree(self.spool / program.program, ignore_errors=True)

    async def _ingest(self, order: messages.Ingest) -> IngestProgress | Refused:
        """Claim 11: instruct the content engine to transfer the program data into the home media station."""
        if not order.source.startswith(_URLS) and not Path(order.source).is_absolute():
            return Refused(Reason.BAD_SOURCE, f"{order.source} is neither a URL nor an absolute path")
        job = f"{self.rng.getrandbits(64):016x}"
        for oldest in list(self._jobs)[:-_JOBS_REMEMBERED]:
            del self._jobs[oldest]
        self._jobs[job] = IngestProgress(ingest=job, stage=IngestStage.DOWNLOADING, fraction=0.0)
        self.tasks.create_task(self._carry_out(job, order), name=f"ingest {job}")
        return self._jobs[job]

    async def _ask(self, question: messages.AskIngest) -> IngestProgress | Refused:
        progress = self._jobs.get(question.ingest)
        return progress or Refused(Reason.UNKNOWN_PROGRAM, f"there is no ingest {question.ingest}")

    async def _carry_out(self, job: str, order: messages.Ingest) -> None:
        async with self._at_once:
            try:
                async with self._alone_at(order.source):
                    program = await self._make_program(job, order)
                self._note(job, stage=IngestStage.STORING, fraction=0.0, program=program.program)
                await self._bring_home(job, program, order.source)
            except (IngestError, RepositoryError) as error:
                self._note(job, stage=IngestStage.FAILED, error=str(error))
            except OSError as error:
                reason = f"{order.source} was not ingested: {error.strerror} ({error.filename})"
                self._note(job, stage=IngestStage.FAILED, error=reason)
            except Exception:
                # Whatever a film, or the process that reads it, brings about: the center goes on.
                logger.exception("the ingest of %s", order.source)
                reason = f"{order.source} was not ingested: the center has met a fault of its own, its log has it"
                self._note(job, stage=IngestStage.FAILED, error=reason)

    def _alone_at(self, source: str) -> asyncio.Lock:
        """Two downloads of one source would write one file, and each would remove the other's."""
        return self._sources.setdefault(source, asyncio.Lock())

    async def _make_program(self, job: str, order: messages.Ingest) -> Program:
        def downloaded(received_bytes: int, length_bytes: int) -> None:
            self._note(job, fraction=received_bytes / length_bytes if length_bytes > 0 else 0.0)

        def converted(fraction: float) -> None:
            self._note(job, fraction=min(1.0, fraction))

        spool, remote = self.spool, order.source.startswith(_REMOTE)
        path = path_of(order.source) if order.source.startswith(_FILE) else Path(order.source)
        if remote:
            async with ClientSession() as session:
                path = await download(session, order.source, spool / DOWNLOADS, on_bytes=downloaded)
        self._note(job, stage=IngestStage.CONVERTING, fraction=0.0)
        try:
            return await ingest(
                path,
                spool,
                title=order.title or _title(order.source),
                segment_ms=order.segment_ms,
                longest_segment_ms=self._longest_segment_ms(order),
                on_progress=converted,
                admit=lambda program: self._admit(program, order.source),
                name=order.source,
            )
        finally:
            if remote:
                path.unlink(missing_ok=True)

    def _longest_segment_ms(self, order: messages.Ingest) -> int:
        """Who wants short segments does not want one that is many times as long."""
        return order.longest_segment_ms or min(self.longest_segment_ms, _LONGEST_OF_SEGMENT * order.segment_ms)

    async def _admit(self, program: Program, source: str) -> None:
        """The same film as before gives the same program only if it is cut at the same places."""
        known = await self.repository.program(program.program)
        if known is None:
            return
        if known.sha256 != program.sha256:
            raise NameTaken(source, program.program)
        if known.segments != program.segments:
            raise AlreadyCut(source, known.program, len(known.segments), _usual_ms(known))

    async def _bring_home(self, job: str, program: Program, source: str) -> None:
        known = await self.repository.program(program.program)
        if known is None and await self.repository.add_program(program) is Verdict.CONFLICT:
            await self._admit(program, source)  # another ingest was a moment faster
            raise NameTaken(source, program.program)
        self._withdrawn.discard(program.program)
        self.content_manager.catalogue_changed()

        def stored(fraction: float) -> None:
            self._note(job, fraction=fraction)

        in_the_way = await self._store(program, stored)
        if in_the_way is None:
            self._note(job, stage=IngestStage.DONE, fraction=1.0)
            return
        if known is None:
            await self._give_up(program)
        shutil.rmtree(self.spool / program.program, ignore_errors=True)
        self._note(
            job,
            stage=IngestStage.FAILED,
            error=f"the home media station did not take the program: {in_the_way.sentence}",
        )

    async def _store(self, program: Program, on_progress: Callable[[float], None]) -> "_InTheWay | None":
        """Claim 13 turned round: direct the home station to obtain the program from us.

        Returns None once it has it all, or what was in the way when patience ended.
        """
        loop = asyncio.get_running_loop()
        held, moved_at, said_at = -1, loop.time(), float("-inf")
        in_the_way = _InTheWay(f"station {self.home} takes no segment")
        while (stored := await self._stored(program)) < len(program.segments):
            now = loop.time()
            if stored != held:
                held, moved_at = stored, now
                on_progress(max(0, stored) / len(program.segments))
            if now - moved_at > self.storing_patience_s:
                return in_the_way
            if now - said_at > _SAY_AGAIN_S:
                said_at = now
                in_the_way = await self._direct_home(program) or in_the_way
            await asyncio.sleep(0.05)
        shutil.rmtree(self.spool / program.program, ignore_errors=True)
        return None

    async def _stored(self, program: Program) -> int:
        """Segments at the home media station; -1 while the registry cannot say."""
        try:
            return len((await self.repository.locations(program.program)).get(self.home, ()))
        except RepositoryError:
            return -1

    async def _direct_home(self, program: Program) -> "_InTheWay | None":
        """Give the order; returns what is in the way of it."""
        try:
            director = await self.registry.director(self.home)
            known = await self.repository.program(program.program) or program
        except RepositoryError as error:
            return _InTheWay(str(error))  # it is told again
        if director is None:
            return _InTheWay(no_director(self.home))
        source = str(self.address)
        order = Obtain(program=known, source_station="content-engine", source_director=source, copies=1)
        standing = await self.http.tell(director, OBTAIN, order, deadline_s=2.0)
        if standing is None:
            return _InTheWay(no_answer(self.home, director))
        sentence = in_words(self.home, standing)
        return _InTheWay(sentence, full=standing.obstacle is Obstacle.NO_SPACE) if sentence else None

    async def _locate_segment(self, question: LocateSegment) -> SegmentLocation | Refused:
        if not segment_path(self.spool / question.program, question.segment).is_file():
            return Refused(Reason.NOT_HERE, f"segment {question.segment} of {question.program} is not in the spool")
        ticket = self._tickets.sign(f"copy-{question.segment}", question.program)
        return SegmentLocation(media=str(self.media), ticket=ticket)

    async def _segment(self, request: web.Request) -> web.StreamResponse:
        program, number, ticket = asked_segment(request.match_info, request.query)
        if self._tickets.holder(ticket, program) != f"copy-{number}":
            return refusing(Refused(Reason.BAD_TICKET, "the ticket is not for this segment"))
        path = segment_path(self.spool / program, number)
        if not path.is_file():
            return refusing(Refused(Reason.NOT_HERE, f"segment {number} of {program} is not in the spool"))
        return web.FileResponse(path, headers={"Content-Type": "video/mp2t"})

    def _note(self, job: str, **changes: object) -> None:
        if job in self._jobs:
            self._jobs[job] = msgspec.structs.replace(self._jobs[job], **changes)
        self.counters.ingests_done += changes.get("stage") is IngestStage.DONE
        self.counters.ingests_failed += changes.get("stage") is IngestStage.FAILED


class _InTheWay(NamedTuple):
    """Why the home station does not get on."""

    sentence: str
    full: bool = False
    """Its disks are full: that is not over when somebody comes back."""


def _usual_ms(program: Program) -> int:
    """Length of most segments: the last one may be short."""
    return statistics.mode(segment.duration_ms for segment in program.segments)


def _title(source: str) -> str:
    """The last part of a path or URL, without what follows the name."""
    return Path(source.partition("?")[0]).stem or source
