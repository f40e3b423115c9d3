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
        """The engines that hold a segment."""
        ...


@dataclass(frozen=True)
class EngineChoice:
    """Chooses by who holds what, and who is there."""

    roster: Roster
    holders: Holders

    def choose(
        self, program: Program, segment: int, wanted: WantedTurn, excluding: Collection[Address] = ()
    ) -> EngineRecord | Refused:
        """The engine that holds a segment, has room for a turn of it, and will be the least loaded when it begins."""
        holders = self.holders.engines_with(program.cut, segment)
        chosen = self.roster.least_loaded(holders, wanted, excluding)
        if chosen:
            return chosen
        if self.roster.live(holders, excluding):
            return Refused(Reason.AT_CAPACITY, f"every engine with segment {segment} of {program.name} is at capacity")
        return Refused(Reason.NO_ENGINE, f"no live engine holds segment {segment} of {program.name}")
