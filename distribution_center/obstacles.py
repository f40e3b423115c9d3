"""Why a program is not at a station yet, in words: what its director says is in the way, or that it says nothing."""

from collections import defaultdict
from collections.abc import Collection
from itertools import islice

from media_network.address import Address
from media_network.fields import ProgramId
from media_network.messages.obtaining import Obstacle, ObtainStanding
from media_network.refusal import Refused


class Obstacles:
    """What is in the way of orders, by program and station; forgotten when the center stops, and found again."""

    def __init__(self) -> None:
        self._by_program: defaultdict[ProgramId, dict[str, str]] = defaultdict(dict)

    def note(self, program: ProgramId, station: str, sentence: str | None) -> None:
        """What is in the way now; None: nothing that is known."""
        if sentence:
            self._by_program[program][station] = sentence
        elif program in self._by_program:
            self._by_program[program].pop(station, None)
            if not self._by_program[program]:
                del self._by_program[program]

    def keep_only(self, orders: Collection[tuple[ProgramId, str]]) -> None:
        """Forget what was in the way of all others: they are carried out, or there is no such program any more."""
        noted = [(program, station) for program, stations in self._by_program.items() for station in stations]
        for order in noted:
            if order not in orders:
                self.note(*order, None)

    def of(self, program: ProgramId, limit: int) -> dict[str, str]:
        """A sentence for each of the first stations that do not get on, by how long that has been known."""
        return dict(islice(self._by_program.get(program, {}).items(), limit))

    def at(self, program: ProgramId, station: str) -> str | None:
        """What is in the way of one order; None: nothing that is known."""
        return self._by_program.get(program, {}).get(station)


def no_director(station: str) -> str:
    """The station has never registered."""
    return f"no director of station {station} has registered: is the station up?"


def no_engine(station: str) -> str:
    """Nobody there can store anything."""
    return f"station {station} has no engine in service"


def no_answer(station: str, director: Address) -> str:
    """Its director was told, and has not answered."""
    return f"the director of station {station} does not answer at {director}: is it up?"


def refusal(station: str, refused: Refused) -> str:
    """Its director answered that it does not do so."""
    return f"the director of station {station} refuses: {refused.detail or refused.reason}"


def in_words(station: str, standing: ObtainStanding) -> str | None:
    """What a director says is in the way, as a sentence; None if nothing is."""
    detail = f": {standing.detail}" if standing.detail else ""
    match standing.obstacle:
        case None:
            return None
        case Obstacle.NO_SPACE:
            needs, free = gigabytes(standing.needs_bytes), gigabytes(standing.free_bytes)
            return f"the disks of station {station} are full: it needs {needs} more, the largest free space is {free}"
        case Obstacle.NO_ENGINE:
            return no_engine(station)
        case Obstacle.SOURCE_LOST:
            return f"station {station} cannot fetch it from its source{detail}"
        case Obstacle.NOT_STORED:
            return f"the engines of station {station} cannot store it{detail}"
    return f"station {station} cannot obtain it{detail}"


def gigabytes(length_bytes: int) -> str:
    """As a person says it; less than a tenth of a gigabyte in megabytes."""
    if length_bytes >= 10**8:
        return f"{length_bytes / 1e9:.1f} GB"
    return f"{length_bytes / 1e6:.1f} MB"
