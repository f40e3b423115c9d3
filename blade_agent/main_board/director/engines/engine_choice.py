"""Choosing an engine for a segment, by load and status (claim 18)."""

from collections.abc import Collection

from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.program import Program
from media_network.refusal import Reason, Refused


def choose_engine(
    station: Station,
    program: Program,
    segment: int,
    excluding: Collection[Address] = (),
    carrying: Collection[Address] = (),
) -> EngineRecord | Refused:
    """The least loaded engine that holds a segment and can carry one more stream of the program.

    Those in `carrying` count the stream to their load already.
    """
    holders = station.table.engines_with(program.program, segment)
    chosen = station.roster.least_loaded(holders, program.rate_bps, excluding, carrying)
    if chosen:
        return chosen
    if station.roster.live(holders, excluding):
        return Refused(Reason.AT_CAPACITY, f"every engine with segment {segment} of {program.program} is at capacity")
    return Refused(Reason.NO_ENGINE, f"no live engine holds segment {segment} of {program.program}")
