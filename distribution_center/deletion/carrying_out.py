"""Deletions are carried out: a wish, and what is to be moved first, is said again until it is done (claim 24)."""

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial

from distribution_center.deletion.deleting import DeletionRequests, Key
from distribution_center.obstacles import no_answer, refusal
from distribution_center.registry.deletions import Deletion, DeletionState, Origin
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import RegisteredStation, Repository, RepositoryError
from distribution_center.telling_directors import TellingDirectors
from media_network.address import Address
from media_network.messages.deletion import DELETE_HERE, MOVE_PROGRAM, DeleteHere, MoveProgram
from media_network.messages.obtaining import Obstacle, ObtainStanding
from media_network.program_header import ProgramHeader
from media_network.refusal import Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_ROUNDS_APART_S = 0.5
_SAY_AGAIN_S = 2.0
_SAY_AGAIN_MAX_S = 60.0
"""What does not get on is said again after a tenth of the time that it has not, and no later than this."""
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

    deleting: DeletionRequests
    repository: Repository
    registry: MediaLocationRegistry
    telling: TellingDirectors
    media: Address
    """The center's media address: segment tables are there."""
    _sayings: dict[Key, _Saying] = field(default_factory=dict)

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
            self._direct(row, program, station)

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

    def _direct(self, row: Deletion, program: ProgramHeader, station: RegisteredStation) -> None:
        """Say an operator's wish to the station's director."""
        director = Address.parse(station.director)
        if self.telling.has_room(director):
            wish = DeleteHere(program=row.program, table=program.table)
            self.telling.tell_later(director, (DELETE_HERE, row.program), partial(self._say, wish, row, director))
        elif self.telling.is_deaf(director):
            self.deleting.reasons[row.program, row.station] = no_answer(row.station, director)

    async def _say(self, wish: DeleteHere, row: Deletion, director: Address) -> bool:
        standing = await self.telling.ask(director, DELETE_HERE, wish)
        reasons, key = self.deleting.reasons, (row.program, row.station)
        if standing is None:
            reasons[key] = no_answer(row.station, director)
        elif isinstance(standing, Refused):
            reasons[key] = refusal(row.station, standing)
        elif standing.waits:
            reasons[key] = standing.waits
        elif standing.gone and not await self.repository.held_at(row.program, row.station):
            await self.repository.end_deletion(row.program, row.station)
        return standing is not None

    async def _move(
        self, row: Deletion, to: str, program: ProgramHeader, leaving: RegisteredStation, saying: _Saying
    ) -> None:
        """Claim 24: direct a second director to copy the program, and say which station requests its deletion."""
        if asyncio.get_running_loop().time() - saying.since > _MOVED_WITHIN_S:
            await self._look_elsewhere(row, to)
            return
        receiving = await self.repository.station(to)
        director = Address.parse(receiving.director) if receiving else None
        if director and self.telling.has_room(director):
            order = MoveProgram(
                header=program,
                parts=str(self.media),
                leaving_station=leaving.station,
                leaving_director=leaving.director,
            )
            saying_so = partial(self._order_move, order, row, to, director)
            self.telling.tell_later(director, (MOVE_PROGRAM, row.program, row.station), saying_so)

    async def _order_move(self, order: MoveProgram, row: Deletion, to: str, director: Address) -> bool:
        told = await self.telling.ask(director, MOVE_PROGRAM, order)
        if isinstance(told, ObtainStanding) and told.obstacle is Obstacle.NO_SPACE:
            await self._look_elsewhere(row, to)
        return told is not None

    async def _look_elsewhere(self, row: Deletion, than: str) -> None:
        logger.warning("%s does not take %s, which is to be moved there from %s", than, row.program, row.station)
        self.deleting.shun(row.program, than)
        await self.repository.look_elsewhere(row.program, row.station)
