"""Sessions: a console's claim on a stream, the turns the stream is sent in, and who holds the turn.

Never two senders: a turn is given once, turns only grow, and a new one is given only when the sender of the one before
has said that it is done, has been made to cease, or can no longer be sending.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum

from blade_agent.main_board.director.sessions.mark import Mark
from media_network.address import Address
from media_network.messages.watching import Served, SessionState, SessionView
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
"""The console of a session that was only redirected learns by itself that its engine is gone, and requests again."""


def diagram() -> str:
    """Draw the table as a Mermaid state diagram: what leaves a state where it is, is left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {SessionState.REDIRECTED}"]
    for state, row in TRANSITIONS.items():
        for after in SessionState:
            events = [event.replace("_", " ") for event in SessionEvent if row[event] is after]
            if events and after is not state:
                lines.append(f"    {state} --> {after}: {', '.join(events)}")
    lines.append(f"    {SessionState.ENDED} --> [*]")
    return "\n".join(lines) + "\n"


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
    """When the console was last heard; of an ended session, when it ended."""
    state: SessionState = SessionState.REDIRECTED
    turns_given: int = 0
    withdrawn: int = 0
    """Offers up to this turn are void, whoever says otherwise."""
    holder: Turn | None = None
    """Who sends, or sent last."""
    offer: Turn | None = None
    """Who has been asked to be next."""
    mark: Mark | None = None
    """How far the stream can have got since its holder, or the one before, reported last, or since it was resumed."""
    first_own_turn: int = 1
    """Turns of a lower number were given by an earlier director."""
    unsettled_until: float = 0.0
    """Of a session that an earlier director began: until then an engine may have the stream that has yet to enlist."""
    charged: frozenset[Address] = frozenset()
    """Engines whose load this session counts to."""
    served: list[Served] = field(default_factory=list)

    @property
    def inherited(self) -> bool:
        """Whether an earlier director began it."""
        return self.first_own_turn > 1

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

    def withdraw(self, turn: Turn) -> None:
        """Let nobody assume this turn any more."""
        self.withdrawn = max(self.withdrawn, turn.number)

    def offered(self, turn: int) -> Turn | None:
        """The offer, if it is of this number and may still be assumed."""
        offer = self.offer
        return offer if offer and offer.number == turn > self.withdrawn else None

    def sender(self, turn: int) -> Turn | None:
        """The holder, if it has the turn of this number and is not taken for lost."""
        holder = self.holder
        return holder if holder and holder.number == turn and self.state is SessionState.STREAMING else None

    def may_have_gone_on_in(self, turn: int) -> bool:
        """Whether an engine that enlists may have the stream in a turn that the director before has offered it."""
        later = self.holder is None or turn > self.holder.number
        return later and self.inherited and turn < self.first_own_turn and self.state is not SessionState.ENDED

    def assume(self, turn: Turn, packet: int) -> None:
        """An engine says that it has taken the turn it was offered."""
        self.holder, self.offer = turn, None
        self.served.append(Served(turn=turn.number, segment=turn.segment, packet=packet, engine=str(turn.engine)))
        self.happens(SessionEvent.ASSUMED)

    def end(self, event: SessionEvent, now: float) -> None:
        """Nobody is to send any more."""
        self.offer, self.watched_at = None, now
        self.happens(event)

    def view(self) -> SessionView:
        """The session for others."""
        last = self.holder or self.offer
        return SessionView(
            session=self.session,
            program=self.program.program,
            state=self.state,
            engine=str(last.engine) if last else None,
            served=tuple(self.served),
        )


@dataclass(frozen=True, kw_only=True)
class PullSession:
    """A player that follows a playlist; it counts to the engine it was last redirected to."""

    engine: Address
    rate_bps: int
    seen_at: float
    program: str
    console: str
    """Host of the player."""
    segment: int
    """That it asked for last."""
    redirects: int = 1


def new_session_id(rng: random.Random) -> str:
    """An id nobody guesses."""
    return f"{rng.getrandbits(96):024x}"
