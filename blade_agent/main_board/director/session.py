"""Sessions: a console's claim on a stream, the turns the stream is sent in, and who holds the turn.

Never two senders: a turn is given once, turns only grow, and a new one is given only when the sender of the one before
has said that it is done, has been made to cease, or can no longer be sending.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum

from media_network.address import Address
from media_network.messages.director import Served, SessionState, SessionView, StreamCursor
from media_network.program import Program


class SessionEvent(StrEnum):
    """What happens to a session."""

    ASSUMED = "assumed"
    """An engine has the stream."""
    SENDER_LOST = "sender_lost"
    """The engine that held the turn does not answer, or stopped short."""
    STOPPED = "stopped"
    """The stream reached its end, or was ordered to cease."""
    CONSOLE_SILENT = "console_silent"
    """The console has not said for too long that it is there."""


TRANSITIONS: dict[SessionState, dict[SessionEvent, SessionState]] = {
    SessionState.REDIRECTED: {
        SessionEvent.ASSUMED: SessionState.STREAMING,
        SessionEvent.SENDER_LOST: SessionState.ENDED,
        SessionEvent.STOPPED: SessionState.ENDED,
        SessionEvent.CONSOLE_SILENT: SessionState.ENDED,
    },
    SessionState.STREAMING: {
        SessionEvent.ASSUMED: SessionState.STREAMING,
        SessionEvent.SENDER_LOST: SessionState.RESUMING,
        SessionEvent.STOPPED: SessionState.ENDED,
        SessionEvent.CONSOLE_SILENT: SessionState.ENDED,
    },
    SessionState.RESUMING: {
        SessionEvent.ASSUMED: SessionState.STREAMING,
        SessionEvent.SENDER_LOST: SessionState.RESUMING,
        SessionEvent.STOPPED: SessionState.ENDED,
        SessionEvent.CONSOLE_SILENT: SessionState.ENDED,
    },
    SessionState.ENDED: dict.fromkeys(SessionEvent, SessionState.ENDED),
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A turn that was given to an engine, from `packet` of `segment` on. `given_at` is the event loop's time."""

    number: int
    engine: Address
    boot: str
    segment: int
    packet: int
    given_at: float


@dataclass(kw_only=True)
class PushSession:
    """A console that programs are pushed to."""

    session: str
    program: Program
    console: str
    watched_at: float
    state: SessionState = SessionState.REDIRECTED
    turns_given: int = 0
    revoked: int = 0
    """Turns up to this one are over, whoever says otherwise."""
    holder: Turn | None = None
    """Who sends."""
    offer: Turn | None = None
    """Who has been asked to be next."""
    cursor: StreamCursor | None = None
    """How far the holder said it was, in the last report that was acknowledged."""
    cursor_sent_after: float = 0.0
    """That report was sent after this time, by this event loop's clock."""
    charged: frozenset[Address] = frozenset()
    """Engines whose load this session counts to."""
    served: list[Served] = field(default_factory=list)

    def happens(self, event: SessionEvent) -> None:
        """Change state as the table says."""
        self.state = TRANSITIONS[self.state][event]

    def give_turn(self, engine: Address, boot: str, segment: int, packet: int, now: float) -> Turn:
        """Number the next turn and offer it to an engine."""
        self.turns_given += 1
        self.offer = Turn(
            number=self.turns_given, engine=engine, boot=boot, segment=segment, packet=packet, given_at=now
        )
        return self.offer

    def assume(self, turn: Turn, packet: int) -> None:
        """An engine says that it has taken the turn it was offered."""
        self.holder, self.offer, self.cursor = turn, None, None
        self.revoked = max(self.revoked, turn.number - 1)
        self.served.append(Served(turn=turn.number, segment=turn.segment, packet=packet, engine=str(turn.engine)))
        self.happens(SessionEvent.ASSUMED)

    def view(self) -> SessionView:
        """The session for others."""
        last = self.holder or self.offer
        return SessionView(
            session=self.session,
            program=self.program.program,
            state=self.state,
            engine=str(last.engine) if last else "",
            served=tuple(self.served),
        )


@dataclass(kw_only=True)
class PullSession:
    """A player that follows a playlist; it is where it was last redirected to."""

    session: str
    rate_bps: int
    seen_at: float
    engine: Address | None = None


def new_session_id(rng: random.Random) -> str:
    """An id nobody guesses."""
    return f"{rng.getrandbits(96):024x}"
