"""Programs as operators, consoles and headquarters are told of them: a row each, of what the registry has counted.

A row is as long, and costs as much, at ten thousand stations as at ten; of a list so much is told as fits a message.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from distribution_center.content.program_life import LifeFacts, state_of
from distribution_center.obstacles import Obstacles
from distribution_center.registry.repository import PAGE, OrdersElsewhere, Repository, WantedPrograms, Withdrawn
from media_network.fields import ProgramId
from media_network.http.server import HandlerTable
from media_network.message_pages import first_page
from media_network.messages import content as messages
from media_network.messages.content import STATIONS_TOLD_MAX, ProgramRow, ProgramState
from media_network.program_header import AttachmentKind, ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms

_OPEN_TOLD_MAX = STATIONS_TOLD_MAX // 2
_GONE = (ProgramState.WITHDRAWN, ProgramState.DELETED)


@dataclass(frozen=True, kw_only=True)
class ProgramRows:
    """Tells them."""

    repository: Repository
    obstacles: Obstacles
    home: str

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs into a table."""
        table.verb(messages.LIST_PROGRAMS, self._list)
        table.verb(messages.ASK_PROGRAM_ROW, self._tell)

    async def row(self, program: ProgramHeader) -> ProgramRow:
        """A program, and how much of it some stations hold. Raises `RepositoryError`."""
        name = program.program
        at_home = await self.repository.held_at(name, self.home)
        elsewhere = await self.repository.orders_elsewhere(name, self.home)
        opened = await self.repository.open_orders_of(name, _OPEN_TOLD_MAX)
        tally = await self.repository.program_tally(name)
        least = await self.repository.least_held(name, STATIONS_TOLD_MAX)
        told = {self.home: at_home} | opened
        others = [(station, segments) for station, segments in least.items() if station not in told]
        told |= dict(others[: STATIONS_TOLD_MAX - len(told)])
        return ProgramRow(
            program=name,
            title=program.title,
            state=state_of(_facts(program, elsewhere, kept=at_home == program.segments, now_ms=now_ms())),
            sha256=program.sha256,
            segments=program.segments,
            bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            stations={station: segments for station, segments in sorted(told.items()) if segments},
            holding=tally.stations,
            whole=tally.whole,
            to_be_carried_out=tuple(opened),
            obstacles=self.obstacles.of(name, STATIONS_TOLD_MAX),
            film_bytes=program.film_bytes,
            streams=program.streams,
            warnings=program.warnings,
            publish_at_ms=program.publish_at_ms,
            window_ends_ms=program.window_ends_ms,
            rate_bps=program.rate_bps,
            picture=next((part.sha256 for part in program.attachments if part.kind is AttachmentKind.PICTURE), None),
        )

    async def unknown(self, program: ProgramId) -> Refused:
        """There is no such program; in which state it is if there was one. Raises `RepositoryError`."""
        gone = await self.repository.withdrawn_program(program)
        if gone is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program}")
        return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program} any more", _state_of_gone(gone))

    async def _tell(self, question: messages.AskProgramRow) -> ProgramRow | Refused:
        program = await self.repository.program(question.program)
        return await self.row(program) if program else await self.unknown(question.program)

    async def _list(self, question: messages.ListPrograms) -> messages.Programs:
        rows = [row async for row in self._found(question)]
        page, is_cut = first_page(rows[: question.limit])
        return messages.Programs(tuple(page), more=is_cut or len(rows) > question.limit)

    async def _found(self, question: messages.ListPrograms) -> AsyncIterator[ProgramRow]:
        """What is asked for, and one more."""
        if question.only:
            for name in question.only:
                if program := await self.repository.program(name):
                    yield await self.row(program)
            return
        wanted = WantedPrograms(question.search, question.state, question.station, now_ms(), self.home)
        found = 0
        async for row in self._gone(question, wanted) if question.state in _GONE else self._there(question, wanted):
            yield row
            found += 1
            if found > question.limit:
                return

    async def _there(self, question: messages.ListPrograms, wanted: WantedPrograms) -> AsyncIterator[ProgramRow]:
        after, more = question.after, True
        while more:
            found = await self.repository.programs(after, PAGE, wanted)
            more = len(found) == PAGE
            for program in found:
                after = program.program
                row = await self.row(program)
                if question.state in {None, row.state}:
                    yield row

    async def _gone(self, question: messages.ListPrograms, wanted: WantedPrograms) -> AsyncIterator[ProgramRow]:
        for gone in await self.repository.withdrawn(question.after, question.limit + 1, wanted):
            stations = await self.repository.left_at(gone.program, STATIONS_TOLD_MAX) if gone.is_left else {}
            yield ProgramRow(
                program=gone.program,
                title=gone.title or "",
                state=_state_of_gone(gone),
                sha256=gone.sha256,
                segments=gone.segments or 0,
                bytes=gone.length_bytes or 0,
                duration_ms=gone.duration_ms or 0,
                stations=stations,
                holding=len(stations),
                whole=sum(segments == gone.segments for segments in stations.values()),
                rate_bps=gone.rate_bps,
            )


def _state_of_gone(gone: Withdrawn) -> ProgramState:
    return state_of(LifeFacts(cut=True, withdrawn=True, let_go=not gone.is_left))


def _facts(program: ProgramHeader, elsewhere: OrdersElsewhere, *, kept: bool, now_ms: int) -> LifeFacts:
    """What has happened to a program that is registered. The home station keeps what it has stored, ordered or not."""
    begins_ms, ends_ms = program.publish_at_ms, program.window_ends_ms
    return LifeFacts(
        cut=True,
        kept=kept,
        ordered=elsewhere.some,
        distributed=elsewhere.some and not elsewhere.open,
        began=begins_ms is not None and begins_ms <= now_ms,
        ended=ends_ms is not None and ends_ms <= now_ms,
    )
