"""Deletions are carried out: a wish, and what is to be moved first, is said again until it is done (claim 24)."""

import asyncio
import logging
from dataclasses import dataclass, field

from distribution_center.deletion.deleting import Deleting, Key
from distribution_center.registry.deletions import Deletion, DeletionState, Origin
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import RegisteredStation, Repository, RepositoryError
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.deletion import DELETE_HERE, MOVE_PROGRAM, DeleteHere, MoveProgram
from media_network.messages.obtaining import Obstacle
from media_network.program_header import ProgramHeader
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_ROUNDS_APART_S = 0.5
_SAY_AGAIN_S = 2.0
_SAY_AGAIN_MAX_S = 60.0
"""What does not get on is said again after a tenth of the time that it has not, and no later than this."""
_ANSWER_WITHIN_S = 2.0
_MOVED_WITHIN_S = 60.0
"""A station to which a program is moved takes some of it within so long, or another is chosen."""
_ASKED_WITHIN_MS = 600_000
"""A station that wants room, and has not asked for so long, does not want it any more."""


@dataclass
class _Saying:
    """How a deletion was said."""

    known: tuple[object, ...]
    """What it was about then; anything else is said at once."""
    since: float
    again_at: float = 0.0


@dataclass(kw_only=True)
class CarryingOut:
    """What directors are told of deletions."""

    deleting: Deleting
    repository: Repository
    registry: MediaLocationRegistry
    http: HttpClient
    media: Address
    """The center's media address: segment tables are there."""
    _sayings: dict[Key, _Saying] = field(default_factory=dict)
    _deaf: set[str] = field(default_factory=set)
    """Stations whose directors have not answered in this round: they hold up nobody else."""

    async def keep(self) -> None:
        """Carry deletions out, for ever."""
        while True:
            self.deleting.news.clear()
            try:
                await self._round()
            except RepositoryError as error:
                logger.warning("%s; deletions wait until it is there again", error)
            await asyncio.sleep(_ROUNDS_APART_S)
            try:
                async with asyncio.timeout(_SAY_AGAIN_S):
                    await self.deleting.news.wait()
            except TimeoutError:
                continue

    async def _round(self) -> None:
        """Of several processes of a center one does."""
        last, open_ones = (0, ""), set[Key]()
        if not self.repository.neighbours.leads:
            self._sayings.clear()
            return
        self._deaf.clear()
        while page := await self.repository.deletions(last):
            last = (page[-1].number, page[-1].station)
            for row in page:
                open_ones.add((row.program, row.station))
                program = await self.repository.program(row.program)
                if program:
                    await self._carry_out(row, program)
            await asyncio.sleep(0)  # others have a turn, however many wait
        self._sayings = {key: saying for key, saying in self._sayings.items() if key in open_ones}
        reasons = self.deleting.reasons
        self.deleting.reasons = {key: reason for key, reason in reasons.items() if key in open_ones}

    async def _carry_out(self, row: Deletion, program: ProgramHeader) -> None:
        if row.origin is Origin.EVICTION and now_ms() - row.asked_at_ms > _ASKED_WITHIN_MS:
            await self.repository.end_deletion(row.program, row.station)
            return
        station = await self.repository.station(row.station)
        if station is None:
            return
        moved = await self.repository.held_at(row.program, row.destination) if row.destination else 0
        saying = self._due(row, station, moved)
        if saying is None:
            return
        if row.destination and row.state is DeletionState.WISHED and moved < program.segments:
            await self._move(row, row.destination, program, station, saying)
        if row.origin is Origin.OPERATOR:
            await self._direct(row, program, station)

    def _due(self, row: Deletion, station: RegisteredStation, moved: int) -> _Saying | None:
        """How it is to be said now; None: later."""
        now = asyncio.get_running_loop().time()
        key = (row.program, row.station)
        known = (station.director, station.stamp.epoch, row.origin, row.destination, moved)
        saying = self._sayings.get(key)
        if saying is None or saying.known != known:
            saying = self._sayings[key] = _Saying(known, now)
        if now < saying.again_at:
            return None
        saying.again_at = now + min(max(_SAY_AGAIN_S, (now - saying.since) / 10), _SAY_AGAIN_MAX_S)
        return saying

    async def _direct(self, row: Deletion, program: ProgramHeader, station: RegisteredStation) -> None:
        """Say an operator's wish to the station's director."""
        director = Address.parse(station.director)
        wish = DeleteHere(program=row.program, table=program.table)
        standing = None
        if row.station not in self._deaf:
            standing = await self.http.tell(director, DELETE_HERE, wish, deadline_s=_ANSWER_WITHIN_S)
        if standing is None:
            self._deaf.add(row.station)
            reason = f"the director of station {row.station} does not answer at {director}: is it up?"
            self.deleting.reasons[row.program, row.station] = reason
        elif standing.waits:
            self.deleting.reasons[row.program, row.station] = standing.waits
        elif standing.gone and not await self.repository.held_at(row.program, row.station):
            await self.repository.end_deletion(row.program, row.station)

    async def _move(
        self, row: Deletion, to: str, program: ProgramHeader, leaving: RegisteredStation, saying: _Saying
    ) -> None:
        """Claim 24: direct a second director to copy the program, and say which station requests its deletion."""
        receiving, is_full = await self.repository.station(to), False
        order = MoveProgram(
            header=program,
            parts=str(self.media),
            leaving_station=leaving.station,
            leaving_director=leaving.director,
        )
        if receiving and to not in self._deaf:
            director = Address.parse(receiving.director)
            told = await self.http.tell(director, MOVE_PROGRAM, order, deadline_s=_ANSWER_WITHIN_S)
            self._deaf |= set() if told else {to}
            is_full = told is not None and told.obstacle is Obstacle.NO_SPACE
        if is_full or asyncio.get_running_loop().time() - saying.since > _MOVED_WITHIN_S:
            logger.warning("%s does not take %s, which is to be moved there from %s", to, row.program, row.station)
            self.deleting.shun(row.program, to)
            await self.repository.look_elsewhere(row.program, row.station)
