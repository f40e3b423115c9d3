"""What a program is, asked before it is sent; and which blade a player should speak RTSP to.

That is an engine, at its own address. Players survive a blade that falls silent, but none whose connection is answered
by another blade that knows nothing of it: so it is not at the service address, which another director takes over
(docs/protocols/rtsp.md).
"""

from collections import Counter

from blade_agent.main_board.director.admission import Admission
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.messages.streaming import Describe, Described
from media_network.refusal import Refused


class Describing:
    """Answers `DESCRIBE`, and spreads players over the engines."""

    def __init__(self, term: Term, library: Library, admission: Admission, roster: Roster) -> None:
        self._term = term
        self._library = library
        self._admission = admission
        self._roster = roster
        self._sent: Counter[Address] = Counter()
        """How many players were sent to each engine."""

    async def describe(self, request: Describe) -> Described | Refused:
        """Answer `DESCRIBE`."""
        guest = await self._admission.admit(request.token, request.program)
        if isinstance(guest, Refused):
            return guest
        program = await self._library.in_service(request.program)
        if program is None:
            self._term.counters.refusals += 1
            return self._library.why_not(request.program)
        return Described(program=program.header, rtsp=self._elsewhere(request.rtsp) if request.rtsp else None)

    def _elsewhere(self, asked_at: str) -> str | None:
        """Where a player should go that has asked there; None: nowhere else."""
        able = {engine.rtsp for engine in self._roster if engine.rtsp and not (engine.silent or engine.draining)}
        if not able or asked_at in map(str, able):
            return None
        chosen = min(able, key=lambda address: (self._sent[address], address))
        self._sent[chosen] += 1
        return str(chosen)
