"""Placement: which engines of the station shall hold a segment."""

from collections.abc import Collection, Iterable

from blade_agent.main_board.director.engines.roster import EngineRecord
from media_network.address import Address
from media_network.segment_table import Segment


def place(
    segment: Segment,
    copies: int,
    engines: Iterable[EngineRecord],
    holders: Collection[Address],
    excluding: Collection[Address] = (),
) -> list[EngineRecord]:
    """The engines that have yet to get the segment, so that `copies` that live and stay hold it; none of `excluding`.

    Consecutive segments go to consecutive slots, so that a stream moves from engine to engine and no engine has to
    carry a popular program alone.
    """
    staying = (engine for engine in engines if not engine.silent and not engine.draining)
    live = sorted(staying, key=lambda engine: engine.slot)
    missing = min(copies, len(live)) - sum(1 for engine in live if engine.address in holders)
    if missing <= 0:
        return []
    first = segment.number % len(live)
    in_turn = live[first:] + live[:first]
    unfit = {*holders, *excluding}
    roomy = [engine for engine in in_turn if engine.address not in unfit and has_room(engine, segment)]
    return roomy[:missing]


def has_room(engine: EngineRecord, segment: Segment) -> bool:
    """Whether a segment fits on an engine's disks. Before its first report their room is not known: it says itself when
    a copy does not fit.
    """
    return engine.free_bytes is None or engine.free_bytes > 2 * segment.length_bytes
