"""Staying on the line with every engine, so that the death of its process is noticed at once.

A line that breaks is a suspicion. Refused the next moment it is certain: nothing listens there, and what sent is gone.
A machine that lost its power, or its network, breaks no line: it falls silent, and its lease runs out.
"""

import asyncio
from collections.abc import Callable

from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.enlisting import ATTEND, Attend
from media_network.refusal import Reason, Refused

_ON_THE_LINE_S = 55.0
_PAUSE_S = 1.0
_GONE = (Reason.UNKNOWN_ENGINE, Reason.WRONG_ROLE)
"""Another boot answers there, or no engine is on duty (any more)."""


class Attending:
    """A line to each enlisted engine."""

    def __init__(self, term: Term, roster: Roster, died: Callable[[EngineRecord], None]) -> None:
        self._term = term
        self._roster = roster
        self._died = died
        self._lines: set[tuple[Address, str]] = set()

    def begin(self, engine: EngineRecord) -> None:
        """Stay on the line with this boot of an engine for as long as it is enlisted."""
        line = (engine.address, engine.boot)
        if line not in self._lines:
            self._lines.add(line)
            staying = self._term.tasks.create_task(self._stay(engine), name=f"attend {engine.address}")
            staying.add_done_callback(lambda _: self._lines.discard(line))

    async def _stay(self, engine: EngineRecord) -> None:
        while self._roster.knows(engine.address, engine.boot):
            try:
                answer = await self._term.http.ask(
                    engine.address,
                    ATTEND,
                    Attend(epoch=self._term.epoch, boot=engine.boot),
                    deadline_s=_ON_THE_LINE_S,
                    while_refused=False,
                )
            except NetworkError as error:
                if isinstance(error, Unreachable) and error.refused:
                    self._died(engine)
                    return
                # Whatever else it is, reports go on coming, or stop.
                await asyncio.sleep(_PAUSE_S)
                continue
            if isinstance(answer, Refused) and answer.reason in _GONE:
                self._died(engine)
                return
            if not isinstance(answer, Refused) or answer.reason is not Reason.OVERDUE:
                return
