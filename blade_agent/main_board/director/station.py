"""What every part of one director's term shares: its appointment, its tables, its voice."""

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director_figures import DirectorCounters, SessionFigures
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from media_network.http.client import HttpClient
from media_network.ticket import TicketKey

_LOST_KEPT = 64


@dataclass
class Standing:
    """Whether the director still is the station's: who hears of a later one does nothing any more."""

    superseded: bool = False


@dataclass(frozen=True, kw_only=True)
class Station:
    """A station, as its director has it."""

    duty: DirectorDuty
    http: HttpClient
    rng: random.Random
    tasks: asyncio.TaskGroup
    """What runs beside the messages ends with the term."""
    catalogue: Catalogue
    tickets: TicketKey
    started_at: float = 0.0
    """When the term began, by the event loop's time."""
    table: SegmentLocationTable = field(default_factory=SegmentLocationTable)
    roster: Roster = field(default_factory=Roster)
    standing: Standing = field(default_factory=Standing)
    counters: DirectorCounters = field(default_factory=DirectorCounters)
    lost: deque[SessionFigures] = field(default_factory=lambda: deque(maxlen=_LOST_KEPT))
    """The last sessions with which nobody could go on."""

    @property
    def lease_s(self) -> float:
        """How long an engine whose reports are not answered may be heard of at a console."""
        return (self.duty.intervals.lease_ms + self.duty.intervals.grace_ms) / 1000

    def is_assembling(self, now: float) -> bool:
        """Whether engines may have yet to enlist: what is missing may be here in a moment."""
        return now - self.started_at < self.duty.intervals.settle_ms / 1000
