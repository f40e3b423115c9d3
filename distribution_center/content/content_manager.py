"""The content manager: program information for the media stations, and when a program is in service (claims 2, 11)."""

import asyncio
import logging

from aiohttp import web

from distribution_center.content.program_rows import ProgramRows
from distribution_center.obstacles import Obstacles
from distribution_center.registry.repository import RegisteredStation, Repository, all_stations
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable
from media_network.messages import content as messages
from media_network.messages.program_information import (
    ASK_CENTER_PROGRAM,
    PART_PATH,
    PUBLISH_PROGRAM,
    AskProgram,
    PublishProgram,
)
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_TOLD_AT_ONCE = 64
_TELL_WITHIN_S = 4.0
_NAMED_MAX = 5


class ContentManager:
    """Programs and their states."""

    def __init__(self, repository: Repository, http: HttpClient, home: str) -> None:
        self._repository = repository
        self._http = http
        self._home = home
        self.obstacles = Obstacles()
        """What is in the way of orders that are not carried out yet."""
        self.rows = ProgramRows(repository=repository, obstacles=self.obstacles, home=home)

    def answer(self, table: HandlerTable) -> None:
        """Enter the content manager's verbs and resources into a table."""
        table.verb(ASK_CENTER_PROGRAM, self._tell_program)
        table.verb(messages.PUBLISH, self._publish)
        table.resource(PART_PATH, self._part, "A part of a program, by its digest.")
        self.rows.answer(table)

    async def at_home(self, program: ProgramHeader) -> bool:
        """Whether the home media station holds the whole program."""
        return await self._repository.held_at(program.program, self._home) == program.segments

    async def _tell_program(self, question: AskProgram) -> ProgramHeader | Refused:
        return await self._repository.program(question.program) or await self.rows.unknown(question.program)

    async def _part(self, request: web.Request) -> web.StreamResponse:
        return await part_response(request, self._repository.part)

    async def _publish(self, order: messages.Publish) -> messages.ProgramRow | Refused:
        """Claim 11: send "publish" to all media stations. One that does not hear it catches up with the feed."""
        program = await self._repository.program(order.program)
        if program is None:
            return await self.rows.unknown(order.program)
        if not await self.at_home(program):
            detail = f"the home media station does not hold the whole of {order.program} yet"
            return Refused(Reason.NOT_READY, detail, (await self.rows.row(program)).state)
        if order.until_ms is None and _licence_has_ended(program, now_ms()):
            detail = f"the window of {order.program} ended before it was ever published: name another end"
            return Refused(Reason.NOT_READY, detail, (await self.rows.row(program)).state)
        at_ms, until_ms = _service(program, order, now_ms())
        if until_ms is not None and until_ms <= max(at_ms, now_ms()):
            detail = f"the window of {order.program} would end before it begins"
            return Refused(Reason.BAD_MESSAGE, detail)
        await self._repository.publish_program(order.program, at_ms, until_ms)
        published = await self._repository.program(order.program)
        if published is None:
            return await self.rows.unknown(order.program)
        logger.info("%s is published", order.program)
        await self._tell_all(published)
        return await self.rows.row(published)

    async def _tell_all(self, program: ProgramHeader) -> None:
        """Tell every station, so many at once; whoever orders it is not kept waiting for a large fleet."""
        room = asyncio.Semaphore(_TOLD_AT_ONCE)
        untold: list[str] = []

        async def tell(station: RegisteredStation) -> None:
            if not await self._tell(station.director, program):
                untold.append(station.station)
            room.release()

        try:
            async with asyncio.timeout(_TELL_WITHIN_S), asyncio.TaskGroup() as tasks:
                async for station in all_stations(self._repository):
                    await room.acquire()
                    tasks.create_task(tell(station), name=f"publish {program.program} at {station.station}")
        except TimeoutError:
            logger.info("not every station has been told of %s by itself: they hear of it by the feed", program.program)
        if untold:
            some = ", ".join(untold[:_NAMED_MAX])
            said = (len(untold), some, program.program)
            logger.warning("%d stations (%s) have not heard that %s is published; they will when they register", *said)

    async def _tell(self, director: str, program: ProgramHeader) -> bool:
        message = PublishProgram(program)
        return await self._http.tell(Address.parse(director), PUBLISH_PROGRAM, message, deadline_s=2.0) is not None


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
