"""The content engine: downloads programs from providers and brings them to the home media station (claims 2, 11).

Until the home station has a program, the content engine is the source that its engines fetch it from: it answers like
a director and an engine that hold what is in the spool.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from distribution_center.content.ingesting import Ingesting
from distribution_center.content.segment_folder import index_path, segment_path
from distribution_center.content.spool import clear_spool, spooled
from distribution_center.content.storing import Storing
from media_network.address import Address
from media_network.cut import Cut
from media_network.http.asker import asker_of
from media_network.http.copy_admission import refuse_copy
from media_network.http.refusing import refusing
from media_network.http.server import HandlerTable
from media_network.identity.identity import Identity
from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    REQUEST_ENGINE_TOKEN,
    EngineToken,
    LocateSegment,
    RequestEngineToken,
    SegmentLocation,
)
from media_network.refusal import Reason, Refused
from media_network.segment_url import HELD_INDEX_PATH, HELD_SEGMENT_PATH, asked_segment
from media_network.ticket import TicketKey
from media_network.tokens.engine_token import CopyRequest, EngineTokenIssuer, EngineTokenVerifier

logger = logging.getLogger(__name__)


class SpoolCopies:
    """Copies from the spool where machines show who they are: with engine tokens, which are issued here, too."""

    def __init__(self, control: Address, own: Identity, seed: bytes) -> None:
        """`control` is where they are made; the key of the tokens follows from `seed`."""
        self.control = control
        self.issuer = EngineTokenIssuer(str(own), seed)
        self.verifier = EngineTokenVerifier(str(own))
        self.verifier.take_keys(self.issuer.jwks)


class ContentEngine:
    """Ingests, and the spool as the home media station sees it."""

    def __init__(
        self,
        ingesting: Ingesting,
        storing: Storing,
        media: Address,
        tickets: TicketKey,
        copies: "SpoolCopies | None" = None,
    ) -> None:
        """`media` is where segments of the spool are fetched, with `tickets`; or where `copies` says."""
        self._ingesting = ingesting
        self._storing = storing
        self._media = media
        self._tickets = tickets
        self._copies = copies

    def answer(self, table: HandlerTable) -> None:
        """Enter the content engine's verbs and resources into a table."""
        self._ingesting.answer(table)
        table.verb(LOCATE_SEGMENT, self._locate_segment)
        table.verb(REQUEST_ENGINE_TOKEN, self._supply_token)
        table.resource(HELD_SEGMENT_PATH, self._segment, "A segment in the spool.", copied=True)
        table.resource(HELD_INDEX_PATH, self._index, "The index of a segment in the spool.", copied=True)

    async def take_up(self, tasks: asyncio.TaskGroup) -> None:
        """Go on with what was under way when the center stopped; clear what was not whole.

        Raises `RepositoryError`, OSError.
        """
        storing = self._storing
        storing.spool.mkdir(parents=True, exist_ok=True)
        programs = [known for name in spooled(storing.spool) if (known := await storing.repository.program(name))]
        clear_spool(storing.spool, {program.program for program in programs})
        taken_up = await self._ingesting.take_up()
        for program in programs:
            if program.program not in taken_up:
                tasks.create_task(storing.store_at_last(program), name=f"store {program.program}")

    async def _locate_segment(self, question: LocateSegment) -> SegmentLocation | Refused:
        if not await self._is_spooled(Cut(question.program, question.table), question.segment):
            return Refused(Reason.NOT_HERE, f"segment {question.segment} of {question.program} is not in the spool")
        ticket = self._tickets.sign(f"copy-{question.segment}", question.program)
        control = str(self._copies.control) if self._copies else ""
        return SegmentLocation(media=str(self._media), ticket=ticket, control=control)

    async def _supply_token(self, request: RequestEngineToken) -> EngineToken | Refused:
        """As a source director does (claim 26)."""
        cut = Cut(request.program, request.table)
        if self._copies is None:
            return Refused(Reason.UNABLE, "copies take no engine tokens here")
        if not await self._is_spooled(cut, request.segment):
            return Refused(Reason.NOT_HERE, f"segment {request.segment} of {request.program} is not in the spool")
        copy = CopyRequest(cut, request.segment, request.certificate)
        return EngineToken(self._copies.issuer.issue(copy, time.time()))

    async def _segment(self, request: web.Request) -> web.StreamResponse:
        return await self._file(request, segment_path, "video/mp2t")

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return await self._file(request, index_path, "application/octet-stream")

    async def _file(
        self, request: web.Request, path_of: Callable[[Path, int], Path], media_type: str
    ) -> web.StreamResponse:
        cut, number, ticket = asked_segment(request.match_info, request.query)
        if self._tickets.holder(ticket, cut.program) != f"copy-{number}":
            return refusing(Refused(Reason.BAD_TICKET, "the ticket is not for this segment"))
        if self._copies and (refused := refuse_copy(request, self._copies.verifier, cut, number)):
            asking = asker_of(request).name
            logger.info("%s is refused a copy of segment %d of %s: %s", asking, number, cut.program, refused)
            return refusing(refused)
        if not await self._is_spooled(cut, number):
            return refusing(Refused(Reason.NOT_HERE, f"segment {number} of {cut.program} is not in the spool"))
        path = path_of(self._storing.spool / cut.program, number)
        if not path.is_file():
            return refusing(Refused(Reason.NOT_HERE, f"{path.name} of {cut.program} is not in the spool"))
        return web.FileResponse(path, headers={"Content-Type": media_type})

    async def _is_spooled(self, cut: Cut, number: int) -> bool:
        """Whether the spool has a segment of this very cut. Raises RepositoryError."""
        known = await self._storing.repository.program(cut.program)
        is_cut = known is not None and known.cut == cut
        return is_cut and segment_path(self._storing.spool / cut.program, number).is_file()
