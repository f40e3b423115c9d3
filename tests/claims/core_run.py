"""Whether what the wire saw of a session is a run of the director's core: the core hears the same events, and has to
give the very turns, orders to engines and answers that were said.

What the core leaves to others, which engine there is and what it answers, is taken from the capture.
"""

from blade_agent.main_board.director.sessions import effects, events
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.streaming import Ceased, Exchange, StopCause, StreamCursor
from media_network.refusal import Reason, Refused
from media_network.segment_table import Segment
from tests.programs import program_with

FOR_EVER = 1e9
ORDERS = {
    "director/pause": lambda _: events.PauseAsked(),
    "director/resume": lambda _: events.ResumeAsked(),
    "director/end-stream": lambda _: events.EndAsked(),
    "director/scale": lambda message: events.ScaleAsked(message.answer["scale"]),
}
"""What a console orders."""


class CoreRun:
    """A session, as its core would have gone on."""

    def __init__(self, wire, director, session):
        self._wire, self._director, self._session = wire, director, session
        plays = [one for one in wire.said("director/play", destination=director) if _session_of(one) == session]
        assert len(plays) == 1, "nothing was said of this session: the capture is no trace of it"
        self._play = plays[0]
        orders = [one for path in ("engine/preload", "engine/swap") for one in wire.said(path)]
        said = [_preload_of(one) for one in orders if _preload_of(one)["session"] == session]
        parts = {each["segment"]["number"]: Segment(**each["segment"]) for each in said}
        assert sorted(parts) == list(range(len(parts)))
        program = program_with([parts[number] for number in sorted(parts)], rate_bps=said[0]["rate_bps"])
        terms = SessionTerms(
            session=session,
            program=program,
            console=self._play.body["console"],
            patience_s=FOR_EVER,
            lease_s=4.0,
            pause_s=FOR_EVER,
        )
        self.core = Session(terms, 0.0)
        self.turns = []
        """Those that were assumed, in order."""

    def check(self):
        """Replay it, and see that whatever the core gives was said. Returns the core."""
        self._hear(events.PlayAsked(), self._play)
        for message in sorted(self._wire.messages, key=lambda one: one.number):
            if message.number > self._play.number and (event := self._event_of(message)):
                self._hear(event, message)
                if message.path == "director/assumed":
                    assert self.core.sends(message.body["turn"]) == (message.status == 200)
        return self

    def _event_of(self, message):
        body, mine = message.body, _session_of(message) == self._session
        if message.path == "director/next-segment" and not mine:
            exchange = (message.answer.get("hand_over") or {}).get("exchange")
            if exchange and exchange["session"] == self._session:
                asking = Address.parse(f"{message.source}:8081")
                return events.ExchangeAsked(engine=asking, boot="boot")
        if not mine or message.destination != self._director:
            return None
        match message.path:
            case "director/assumed":
                return events.TurnAssumed(turn=body["turn"], packet=body["packet"])
            case "director/stopped":
                cause = StopCause(body["cause"])
                return events.TurnStopped(
                    turn=body["turn"], cause=cause, segment=body["segment"], packet=body["packet"]
                )
            case "director/next-segment":
                return events.NextAsked(
                    question=message.number,
                    turn=body["turn"],
                    number=body["number"],
                    segment=body["segment"],
                    packet=body["packet"],
                    failed=frozenset(body["failed"]),
                    doubtful=body["doubtful"],
                    foreseen=body["underrun"] is not None,
                )
            case "director/seek":
                place = message.answer["place"]
                return events.SeekAsked((place["segment"], place["packet"]))
        return ORDERS[message.path](message) if message.path in ORDERS else None

    def _hear(self, event, message):
        waiting = [event]
        while waiting:
            for effect in self.core.on(waiting.pop(0), message.at):
                waiting += self._follow(effect, message)

    def _follow(self, effect, message):  # noqa: C901 -- a case an effect
        match effect:
            case effects.SeekEngine(sought):
                return [self._found(sought, message)]
            case effects.GetReady(turn=turn):
                preload = self._said("engine/preload", turn)
                assert (preload.body["segment"]["number"], preload.body["packet"]) == (turn.segment, turn.packet)
                ready = preload.status == 200
                return [events.GotReady(turn.number) if ready else events.NotReady(turn.number)]
            case effects.RedirectConsole(turn):
                assert self._play.answer["turn"] == turn.number
                assert self._play.answer["engine"].startswith(f"{turn.engine.host}:")
            case effects.BeginTurn(turn):
                start = self._said("engine/start", turn)
                assert start.body["packet"] == turn.packet
                outcome = StartOutcome.TAKEN if start.status == 200 else StartOutcome.REFUSED
                return [events.StartAnswered(turn=turn.number, outcome=outcome)]
            case effects.SettleTurn(turn):
                cursor = self._said("engine/cease", turn).answer["cursor"]
                answer = Ceased(turn.boot, cursor and StreamCursor(**cursor))
                return [events.TurnSettled(turn=turn.number, answer=answer)]
            case effects.CeaseTurn(turn):
                self._said("engine/cease", turn)
            case effects.NameNext(next=None):
                assert message.answer["hand_over"] is None
            case effects.NameNext(next=turn):
                offer = message.answer["hand_over"]
                named = (offer["turn"], offer["engine"], offer["segment"]["number"], offer["packet"])
                assert named == (turn.number, str(turn.engine), turn.segment, turn.packet)
            case effects.RefuseNext():
                assert message.status != 200
            case effects.TurnTaken(turn=turn):
                self.turns.append(turn.number)
        return []

    def _found(self, sought, message):
        if sought.asked is None:
            orders = self._wire.said("engine/preload", source=self._director, session=self._session)
            order = next(one for one in orders if one.body["turn"] == self._next_turn())
            return events.EngineFound(sought=sought, engine=Address.parse(f"{order.destination}:8081"), boot="boot")
        if message.status != 200:
            return events.NobodyFound(sought=sought, refused=Refused(Reason.AT_CAPACITY))
        offer = message.answer["hand_over"]
        exchange = offer["exchange"] and Exchange(**offer["exchange"])
        return events.EngineFound(sought=sought, engine=Address.parse(offer["engine"]), boot="boot", exchange=exchange)

    def _next_turn(self):
        return self.core._turns_given + 1

    def _said(self, path, turn):
        """What the director said to the engine of a turn, at that time."""
        orders = self._wire.said(path, source=self._director, destination=turn.engine.host, session=self._session)
        return next(one for one in orders if one.body["turn"] == turn.number and one.number >= self._play.number)


def _session_of(message):
    return message.body.get("session") or message.answer.get("session")


def _preload_of(message):
    return message.body["preload"] if message.path == "engine/swap" else message.body
