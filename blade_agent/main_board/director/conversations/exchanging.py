"""Two streams change places: an engine with the whole segment and no room gives another stream for it (claim 22)."""

import asyncio
from collections.abc import Mapping
from itertools import islice

from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.sessions.events import EngineFound, ExchangeAsked, Sought
from blade_agent.main_board.director.sessions.states import Streaming
from media_network.address import Address
from media_network.messages.streaming import Exchange

_LOOKED_AT_MAX = 64
"""So many streams of an engine: one of them will do, or none."""
_LEFT_S = 1.0
"""A stream that is nearer to the end of its segment than that is about to go anyway."""


class Exchanging:
    """Finds a stream that can go to the engine from which another has to come."""

    def __init__(self, choice: EngineChoice, at: Mapping[Address, Mapping[str, Conversation]]) -> None:
        """`at` has the sessions that each engine has in its load."""
        self._choice = choice
        self._at = at

    def seek(self, conversation: Conversation, sought: Sought) -> EngineFound | None:
        """An engine for what a sender foresees that it cannot send, and what that gives; the other stream has been
        offered to the sender then. None: there is none."""
        state, program = conversation.session.state, conversation.session.terms.program
        asking = self._choice.roster.get(state.holder.engine) if isinstance(state, Streaming) else None
        if asking is None or asking.silent or asking.draining:
            return None
        whole = self._choice.holders.engines_with_all(program.cut, sought.segment)
        for engine in self._choice.roster.live(whole, sought.excluded):
            if engine.draining or str(engine.address) in sought.unfit:
                continue
            for other in tuple(islice(self._at.get(engine.address, {}).values(), _LOOKED_AT_MAX)):
                exchange = self._offered(other, conversation, engine, asking)
                if exchange:
                    return EngineFound(sought=sought, engine=engine.address, boot=engine.boot, exchange=exchange)
        return None

    def _offered(
        self, other: Conversation, conversation: Conversation, engine: EngineRecord, asking: EngineRecord
    ) -> Exchange | None:
        state = other.session.state
        if other is conversation or not isinstance(state, Streaming) or state.holder.engine != engine.address:
            return None
        if not (self._can_go(other, state, asking) and self._fit(other, conversation, engine, asking)):
            return None
        other.hear(ExchangeAsked(engine=asking.address, boot=asking.boot))
        offered = other.session.state.offer
        if offered is None or offered.engine != asking.address:
            return None
        return Exchange(session=other.name, turn=state.holder.number, next_turn=offered.number)

    def _can_go(self, other: Conversation, state: Streaming, to: EngineRecord) -> bool:
        """Whether nobody is named to go on with it yet, and that engine has the whole of its segment."""
        if state.next is not None or not other.charges:
            return False
        if other.charges[0].ends_at - asyncio.get_running_loop().time() < _LEFT_S:
            return False
        cut = other.session.terms.program.cut
        return to.address in self._choice.holders.engines_with_all(cut, state.holder.segment)

    def _fit(self, other: Conversation, conversation: Conversation, engine: EngineRecord, asking: EngineRecord) -> bool:
        roster, both = self._choice.roster, (conversation.name, other.name)
        comes_bps = conversation.session.terms.program.rate_bps
        goes_bps = other.session.terms.program.rate_bps
        return roster.would_carry(engine, comes_bps, both) and roster.would_carry(asking, goes_bps, both)
