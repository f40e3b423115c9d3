"""One director's term: its appointment, its voice, and whether it still is the station's director."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.station_blades import StationBlades
from media_network.callback import do_nothing
from media_network.fields import ProgramId
from media_network.http.client import HttpClient
from media_network.ticket import TicketKey
from media_network.tokens.engine_token import EngineTokenIssuer

_EARLIER_KEPT = 8
_MORE_IS_HEARD_S = 0.05


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
    engine_tokens: EngineTokenIssuer | None = None
    """What copies from this station are made with; None: they take none."""
    began_at: float
    """By the event loop's time, in seconds."""
    counters: DirectorCounters
    standing: Standing = field(default_factory=Standing)
    blades: StationBlades = field(default_factory=StationBlades)
    """As the chassis manager has told."""
    assembling: Assembling = field(default_factory=Assembling)
    earlier_tickets: deque[TicketKey] = field(default_factory=lambda: deque(maxlen=_EARLIER_KEPT))
    """What directors before this one have signed with, as engines tell."""

    @property
    def epoch(self) -> int:
        """Of the appointment."""
        return self.duty.epoch

    @property
    def lease_s(self) -> float:
        """How long an engine whose reports are not answered may be heard of at a console."""
        return (self.duty.intervals.lease_ms + self.duty.intervals.grace_ms) / 1000

    def know_tickets(self, keys: Iterable[str]) -> None:
        """An engine tells the keys, in hexadecimal, of directors that it has heard."""
        for key in (TicketKey(bytes.fromhex(key)) for key in keys):
            if key != self.tickets and key not in self.earlier_tickets:
                self.earlier_tickets.append(key)

    def has_signed(self, ticket: str, session: str, program: ProgramId) -> bool:
        """Whether this director, or one before it, has signed a ticket for that session and program."""
        return any(key.holder(ticket, program) == session for key in (self.tickets, *self.earlier_tickets))

    def has_inherited(self, ticket: str, session: str, program: ProgramId) -> bool:
        """Whether a director before this one has signed it: a session that this one may never have known."""
        return any(key.holder(ticket, program) == session for key in self.earlier_tickets)

    def is_assembling(self, now: float) -> bool:
        """Whether engines may have yet to say what they hold: what is missing may be here in a moment."""
        return now < max(self.began_at + self.settle_s, self.assembling.until)

    async def has_more_to_hear(self) -> bool:
        """Wait for a moment while engines may have yet to say what they hold; at once False when they all have."""
        if not self.is_assembling(asyncio.get_running_loop().time()):
            return False
        await asyncio.sleep(_MORE_IS_HEARD_S)
        return True

    @property
    def settle_s(self) -> float:
        """How long engines have for their next word of what they hold."""
        return self.duty.intervals.settle_ms / 1000
