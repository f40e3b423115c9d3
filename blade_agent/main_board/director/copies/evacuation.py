"""Segments that only a draining engine holds are copied to engines that stay, before its blade is taken away."""

from blade_agent.main_board.director.copies.obtaining import Obtaining
from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.program import ProgramId

_Segment = tuple[ProgramId, int]
_AT_ONCE = 4


class Evacuation:
    """What is still to be copied from each engine that drains."""

    def __init__(self, station: Station, obtaining: Obtaining) -> None:
        self._station = station
        self._obtaining = obtaining
        self._alone: dict[Address, tuple[object, list[_Segment]]] = {}
        self._copying: set[_Segment] = set()

    def alone(self, engine: EngineRecord) -> int:
        """How many segments no other engine holds that stays; they are being copied, where they can be."""
        if not engine.draining:
            self._alone.pop(engine.address, None)
            return 0
        waiting = self._waiting(engine)
        for segment in waiting[: _AT_ONCE - len(self._copying)] if len(self._copying) < _AT_ONCE else ():
            if segment not in self._copying:
                self._copying.add(segment)
                self._station.tasks.create_task(self._copy(engine, segment), name=f"evacuate {segment}")
        return len(waiting)

    def _waiting(self, engine: EngineRecord) -> list[_Segment]:
        staying = tuple(other.address for other in self._station.roster if not other.draining and not other.silent)
        state = (self._station.table.version, staying)
        known = self._alone.get(engine.address)
        if known is None or known[0] != state:
            catalogue = self._station.catalogue
            held = self._station.table.only_at(engine.address, staying)
            # What belongs to no program that is known here nobody can ask for.
            known = (
                state,
                [
                    (name, number)
                    for name, number in held
                    if (found := catalogue.get(name)) and number < len(found.segments)
                ],
            )
            self._alone[engine.address] = known
        return known[1]

    async def _copy(self, engine: EngineRecord, segment: _Segment) -> None:
        """Copy one, and go on with the next."""
        try:
            copied = await self._obtaining.replicate(*segment)
        finally:
            self._copying.discard(segment)
        if copied:
            self.alone(engine)
