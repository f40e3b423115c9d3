"""What every part of one director's term shares: its appointment, its tables, its voice."""

import asyncio
import random
from dataclasses import dataclass, field

from blade_agent.main_board.director.catalogue import Catalogue
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.roster import Roster
from blade_agent.main_board.director.segment_location_table import SegmentLocationTable
from media_network.http_client import HttpClient
from media_network.ticket import TicketKey


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
    table: SegmentLocationTable = field(default_factory=SegmentLocationTable)
    roster: Roster = field(default_factory=Roster)
