"""A director, its engines and a console, at one moment: the production cores, and a network that may do anything.

What the rooms around the cores do with messages is said here again in a few lines: who asks whom, what silence means,
and what a report brings. Time goes in ticks. An engine sends one datagram a tick, under its lease.
"""

from dataclasses import dataclass, field

from msgspec.structs import replace

from blade_agent.main_board.director.sessions import effects as director_effects
from blade_agent.main_board.director.sessions import events as director_events
from blade_agent.main_board.director.sessions.course import NORMAL, Course
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from blade_agent.main_board.director.sessions.states import Ended, Paused, Streaming
from blade_agent.main_board.engine.sending.pacing import Pacing
from blade_agent.main_board.engine.turns import effects as engine_effects
from blade_agent.main_board.engine.turns import events as engine_events
from blade_agent.main_board.engine.turns.engine_stream import EngineStream
from blade_agent.main_board.engine.turns.states import Active, Given, Sent
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.streaming import Ceased, Exchange, HandOver, Next, Preload, StopCause, StreamCursor
from media_network.packets import DATAGRAM_BYTES
from media_network.refusal import Reason, Refused
from media_network.schedule import TICK_S
from media_network.segment_table import Segment
from tests.programs import program_with

RATE_BPS = round(DATAGRAM_BYTES * 8 / TICK_S)
LEASE_TICKS = 4
LOST_AFTER_TICKS = 3
DIRECTOR = "director"
CONSOLE = "127.1.200.1:5000"
FOR_EVER = 1e9


class Violation(AssertionError):
    """An invariant that does not hold."""


def address(engine):
    return Address(f"127.1.1.{engine + 2}", 8080)


ADDRESSES = {address(engine): engine for engine in range(8)}
NAMES = {str(at): engine for at, engine in ADDRESSES.items()}


def film(segments, datagrams):
    parts = [
        Segment(
            number=number,
            length_bytes=datagrams * DATAGRAM_BYTES,
            duration_ticks=datagrams * 3600,
            sha256="a" * 64,
        )
        for number in range(segments)
    ]
    return program_with(parts, rate_bps=RATE_BPS)


def told(ask):
    """What is waited for, in words."""
    return " ".join(str(part) for part in ask if not isinstance(part, tuple))


def _short(part):
    if isinstance(part, Preload):
        return f"turn {part.turn}, segment {part.segment.number}"
    if isinstance(part, Next):
        offer = part.hand_over
        return f"turn {offer.turn} at {offer.engine}" if offer else "the end"
    return str(part)


@dataclass(frozen=True)
class Flying:
    """A message on its way. `ask` is what its sender waits for; None where it waits for nothing."""

    kind: str
    to: object
    body: tuple
    ask: tuple | None
    sender: object = DIRECTOR

    def __str__(self):
        if self.kind == "answer":
            ask, body = self.body
            return f"the answer to {told(ask)}: {_short(body)}"
        sender, to = (who if who == DIRECTOR else f"engine {who}" for who in (self.sender, self.to))
        return f"{self.kind}({', '.join(map(_short, self.body))}) from {sender} to {to}"


def _whereabouts(program, trick, segment, packet):
    """The speed of a turn, and how many packets of that lie before one of them."""
    course = Course(trick.scale, trick.entered) if trick else NORMAL
    return course.scale, course.begins(program, segment) + packet


def twin_of(thing):
    """Another one with the same attributes, which are all values."""
    twin = object.__new__(type(thing))
    twin.__dict__.update(thing.__dict__)
    return twin


@dataclass
class Engine:
    """An engine: its core, what it sends, and its lease. `boot` is of the last start; `up` whether it runs."""

    boot: int = 1
    up: bool = True
    stream: EngineStream = field(default_factory=EngineStream)
    pacing: Pacing | None = None
    lease_end: int = LEASE_TICKS
    reported_at: int = -1
    draining: bool = False

    def copy(self):
        twin = twin_of(self)
        twin.stream = twin_of(self.stream)
        twin.pacing = self.pacing and twin_of(self.pacing)
        return twin

    @property
    def active(self):
        return self.stream.active if isinstance(self.stream.active, Active) else None

    @property
    def packet(self):
        return self.pacing.packet if self.active else 0


