"""A program is moved here before another station deletes it (claim 24): it comes as every program does."""

from dataclasses import dataclass

from blade_agent.main_board.director.copies.eviction import excess
from blade_agent.main_board.director.copies.obtaining import Obtaining
from blade_agent.main_board.director.duty import WaterMarks
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from media_network.messages.deletion import MoveProgram
from media_network.messages.obtaining import Obstacle, Obtain, ObtainStanding
from media_network.program_header import ProgramHeader
from media_network.refusal import Refused


@dataclass(frozen=True, kw_only=True)
class TakingIn:
    """What this station takes for another."""

    obtaining: Obtaining
    roster: Roster
    table: SegmentLocationTable
    water: WaterMarks

    async def take_in(self, move: MoveProgram) -> ObtainStanding | Refused:
        """Answer `MOVE_PROGRAM`: the station that requests the deletion is the source, and one copy is enough.

        An order that is being carried out brings it as well, with the copies that it wants. What would bring the
        station to its high-water mark is not taken: something would have to go for it.
        """
        if (standing := self.obtaining.standing(move.header)) is not None:
            return standing
        if short := self._lack_of_room(move.header):
            return short
        return await self.obtaining.obtain(
            Obtain(
                header=move.header,
                parts=move.parts,
                source_station=move.leaving_station,
                source_director=move.leaving_director,
                copies=1,
            )
        )

    def _lack_of_room(self, header: ProgramHeader) -> ObtainStanding | None:
        readings = self.roster.readings()
        if readings.free_bytes is None or readings.stored_bytes is None:
            return None
        missing = header.segments - len(self.table.segments(header.cut))
        needs_bytes = header.length_bytes * missing // header.segments
        left_bytes = max(0, readings.free_bytes - needs_bytes)
        _, is_short = excess(self.water, left_bytes, readings.stored_bytes + needs_bytes, short=False)
        if not needs_bytes or not is_short:
            return None
        return ObtainStanding(obstacle=Obstacle.NO_SPACE, needs_bytes=needs_bytes, free_bytes=readings.free_bytes)
