"""The content manager: program information for the media stations, and when a program is in service (claims 2, 11)."""

import asyncio
import logging
from collections.abc import Collection, Mapping

from aiohttp import web

from distribution_center.content.program_life import LifeFacts, state_of
from distribution_center.obstacles import Obstacles
from distribution_center.registry.repository import (
    PAGE,
    DistributionOrder,
    OrderState,
    Repository,
    WantedPrograms,
)
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.http.client import HttpClient
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable
from media_network.message_pages import first_page
from media_network.messages import content as messages
from media_network.messages.program_information import (
    ASK_CENTER_PROGRAM,
    ASK_CHANGES,
    PART_PATH,
    PUBLISH_PROGRAM,
    AskChanges,
    AskProgram,
    Changes,
    ProgramChange,
    PublishProgram,
)
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)


class ContentManager:
    """Programs and their states."""

    def __init__(self, repository: Repository, http: HttpClient, home: str) -> None:
        self._repository = repository
        self._http = http
        self._home = home
        self.obstacles = Obstacles()
        """What is in the way of orders that are not carried out yet."""

    def answer(self, table: HandlerTable) -> None:
        """Enter the content manager's verbs and resources into a table."""
        table.verb(ASK_CHANGES, self._tell_changes)
        table.verb(ASK_CENTER_PROGRAM, self._tell_program)
        table.verb(messages.PUBLISH, self._publish)
        table.verb(messages.LIST_PROGRAMS, self._list_programs)
        table.verb(messages.ASK_PROGRAM_ROW, self._tell_row)
        table.resource(PART_PATH, self._part, "A part of a program, by its digest.")

    async def at_home(self, program: ProgramHeader) -> bool:
        """Whether the home media station holds the whole program."""
        return (await self._repository.held(program.program)).get(self._home) == program.segments

    def _elsewhere(self, orders: Mapping[str, DistributionOrder]) -> list[DistributionOrder]:
        """Without the home station's: it keeps what it has stored, ordered or not."""
        return [order for station, order in orders.items() if station != self._home]

    async def row(self, program: ProgramHeader) -> messages.ProgramRow:
        """A program, and which stations hold how much of it."""
        held = await self._repository.held(program.program)
        orders = await self._repository.orders(program.program)
        kept = held.get(self._home) == program.segments
        return messages.ProgramRow(
            program=program.program,
            title=program.title,
            state=state_of(_facts(program, self._elsewhere(orders), kept=kept, now_ms=now_ms())),
            sha256=program.sha256,
            segments=program.segments,
            bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            stations=held,
            to_be_carried_out=tuple(name for name, order in orders.items() if order.state is OrderState.ORDERED),
            obstacles=self.obstacles.of(program.program),
            film_bytes=program.film_bytes,
            streams=program.streams,
            warnings=program.warnings,
            publish_at_ms=program.publish_at_ms,
            window_ends_ms=program.window_ends_ms,
        )

    async def _tell_changes(self, question: AskChanges) -> Changes:
        """What has changed after a number, as much of it as fits into a message."""
        until = await self._repository.newest_version()
        found = await self._repository.changes(question.since)
        page, more = first_page(
            ProgramChange(version=one.version, program=one.program, header=one.header) for one in found
        )
        if more or len(found) == PAGE:
            return Changes(changes=tuple(page), until=page[-1].version, more=True, now_ms=now_ms())
        # What came between the two reads is in the page, and it is all there is up to its last one.
        return Changes(changes=tuple(page), until=max([until, *(one.version for one in page)]), now_ms=now_ms())

    async def _tell_program(self, question: AskProgram) -> ProgramHeader | Refused:
        return await self._repository.program(question.program) or _unknown(question.program)

    async def _part(self, request: web.Request) -> web.StreamResponse:
        return await part_response(request, self._repository.part)

    async def _list_programs(self, question: messages.ListPrograms) -> messages.Programs:
        wanted = WantedPrograms(question.search, question.state, question.station, now_ms(), self._home)
        rows: list[messages.ProgramRow] = []
        after, more = question.after, True
        while more and len(rows) <= question.limit:
            found = await self._repository.programs(after, PAGE, wanted)
            more = len(found) == PAGE
            for program in found:
                after = program.program
                row = await self.row(program)
                if question.state in {None, row.state}:
                    rows.append(row)
                if len(rows) > question.limit:
                    break
        return messages.Programs(tuple(rows[: question.limit]), more=len(rows) > question.limit)

    async def _tell_row(self, question: messages.AskProgramRow) -> messages.ProgramRow | Refused:
        program = await self._repository.program(question.program)
        return await self.row(program) if program else _unknown(question.program)

    async def _publish(self, order: messages.Publish) -> messages.ProgramRow | Refused:
        """Claim 11: send "publish" to all media stations. One that does not hear it catches up with the feed."""
        program = await self._repository.program(order.program)
        if program is None:
            return _unknown(order.program)
        if not await self.at_home(program):
            return Refused(Reason.NOT_HERE, f"the home media station does not hold the whole of {order.program} yet")
        if order.until_ms is None and _licence_has_ended(program, now_ms()):
            detail = f"the window of {order.program} ended before it was ever published: name another end"
            return Refused(Reason.BAD_MESSAGE, detail)
        at_ms, until_ms = _service(program, order, now_ms())
        if until_ms is not None and until_ms <= max(at_ms, now_ms()):
            return Refused(Reason.BAD_MESSAGE, f"the window of {order.program} would end before it begins")
        await self._repository.publish_program(order.program, at_ms, until_ms)
        published = await self._repository.program(order.program)
        if published is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program} any more")
        logger.info("%s is published", order.program)
        stations = await self._repository.stations()
        await asyncio.gather(*(self._tell(station.station, station.director, published) for station in stations))
        return await self.row(published)

    async def _tell(self, station: str, director: str, program: ProgramHeader) -> None:
        told = await self._http.tell(Address.parse(director), PUBLISH_PROGRAM, PublishProgram(program), deadline_s=2.0)
        if told is None:
            logger.warning("%s has not heard that %s is published; it will when it registers", station, program.program)


def _licence_has_ended(program: ProgramHeader, now_ms: int) -> bool:
    """Whether its metadata have set an end that has come, and nobody another one since."""
    ends_ms = program.window_ends_ms
    return program.publish_at_ms is None and ends_ms is not None and ends_ms <= now_ms


def _service(program: ProgramHeader, order: messages.Publish, now_ms: int) -> tuple[int, int | None]:
    """When a program is to be in service: what is not said stays as it is, but for a window that has ended."""
    begins_ms, ends_ms = program.publish_at_ms, program.window_ends_ms
    if order.at_ms is not None or begins_ms is None or not program.is_in_service(now_ms):
        begins_ms = now_ms if order.at_ms is None else order.at_ms
    if order.until_ms is not None:
        ends_ms = order.until_ms
    elif ends_ms is not None and ends_ms <= now_ms:
        ends_ms = None
    return begins_ms, ends_ms


def _facts(program: ProgramHeader, orders: Collection[DistributionOrder], *, kept: bool, now_ms: int) -> LifeFacts:
    """What has happened to a program that is registered."""
    begins_ms, ends_ms = program.publish_at_ms, program.window_ends_ms
    return LifeFacts(
        cut=True,
        kept=kept,
        ordered=bool(orders),
        distributed=bool(orders) and all(order.state is OrderState.DISTRIBUTED for order in orders),
        began=begins_ms is not None and begins_ms <= now_ms,
        ended=ends_ms is not None and ends_ms <= now_ms,
    )


def _unknown(program: ProgramId) -> Refused:
    return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program}")
