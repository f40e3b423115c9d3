"""What is noted of pushed sessions: counted, logged, and shown to others."""

import logging
from collections import deque

from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.sessions.effects import Fact
from blade_agent.main_board.director.sessions.states import Ended, Paused, State
from blade_agent.main_board.director.term import Term
from media_network.messages.watching import SessionView

logger = logging.getLogger(__name__)

_SAID = {
    Fact.SENDER_LOST: (logging.WARNING, "stream %s of %s to %s has lost its sender"),
    Fact.RESUMED: (logging.INFO, "stream %s of %s to %s is taken up again"),
    Fact.PAUSED: (logging.INFO, "stream %s of %s to %s is paused"),
    Fact.WENT_ON: (logging.INFO, "stream %s of %s to %s goes on as its console wants"),
    Fact.ENDED: (logging.INFO, "stream %s of %s to %s has ended"),
    Fact.LOST: (logging.WARNING, "stream %s of %s to %s is lost: nobody can go on with it"),
}
"""A hand-over is said with the turn that begins."""
_LOST_KEPT = 64


class SessionNotes:
    """Of the sessions of one term."""

    def __init__(self, term: Term, roster: Roster) -> None:
        self._term = term
        self._roster = roster
        self.lost: deque[SessionFigures] = deque(maxlen=_LOST_KEPT)
        """The last ones with which nobody could go on."""

    def count(self, conversation: Conversation, fact: Fact, state: State) -> None:
        """Something happened to a session, in this state."""
        counters = self._term.counters
        if fact in _SAID:
            name, program = conversation.name, conversation.session.terms.program.name
            logger.log(*_SAID[fact], name, program, conversation.session.terms.console)
        match fact:
            case Fact.HANDED_OVER:
                counters.hand_overs += 1
            case Fact.SENDER_LOST:
                counters.streams_lost += 1
            case Fact.RESUMED:
                counters.take_overs += 1
            case Fact.ENDED:
                counters.sessions_ended += not self._term.standing.superseded
            case Fact.LOST:
                counters.sessions_lost += 1
                self.lost.append(self.figures(conversation, state))

    def figures(self, conversation: Conversation, state: State) -> SessionFigures:
        """A session, for whoever manages the network."""
        turn = next(iter(state.turns), None)
        record = self._roster.get(turn.engine) if turn else None
        terms = conversation.session.terms
        return SessionFigures(
            session=terms.session,
            push=True,
            state=state.shown.value,
            program=terms.program.name,
            console=terms.console,
            engine_slot=record.slot if record else 0,
            segment=state.position[0] if isinstance(state, Paused) else turn.segment if turn else 0,
            turns=conversation.record.count,
        )

    def view(self, conversation: Conversation) -> SessionView:
        """A session for others."""
        state, terms = conversation.session.state, conversation.session.terms
        return SessionView(
            session=terms.session,
            program=terms.program.name,
            state=state.shown,
            engine=self.engine(state),
            present=conversation.record.present,
            turns=conversation.record.count,
        )

    def engine(self, state: State) -> str | None:
        """Media address of who streams, or streamed last."""
        last = state.last if isinstance(state, Ended | Paused) else next(iter(state.turns), None)
        return str(self._roster.media(last.engine)) if last else None
