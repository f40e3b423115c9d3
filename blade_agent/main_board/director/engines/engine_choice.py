"""Choosing an engine for a segment, by load and status (claim 18)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from blade_agent.main_board.director.engines.roster import EngineRecord, Roster, WantedTurn
from media_network.address import Address
from media_network.cut import Cut
from media_network.program import Program
from media_network.refusal import Reason, Refused


class Holders(Protocol):
    """Whoever knows which engines hold a segment."""

    def engines_with(self, cut: Cut, segment: int) -> Collection[Address]:
        """The engines that hold a segment, or give it out while they receive it."""
        ...

    def engines_with_all(self, cut: Cut, segment: int) -> Collection[Address]:
        """The engines that hold a segment: all of it is on their disks."""
        ...


class Demand(Protocol):
    """Whoever brings what the station does not hold (claim 14)."""

    def seek(self, program: Program, segment: int) -> None:
        """Somebody is about to play a segment: have it brought if it is not here, and those after it."""
        ...

    async def bring(self, program: Program, segment: int) -> Refused | None:
        """Wait until an engine holds or receives a segment. None: one does; else why none will."""
        ...


class Relief(Protocol):
    """Whoever has a segment replicated whose engines are full (claim 19)."""

    def relieve(self, program: Program, segment: int, wanted: WantedTurn) -> None:
        """No engine with a segment has room for a turn of it: have it copied to one that has."""
        ...

    def receivers(self, cut: Cut, segment: int) -> Collection[Address]:
        """The engines that give a segment out while they receive it."""
        ...

    async def outcome(self, program: Program, segment: int) -> Refused | None:
        """Wait until a further engine receives a segment. None: one does; else why none will."""
        ...


@dataclass(frozen=True)
class EngineChoice:
    """Chooses by who holds what, and who is there."""

    roster: Roster
    holders: Holders
    demand: Demand | None = None
    """None: nothing is brought from elsewhere."""
    relief: Relief | None = None
    """None: nothing is replicated."""

    def choose(
        self,
        program: Program,
        segment: int,
        wanted: WantedTurn,
        excluding: Collection[Address] = (),
        *,
        whole: bool = False,
    ) -> EngineRecord | Refused:
        """The engine that holds a segment, has room for a turn of it, and will be the least loaded when it begins.

        `whole`: one that is still receiving it will not do. Where all that hold it are full, one that is receiving it;
        if none is, it is replicated from now on.
        """
        if self.demand:
            self.demand.seek(program, segment)
        with_it = self.holders.engines_with_all if whole else self.holders.engines_with
        holders = with_it(program.cut, segment)
        if chosen := self.roster.least_loaded(holders, wanted, excluding):
            return chosen
        if self.roster.live(holders, excluding):
            if self.relief and not whole:
                receivers = self.relief.receivers(program.cut, segment)
                if chosen := self.roster.least_loaded(receivers, wanted, excluding):
                    return chosen
                self.relief.relieve(program, segment, wanted)
            return at_capacity(program, segment)
        return Refused(Reason.NO_ENGINE, f"no live engine holds segment {segment} of {program.name}")

    async def bring(self, program: Program, segment: int) -> Refused | None:
        """See `Demand`."""
        if self.demand is None:
            return Refused(Reason.NO_ENGINE, f"no live engine holds segment {segment} of {program.name}")
        return await self.demand.bring(program, segment)

    async def relieved(self, program: Program, segment: int) -> Refused | None:
        """See `Relief.outcome`: for who was refused with `AT_CAPACITY`."""
        if self.relief is None:
            return at_capacity(program, segment)
        return await self.relief.outcome(program, segment)


def at_capacity(program: Program, segment: int) -> Refused:
    """What is answered where all that hold a segment are full, and no further engine can get it."""
    return Refused(Reason.AT_CAPACITY, f"every engine with segment {segment} of {program.name} is at capacity")
