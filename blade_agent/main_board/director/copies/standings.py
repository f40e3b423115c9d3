"""What was in the way of the orders that a station carries out, for whoever ordered."""

import logging
from collections.abc import Collection

from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.messages.obtaining import CopyResult, Obstacle, ObtainStanding
from media_network.program import Program

logger = logging.getLogger(__name__)


class Standings:
    """Of programs with something in the way."""

    def __init__(self, roster: Roster, table: SegmentLocationTable) -> None:
        self._roster = roster
        self._table = table
        self._standings: dict[ProgramId, ObtainStanding] = {}

    def get(self, program: ProgramId) -> ObtainStanding:
        """What was in the way the last time."""
        return self._standings.get(program, ObtainStanding())

    def note(self, program: Program, obstacle: Obstacle, detail: str | None = None) -> None:
        """Something is in the way of a program."""
        missing = (part for part in program.segments if not self._table.engines_with(program.cut, part.number))
        room = (engine.free_bytes or 0 for engine in self._roster if not engine.silent)
        if self.get(program.name).obstacle is not obstacle:
            logger.warning("cannot obtain %s: %s%s", program.name, obstacle, f", {detail}" if detail else "")
        self._standings[program.name] = ObtainStanding(
            obstacle=obstacle,
            needs_bytes=sum(part.length_bytes for part in missing),
            free_bytes=max(room, default=0),
            detail=detail,
        )

    def note_no_table(self, program: ProgramId, parts: Address) -> None:
        """Nobody gives the segment table: what is missing is not known."""
        detail = f"{parts} does not give the segment table of {program}"
        self._standings[program] = ObtainStanding(obstacle=Obstacle.SOURCE_LOST, detail=detail)

    def note_copy(self, program: Program, segment: int, result: CopyResult | None) -> None:
        """A copy came to nothing; None: nobody said why."""
        if result is CopyResult.NO_SPACE:
            self.note(program, Obstacle.NO_SPACE, f"segment {segment} does not fit")
        elif result is CopyResult.SOURCE_LOST:
            self.note(program, Obstacle.SOURCE_LOST, f"segment {segment} did not come")
        elif result is None:
            self.note(program, Obstacle.NOT_STORED, f"nobody said what became of segment {segment}")
        else:
            self.note(program, Obstacle.NOT_STORED, f"segment {segment}: {result}")

    def note_no_place(self, program: Program, segment: int, copies: int, failed: Collection[Address]) -> None:
        """No engine is left to be asked: is a segment at fewer than it could be, for want of room?"""
        holders = self._table.engines_with(program.cut, segment)
        staying = [engine for engine in self._roster if not engine.silent and not engine.draining]
        asked = [engine for engine in staying if engine.address not in holders]
        if not staying and not self._roster.live(holders):
            self.note(program, Obstacle.NO_ENGINE)
        elif len(staying) - len(asked) < min(copies, len(staying)) and any(one.address not in failed for one in asked):
            self.note(program, Obstacle.NO_SPACE)

    def settle(self, program: ProgramId, before: ObtainStanding) -> None:
        """All segments have been gone through: unless something was noted since `before`, nothing is in the way."""
        if self._standings.get(program) is before:
            del self._standings[program]

    def forget(self, program: ProgramId) -> None:
        """It is not obtained any more."""
        self._standings.pop(program, None)
