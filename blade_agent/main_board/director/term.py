"""One director's term: its appointment, its voice, and whether it still is the station's director."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.station_blades import StationBlades
from media_network.callback import do_nothing
from media_network.http.client import HttpClient
from media_network.ticket import TicketKey


class Standing:
    """Whether the director still is the station's: who hears of a later one does nothing any more."""

    def __init__(self) -> None:
        self.superseded = False
        self.lost: Callable[[], None] = do_nothing
        """Called once, when another director is heard of."""

    def lose(self) -> None:
        """There is another director."""
        if not self.superseded:
            self.superseded = True
            self.lost()


@dataclass
class Assembling:
    """An engine has more than it has said yet."""

    until: float = 0.0
    """By then it has said more, by the event loop's time."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """What all that a director does has in common."""

    duty: DirectorDuty
    http: HttpClient
    rng: random.Random
    tasks: asyncio.TaskGroup
    """What runs beside the messages ends with the term."""
    tickets: TicketKey
    began_at: float
    """By the event loop's time, in seconds."""
    counters: DirectorCounters
    standing: Standing = field(default_factory=Standing)
    blades: StationBlades = field(default_factory=StationBlades)
    """As the chassis manager has told."""
    assembling: Assembling = field(default_factory=Assembling)

    @property
    def epoch(self) -> int:
        """Of the appointment."""
        return self.duty.epoch

    @property
    def lease_s(self) -> float:
        """How long an engine whose reports are not answered may be heard of at a console."""
        return (self.duty.intervals.lease_ms + self.duty.intervals.grace_ms) / 1000

    def is_assembling(self, now: float) -> bool:
        """Whether engines may have yet to say what they hold: what is missing may be here in a moment."""
        return now < max(self.began_at + self.settle_s, self.assembling.until)

    @property
    def settle_s(self) -> float:
        """How long engines have for their next word of what they hold."""
        return self.duty.intervals.settle_ms / 1000