@dataclass
class Known:
    """What the director's roster has of an engine."""

    boot: int = 1
    reported_at: int = 0
    silent: bool = False
    struck: bool = False
    draining: bool = False


class World:
    """The whole of it. Actions change it in place: copy it before."""

    def __init__(self, engines=2, segments=2, datagrams=5, *, exact=False, lead=FOR_EVER, name="s"):
        """`exact`: nothing will go wrong by which a packet could be lost, and so none may be left out. `lead`: so many
        packets before the end of a segment it is near."""
        self.program = film(segments, datagrams)
        self.lead = lead
        self.name = name
        self.other = None
        """The world of another session, at the same director and the same engines."""
        self.now = 0
        terms = SessionTerms(
            session=name,
            program=self.program,
            console=CONSOLE,
            patience_s=FOR_EVER,
            lease_s=LEASE_TICKS * TICK_S,
            pause_s=FOR_EVER,
        )
        self.session = Session(terms, 0.0)
        self.engines = [Engine() for _ in range(engines)]
        self.roster = [Known() for _ in range(engines)]
        self.flying = ()
        self.asks = {}
        """What is waited for, by its name; of a settlement the tick from which silence is proof."""
        self.wake_at = None
        self.questions = 0
        self.received = (0,) * segments
        """What has been sent of each segment since the stream jumped last: a bit a packet."""
        self.jumps = ()
        """The turns with which it jumps, or was to, and where to."""
        self.run = 0
        """How many of them lie behind."""
        self.exact = exact
        self.due = (1, 0)
        """Where nothing may be left out: the speed, and how many packets lie before what comes next. None: anything."""
        self.senders = ()
        """The engines that sent it, in order."""

    def copy(self):
        twin = twin_of(self)
        twin.session = twin_of(self.session)
        twin.engines = [engine.copy() for engine in self.engines]
        twin.roster = [twin_of(known) for known in self.roster]
        twin.asks = dict(self.asks)
        return twin

    @property
    def now_s(self):
        return self.now * TICK_S

    def begin_at(self, number):
        """A console asks, and is redirected to this engine."""
        for engine, known in enumerate(self.roster):
            known.silent = engine != number
        self.direct(director_events.PlayAsked())
        for known in self.roster:
            known.silent = False

    # What the director's core wants

    def direct(self, event):
        waiting = [event]
        while waiting:
            for effect in self.session.on(waiting.pop(0), self.now_s):
                match effect:
                    case director_effects.SeekEngine(sought):
                        waiting.append(self._seek(sought))
                    case director_effects.GetReady(turn=turn):
                        if turn.left:
                            self.jumps = (*self.jumps, (turn.number, (turn.segment, turn.packet)))
                        self._send("PRELOAD", ADDRESSES[turn.engine], (self._order(turn),), ("preload", turn.number))
                    case director_effects.BeginTurn(turn):
                        body = (turn.number, turn.packet, 0)
                        self._send("START", ADDRESSES[turn.engine], body, ("start", turn.number))
                    case director_effects.SettleTurn(turn):
                        self._settle(turn)
                    case director_effects.CeaseTurn(turn):
                        self._send("CEASE", ADDRESSES[turn.engine], (turn.number,), None)
                    case director_effects.SuspectEngine(engine):
                        self.roster[ADDRESSES[engine]].silent = True
                    case director_effects.RedirectConsole(turn):
                        self._send("STREAM", ADDRESSES[turn.engine], (turn.number, 0, 0), None)
                    case director_effects.NameNext(asked=asked, next=turn):
                        self._answer_next(asked.question, turn)
                    case director_effects.RefuseNext(asked=asked, refused=refused):
                        self._answer(("next", asked.question), refused)
                    case director_effects.WakeAt(at):
                        self.wake_at = at

    def _seek(self, sought):
        """As the roster chooses: who is there, and has not the stream already, before who has."""
        unfit = {NAMES[name] for name in sought.unfit}
        excluded = {ADDRESSES[engine] for engine in sought.excluded}
        if sought.whole and (exchanged := self._exchange(sought, excluded | unfit)):
            return exchanged
        charged = {ADDRESSES[turn.engine] for turn in self.session.state.turns}
        for barred in (excluded | unfit, excluded):
            there = [
                engine
                for engine, known in enumerate(self.roster)
                if known.boot and not known.silent and engine not in barred
            ]
            if there:
                engine = min(there, key=lambda one: (self.roster[one].draining, one in charged, one))
                return director_events.EngineFound(
                    sought=sought, engine=address(engine), boot=str(self.roster[engine].boot)
                )
        return director_events.NobodyFound(sought=sought, refused=Refused(Reason.NO_ENGINE))

    def _exchange(self, sought, barred):
        """An engine is full with the other stream: it gives that, if it may."""
        state = self.other and self.other.session.state
        if not isinstance(state, Streaming) or state.next or not isinstance(self.session.state, Streaming):
            return None
        holder, asking = state.holder, self.session.state.holder
        known = self.roster[ADDRESSES[holder.engine]]
        if ADDRESSES[holder.engine] in barred or known.silent or holder.engine == asking.engine:
            return None
        self.other.direct(director_events.ExchangeAsked(engine=asking.engine, boot=asking.boot))
        offered = self.other.session.state.offer
        if offered is None or offered.engine != asking.engine:
            return None
        exchange = Exchange(session=self.other.name, turn=holder.number, next_turn=offered.number)
        return director_events.EngineFound(sought=sought, engine=holder.engine, boot=str(known.boot), exchange=exchange)

    def _settle(self, turn):
        engine = ADDRESSES[turn.engine]
        known = self.roster[engine]
        heard_at = known.reported_at if str(known.boot) == turn.boot else self.now
        self.asks["settle", turn.number] = heard_at + LEASE_TICKS
        self._send("CEASE", engine, (turn.number,), ("settle", turn.number))

    def _order(self, turn):
        return Preload(
            epoch=1,
            session=self.name,
            turn=turn.number,
            program="film",
            table=self.program.header.table,
            segment=self.program.segments[turn.segment],
            rate_bps=RATE_BPS,
            console=CONSOLE,
            packet=turn.packet,
            trick=turn.course.trick(self.program, turn.segment),
        )

    def _answer_next(self, question, turn):
        if turn is None:
            return self._answer(("next", question), Next(None))
        segment = self.program.segments[turn.segment]
        offer = HandOver(
            turn=turn.number,
            engine=str(turn.engine),
            segment=segment,
            packet=turn.packet,
            exchange=turn.exchange,
            trick=turn.course.trick(self.program, turn.segment),
        )
        return self._answer(("next", question), Next(offer))

    # What an engine's core wants

    def engage(self, number, event):
        """Have an engine take an event; returns what it answers."""
        engine, answer = self.engines[number], None
        for effect in engine.stream.on(event):
            match effect:
                case engine_effects.OpenSegment(order, given):
                    answer = self.engage(number, engine_events.SegmentOpened(order, given))
                case engine_effects.BeginSending(packet=packet, due_at=due_at):
                    order = engine.active.order
                    engine.pacing = Pacing(RATE_BPS, order.packets, packet, due_at)
                    self._near_end(number)
                case engine_effects.CutSending():
                    engine.pacing.cut(TICK_S, self.now_s)
                case engine_effects.ResumeSending():
                    engine.pacing.go_on()
                case engine_effects.GiveAway(given):
                    if not engine.active or engine.active.turn != engine.stream.past.started:
                        raise Violation("a stream is given away, and the one that is given for it has not begun")
                    self.other.engage(number, engine_events.GivenAway(given))
                case engine_effects.SayAssumed(order=order, packet=packet):
                    self._say(number, "ASSUMED", (order.turn, packet))
                case engine_effects.AskNext(asking):
                    self._ask_next(number, asking)
                case engine_effects.PreloadNeighbour(preloading):
                    self._preload_neighbour(number, preloading)
                case engine_effects.StartNeighbour(starting):
                    self._start_neighbour(number, starting)
                case engine_effects.SayStopped(stand=stand, cause=cause):
                    self._say(number, "STOPPED", (stand.turn, stand.segment, stand.packet, cause))
                case engine_effects.ConfirmOrder() | engine_effects.RefuseOrder() | engine_effects.TellStand():
                    answer = effect
        return answer

    def _near_end(self, number):
        engine = self.engines[number]
        if engine.active.order.packets - engine.pacing.packet <= self.lead:
            self.engage(number, engine_events.EndNeared(engine.active.turn))

    def _say(self, number, kind, body):
        """Say it to the director, until it has heard."""
        ask = (kind, number, self.engines[number].boot, body)
        self.asks[ask] = None
        self._send(kind, DIRECTOR, body, ask, number)

    def _ask_next(self, number, asking):
        self.questions += 1
        engine = self.engines[number]
        leaves = engine.active.hurried or engine.active.foreseen or engine.pacing.is_cut
        cut = engine.pacing.packet if leaves else None
        parts = (asking.turn, asking.order.segment.number, cut, asking.failed, asking.doubtful, asking.foreseen)
        body = (self.questions, *parts)
        ask = ("next", self.questions)
        self.asks[ask] = (number, engine.boot, asking.turn, body)
        self._send("NEXT", DIRECTOR, body, ask, number)

    def _preload_neighbour(self, number, preloading):
        order, offer = preloading.order, preloading.offer
        message = Preload(
            epoch=1,
            session=self.name,
            turn=offer.turn,
            program="film",
            table=order.table,
            segment=offer.segment,
            rate_bps=RATE_BPS,
            console=CONSOLE,
            packet=offer.packet,
            trick=offer.trick,
        )
        target = NAMES[offer.engine]
        if preloading.foreseen and offer.segment.number == order.segment.number:
            ask = ("ready", number, self.engines[number].boot, order.turn)
            self._send("SWAP", target, (message, offer.exchange), ask, number)
            return
        if target == number:
            answer = self.engage(number, engine_events.PreloadOrdered(message))
            ready = isinstance(answer, engine_effects.ConfirmOrder)
            self.engage(number, engine_events.NeighbourAnswered(order.turn, ready))
            return
        self._send("PRELOAD", target, (message,), ("ready", number, self.engines[number].boot, order.turn), number)

    def _start_neighbour(self, number, starting):
        engine, offer = self.engines[number], starting.offer
        target = NAMES[offer.engine]
        if self.now >= engine.lease_end:
            self._started(number, starting.turn, StartOutcome.REFUSED)
            return
        within = offer.segment.number == starting.order.segment.number
        due_in = max(0, round(engine.pacing.end_s / TICK_S) - self.now)
        body = (offer.turn, engine.pacing.packet if within else 0, due_in)
        if target == number:
            answer = self._start(number, body)
            taken = isinstance(answer, engine_effects.ConfirmOrder)
            self._started(number, starting.turn, StartOutcome.TAKEN if taken else StartOutcome.REFUSED)
            return
        self._send("START", target, body, ("started", number, engine.boot, starting.turn), number)

    def _started(self, number, turn, outcome):
        self.engage(number, engine_events.NeighbourStarted(turn, self.engines[number].packet, outcome))

    def _start(self, number, body):
        turn, packet, due_in = body
        engine = self.engines[number]
        order = engine_events.StartOrdered(
            turn=turn,
            packet=packet,
            due_at=(self.now + due_in) * TICK_S,
            leased=self.now < engine.lease_end,
            draining=engine.draining,
            at=engine.packet,
        )
        return self.engage(number, order)

    # Messages

    def _send(self, kind, to, body, ask, sender=DIRECTOR):
        if ask is not None:
            self.asks.setdefault(ask, None)
        self.flying = (*self.flying, Flying(kind, to, body, ask, sender))

    def _answer(self, ask, body, sender=DIRECTOR):
        if ask is not None:
            self.flying = (*self.flying, Flying("answer", None, (ask, body), None, sender))

    def deliver(self, message):
        """A message arrives, and is gone from the network."""
        flying = list(self.flying)
        flying.remove(message)
        self.flying = tuple(flying)
        if message.kind == "answer":
            self._hear_answer(*message.body)
        elif message.to == DIRECTOR:
            self._hear_at_director(message)
        elif not self.engines[message.to].up:
            self._refused(message)
        else:
            self._hear_at_engine(message)

    def _refused(self, message):
        """Nothing listens there: its process is gone."""
        if message.ask is None:
            return
        kind = message.ask[0]
        refusal = {"preload": False, "start": StartOutcome.REFUSED, "settle": director_events.Silence()}
        self._hear_answer(message.ask, refusal.get(kind, {"ready": False, "started": StartOutcome.REFUSED}.get(kind)))

    def _hear_at_engine(self, message):
        number, ask = message.to, message.ask
        engine = self.engines[number]
        match message.kind:
            case "PRELOAD":
                answer = self.engage(number, engine_events.PreloadOrdered(message.body[0]))
                self._answer(ask, isinstance(answer, engine_effects.ConfirmOrder), number)
            case "SWAP":
                self._answer(ask, self._swap(message), number)
            case "START" | "STREAM":
                taken = isinstance(self._start(number, message.body), engine_effects.ConfirmOrder)
                self._answer(ask, StartOutcome.TAKEN if taken else StartOutcome.REFUSED, number)
            case "CEASE":
                order = engine_events.CeaseOrdered(turn=message.body[0], cause=StopCause.FAILED, packet=engine.packet)
                stand = self.engage(number, order).stand
                cursor = stand and StreamCursor(
                    session=self.name, turn=stand.turn, segment=stand.segment, packet=stand.packet
                )
                self._answer(ask, Ceased(str(engine.boot), cursor), number)

    def _swap(self, message):
        """What an engine answers that is asked for a swap: whether it is ready, and what it gives."""
        number, (order, exchange) = message.to, message.body
        if exchange is None:
            answer = self.engage(number, engine_events.PreloadOrdered(order))
            return isinstance(answer, engine_effects.ConfirmOrder), None
        other = self.other.engines[number]
        if not other.active or other.active.turn != exchange.turn or other.active.sent is not Sent.GOING:
            return False, None
        going = other.active.order
        offer = HandOver(turn=exchange.next_turn, engine=str(address(message.sender)), segment=going.segment)
        given = Given(session=exchange.session, turn=exchange.turn, offer=offer)
        answer = self.engage(number, engine_events.PreloadOrdered(order, given))
        returned = replace(going, turn=exchange.next_turn, packet=other.packet)
        return isinstance(answer, engine_effects.ConfirmOrder), returned

    def _swapped(self, number, body):
        """Whether who asked for a swap is ready, too, for what comes back."""
        ready, returned = body
        if ready and returned:
            answer = self.other.engage(number, engine_events.PreloadOrdered(returned))
            return isinstance(answer, engine_effects.ConfirmOrder)
        return ready

    def _hear_at_director(self, message):
        match message.kind, message.body:
            case "ASSUMED", (turn, packet):
                self.direct(director_events.TurnAssumed(turn=turn, packet=packet))
                self._answer(message.ask, self.session.sends(turn))
            case "STOPPED", (turn, segment, packet, cause):
                self.direct(director_events.TurnStopped(turn=turn, cause=cause, segment=segment, packet=packet))
                self._answer(message.ask, True)
            case "NEXT", (question, turn, segment, packet, failed, doubtful, foreseen):
                asked = director_events.NextAsked(
                    question=question,
                    turn=turn,
                    number=question,
                    segment=segment,
                    packet=packet,
                    failed=frozenset(failed),
                    doubtful=doubtful,
                    foreseen=foreseen,
                )
                self.direct(asked)
            case "REPORT", (boot, sent_at, cursor):
                self._hear_report(message.sender, boot, sent_at, cursor, message.ask)

    def _hear_report(self, number, boot, sent_at, cursor, ask):
        known = self.roster[number]
        if boot != known.boot:
            if boot < known.boot:
                return  # of a boot that is gone
            self.direct(director_events.EngineLost(engine=address(number), boot=str(known.boot), gone=True))
            known.boot, known.draining = boot, False
        known.reported_at, known.silent, known.struck = self.now, False, False
        revoked = [turn.number for turn in (self.session.state.settling,) if turn and turn.engine == address(number)]
        if cursor:
            turn, segment, reach = cursor
            self.direct(director_events.TurnAssumed(turn=turn))
            if not self.session.sends(turn):
                revoked.append(turn)
            mark = Mark(turn=turn, segment=segment, packet=reach, until=(sent_at + 1) * TICK_S)
            self.direct(director_events.SenderReported(mark))
        sender = self.session.state.sender
        if sender and sender.engine == address(number) and not (cursor and cursor[0] == sender.number):
            there = all(
                str(self.roster[ADDRESSES[turn.engine]].boot) == turn.boot
                and not self.roster[ADDRESSES[turn.engine]].silent
                for turn in self.session.state.turns[1:]
            )
            self.direct(director_events.SenderUnnamed(next_answers=there, sent_at=sent_at * TICK_S))
        self._answer(ask, tuple(revoked))

    def _hear_answer(self, ask, body):
        if ask not in self.asks:
            return
        waited = self.asks.pop(ask)
        match ask:
            case "preload", turn:
                ready = director_events.GotReady(turn) if body else director_events.NotReady(turn)
                if not body:
                    self._suspect_of(turn)
                self.direct(ready)
            case "start", turn:
                if body is not StartOutcome.TAKEN:
                    self._suspect_of(turn)
                self.direct(director_events.StartAnswered(turn=turn, outcome=body))
            case "settle", turn:
                if isinstance(body, director_events.Silence):
                    self._suspect_of(turn)
                self.direct(director_events.TurnSettled(turn=turn, answer=body))
            case "next", _:
                number, boot, turn, _ = waited
                if self._runs(number, boot):
                    self.engage(number, engine_events.NextAnswered(turn, self.engines[number].packet, body))
            case ("ASSUMED" as kind, number, boot, (turn, _)) if self._runs(number, boot):
                del kind
                answered = engine_events.AssumptionAnswered(turn, self.engines[number].packet, refused=not body)
                self.engage(number, answered)
            case ("ready", number, boot, turn) if self._runs(number, boot):
                body = self._swapped(number, body) if isinstance(body, tuple) else body
                self.engage(number, engine_events.NeighbourAnswered(turn, body))
            case ("started", number, boot, turn) if self._runs(number, boot):
                self._started(number, turn, body)
            case ("report", number, boot, sent_at) if self._runs(number, boot):
                engine = self.engines[number]
                for turn in body:
                    self.engage(number, engine_events.TurnRevoked(turn=turn, packet=engine.packet))
                engine.lease_end = max(engine.lease_end, sent_at + LEASE_TICKS)

    def _runs(self, number, boot):
        """Whether this very boot of an engine is there to hear something."""
        return self.engines[number].up and self.engines[number].boot == boot

    def _suspect_of(self, turn):
        for given in self.session.state.turns:
            if given.number == turn:
                self.roster[ADDRESSES[given.engine]].silent = True

    # What may happen at any moment

    def give_up(self, ask):
        """Who asks has waited for as long as it does."""
        match ask:
            case "preload", _:
                self._hear_answer(ask, body=False)
            case "start", _:
                self._hear_answer(ask, StartOutcome.DOUBTFUL)
            case "settle", _:
                self._hear_answer(ask, director_events.Silence())
            case "next", _:
                number, boot, turn, body = self.asks.pop(ask)
                engine = self.engines[number]
                if not self._runs(number, boot) or not engine.active or engine.active.turn != turn:
                    return
                if self.now > max(engine.pacing.end_s / TICK_S, 0) + LEASE_TICKS:
                    self.engage(number, engine_events.NextAnswered(turn, engine.packet, None))
                else:
                    self.asks[ask] = (number, boot, turn, body)
                    self._send("NEXT", DIRECTOR, body, ask, number)
            case ("ready", _, _, _):
                self._hear_answer(ask, body=False)
            case ("started", _, _, _):
                self._hear_answer(ask, StartOutcome.DOUBTFUL)
            case ("report", _, _, _):
                del self.asks[ask]
            case (kind, number, boot, body):
                if self._runs(number, boot):
                    self._send(kind, DIRECTOR, body, ask, number)
                else:
                    del self.asks[ask]

    def report(self, number):
        """An engine says where it stands."""
        engine = self.engines[number]
        engine.reported_at = self.now
        cursor = None
        if engine.active:
            reach = engine.pacing.reach((self.now + 1) * TICK_S)
            cursor = (engine.active.turn, engine.active.order.segment.number, reach)
        ask = ("report", number, engine.boot, self.now)
        self._send("REPORT", DIRECTOR, (engine.boot, self.now, cursor), ask, number)

    def crash(self, number):
        self.engines[number] = Engine(boot=self.engines[number].boot, up=False, lease_end=self.now)

    def reboot(self, number):
        self.engines[number] = Engine(boot=self.engines[number].boot + 1, lease_end=self.now)

    def lose(self, number, *, gone):
        """The director takes an engine for lost."""
        known = self.roster[number]
        known.silent = True
        known.struck = gone
        boot = str(known.boot)
        self.direct(director_events.EngineLost(engine=address(number), boot=boot, gone=gone))

    def drain(self, number):
        """A person wants the blade of an engine."""
        self.engines[number].draining = self.roster[number].draining = True
        self.engage(number, engine_events.DrainOrdered())

    def foresee(self, number):
        """An engine will need more of a segment than it has by then."""
        self.engage(number, engine_events.UnderrunForeseen(self.engines[number].active.turn))

    def avert(self, number):
        """It will not, after all."""
        self.engage(number, engine_events.UnderrunAverted(self.engines[number].active.turn))

    def order(self, event):
        """The console pauses, resumes or seeks."""
        self.direct(event)

    def leave(self):
        """The console is not there any more."""
        for effect in self.session.on(director_events.LookedRound(), 2 * FOR_EVER):
            if isinstance(effect, director_effects.CeaseTurn):
                turn = effect.turn
                self._send("CEASE", ADDRESSES[turn.engine], (turn.number,), None)

    def tick(self):
        """Time passes. Who has a stream and a lease sends a datagram; who has no lease any more stops."""
        sending = []
        for number, engine in enumerate(self.engines):
            if engine.active and self.now < engine.lease_end:
                packets = engine.pacing.due_packets((self.now + 1) * TICK_S)
                if packets:
                    sending.append(number)
                    self._send_packets(engine, packets)
        if len(sending) > 1:
            raise Violation(f"engines {sending} send at once")
        if sending and isinstance(self.session.state, Paused):
            raise Violation(f"engine {sending[0]} sends though the stream is paused")
        self.now += 1
        for number, engine in enumerate(self.engines):
            if engine.active and engine.active.sent is Sent.GOING:
                self._near_end(number)
            if engine.active and engine.pacing.all_sent and engine.active.sent is not Sent.ALL:
                self.engage(number, engine_events.AllLeft(engine.active.turn, engine.packet))
            if not engine.stream.idle and self.now >= engine.lease_end:
                self.engage(number, engine_events.LeaseEnded(engine.packet))
        sender = self.session.state.sender
        if sender:
            known = self.roster[ADDRESSES[sender.engine]]
            if known.struck or str(known.boot) != sender.boot:
                self.direct(director_events.EngineLost(engine=sender.engine, boot=sender.boot, gone=True))
        if self.wake_at is not None and self.now_s >= self.wake_at:
            self.wake_at = None
            self.direct(director_events.Woken())

    def _send_packets(self, engine, packets):
        segment, first = engine.active.order.segment.number, engine.pacing.packet
        self._see_run(engine.active.turn, (segment, first))
        number = self.engines.index(engine)
        if self.senders[-1:] != (number,):
            self.senders = (*self.senders, number)
        trick = engine.active.order.trick
        at = _whereabouts(self.program, trick, segment, first)
        if self.exact and self.due is not None and at != self.due:
            raise Violation(f"packet {first} of segment {segment} is sent, {at}, and {self.due} was due")
        self.due = (at[0], at[1] + packets)
        sent = ((1 << packets) - 1) << first
        if again := sent & self.received[segment]:
            raise Violation(f"packet {(again & -again).bit_length() - 1} of segment {segment} is sent again")
        received = list(self.received)
        received[segment] |= sent
        self.received = tuple(received)
        engine.pacing.sent(packets)

    def _see_run(self, turn, begins):
        run = sum(turn >= jump for jump, _ in self.jumps)
        if run < self.run:
            raise Violation(f"turn {turn} is sent, and the stream has jumped from there")
        if run > self.run:
            self.run, self.received, self.due = run, (0,) * len(self.received), None
            jump, to = self.jumps[run - 1]
            if turn == jump and begins != to:
                raise Violation(f"the stream jumps to {begins}, and was to jump to {to}")

    # What is so

    @property
    def over(self):
        """The session has ended, and no engine has anything of it."""
        return isinstance(self.session.state, Ended) and not any(engine.active for engine in self.engines)
