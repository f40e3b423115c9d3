"""All that can happen to a world, breadth first: each state once, engines that are alike folded, the way to it kept."""

from collections import deque
from dataclasses import dataclass
from functools import partial

from msgspec import Struct
from msgspec.structs import astuple

from blade_agent.main_board.director.sessions.events import PauseAsked, ResumeAsked, ScaleAsked, SeekAsked
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.states import (
    AwaitingEnlistment,
    Doubting,
    Paused,
    Redirected,
    Resuming,
    Streaming,
)
from media_network.address import Address
from media_network.schedule import TICK_S
from media_network.segment_table import Segment
from tests.explorer.world import ADDRESSES, LEASE_TICKS, LOST_AFTER_TICKS, NAMES, Violation, World, told

CALM_STEPS = 400
_STEPS_A_STATE = 3
"""So many steps, or a few less, lead to a state that was not seen yet, and the others to one that was."""


@dataclass(frozen=True)
class Faults:
    """How much may go wrong on one way."""

    losses: int = 1
    repetitions: int = 1
    crashes: int = 1
    late: int = 1
    """Answers that come after who asked has given up."""
    gone: int = 0
    """Consoles that leave."""
    orders: int = 0
    """Times that a console pauses, resumes or seeks."""
    drains: int = 0
    scales: tuple[int, ...] = ()
    """The speeds that one of those orders may be, too."""
    foresights: int = 0
    """Times that an engine foresees an underrun, or that it does not come after all."""


@dataclass
class Found:
    """What a search has seen."""

    states: int
    depth: int
    violation: str = ""
    trace: tuple[str, ...] = ()


def actions(world, faults):
    """Everything that may happen next: its name, what it costs, and what it does."""
    yield "a tick", "", World.tick
    yield from of_messages(world, faults)
    yield from of_patience(world, faults)
    for number in range(len(world.engines)):
        yield from of_engine(world, number, faults)
    if faults.gone:
        yield "the console leaves", "gone", World.leave
    if faults.orders:
        for name, event in _of_console(world, faults.scales):
            yield name, "orders", partial(World.order, event=event)


def _of_console(world, scales):
    state = world.session.state
    if isinstance(state, Streaming | Doubting | AwaitingEnlistment | Resuming | Paused):
        for segment in range(len(world.program.segments)):
            yield f"the console seeks segment {segment}", SeekAsked((segment, 0))
        if isinstance(state, Paused) or (isinstance(state, Resuming) and state.aim.paused):
            yield "the console resumes", ResumeAsked()
        else:
            yield "the console pauses", PauseAsked()
        for scale in scales:
            yield f"the console wants it {scale} times as fast", ScaleAsked(scale)


def of_messages(world, faults):
    for message in dict.fromkeys(world.flying):
        yield f"arrives: {message}", "", partial(World.deliver, message=message)
        if faults.losses:
            yield f"is lost: {message}", "losses", partial(drop, message=message)
        if faults.repetitions and message.kind != "answer":
            yield f"is repeated: {message}", "repetitions", partial(repeat, message=message)


def of_patience(world, faults):
    for ask in world.asks:
        cost = None if world.exact and ask[0] == "settle" else patience(world, ask)
        if cost is not None and (not cost or getattr(faults, cost)):
            yield f"no answer: {told(ask)}", cost, partial(World.give_up, ask=ask)


def of_engine(world, number, faults, whole=World):
    """What may happen to an engine; to all of `whole`, of which `world` shows one session."""
    engine, known = world.engines[number], world.roster[number]
    if engine.up and engine.reported_at < world.now and not reports(world, number):
        yield f"engine {number} reports", "", partial(whole.report, number=number)
    if engine.up and faults.crashes:
        yield f"engine {number} crashes", "crashes", partial(whole.crash, number=number)
    if engine.up and faults.drains and not engine.draining:
        yield f"engine {number} drains", "drains", partial(whole.drain, number=number)
    if not engine.up:
        yield f"engine {number} is up again", "", partial(whole.reboot, number=number)
        if not known.silent:
            yield f"the line to engine {number} breaks", "", partial(whole.lose, number=number, gone=True)
    silent_for = world.now - known.reported_at
    if silent_for >= LOST_AFTER_TICKS and not (known.silent or world.exact):
        gone = silent_for > LEASE_TICKS
        yield f"engine {number} is silent", "", partial(whole.lose, number=number, gone=gone)


def reports(world, number):
    return any(ask[0] == "report" and ask[1] == number for ask in world.asks)


def patience(world, ask):
    """What giving up costs now; None where it cannot be."""
    if ask[0] == "settle":
        return "" if world.now >= world.asks[ask] else None
    under_way = any(
        message.ask == ask or (message.kind == "answer" and message.body[0] == ask) for message in world.flying
    )
    if ask[0] in {"next", "ASSUMED", "STOPPED"}:
        return None if under_way else ""
    return "late" if under_way else ""


def drop(world, message):
    """It is lost."""
    flying = list(world.flying)
    flying.remove(message)
    world.flying = tuple(flying)


def repeat(world, message):
    """It comes twice."""
    world.flying = (*world.flying, message)


def search(start, faults, *, depth, states_max=10**9, check_calm=0, ways=None):
    """Look at every state that is no more than `depth` steps from `start`.

    Of every `check_calm`th one it is seen whether the session ends when nothing goes wrong any more; 0: of none.
    `ways`: how to look at what is no `World`.
    """
    actions, key, calm = ways or WAYS
    seen = {key(start, faults)}
    frontier = deque([(start, faults, None, 0)])
    looked_at = 1
    reached = 0
    while frontier:
        world, left, way, far = frontier.popleft()
        if looked_at >= states_max:
            break
        reached = far + 1
        for name, cost, act in actions(world, left):
            twin = world.copy()
            step = (way, name)
            try:
                act(twin)
            except Violation as violation:
                return Found(looked_at, reached, str(violation), unwind(step))
            if reached < depth:
                after = _paid(left, cost)
                mark = key(twin, after)
                if mark in seen:
                    continue
                seen.add(mark)
                frontier.append((twin, after, step, reached))
            # Where no step follows, telling whether a state was seen already would cost more than to look again.
            looked_at += 1
            every = check_calm if reached < depth else check_calm * _STEPS_A_STATE
            if every and looked_at % every == 0 and (wrong := calm(twin)):
                return Found(looked_at, reached, wrong, unwind(step))
    return Found(looked_at, reached)


def _paid(faults, cost):
    if not cost:
        return faults
    left = {name: getattr(faults, name) for name in Faults.__dataclass_fields__}
    return Faults(**{**left, cost: left[cost] - 1})


def unwind(step):
    """The steps that led here, first to last."""
    names = []
    while step:
        step, name = step
        names.append(name)
    return tuple(reversed(names))


def calm(world):
    """Let all go well from here on; says what is wrong if the session does not end then, or something is sent twice."""
    twin = world.copy()
    try:
        for _ in range(CALM_STEPS):
            _calm_step(twin)
            if twin.over:
                return ""
    except Violation as violation:
        return f"when all goes well: {violation}"
    return f"a session for ever: {twin.session.state}"


def _calm_step(world):
    for number, engine in enumerate(world.engines):
        if not engine.up:
            if not world.roster[number].silent:
                world.lose(number, gone=True)
            world.reboot(number)
    exchange_in_calm(world)
    for number, engine in enumerate(world.engines):
        if engine.up and not reports(world, number):
            world.report(number)
    world.tick()


def exchange_in_calm(world):
    """All that was said arrives, and the console does what ends its session."""
    for _ in range(40):
        if world.flying:
            world.deliver(world.flying[0])
    for ask in list(world.asks):
        if ask in world.asks and patience(world, ask) == "":
            world.give_up(ask)
    if isinstance(world.session.state, Paused):
        world.order(ResumeAsked())
    if isinstance(world.session.state, Redirected) and not any(one.kind == "STREAM" for one in world.flying):
        world.leave()  # its console has asked in vain, and asks anew


_OLD = -60
"""Times that lie so many ticks back, or further, are one."""


def key(world, faults, names=None):
    """What tells a world from others: times count from now, engines are called in the order in which they appear."""
    names = {} if names is None else names
    written = [
        _written(world.session.state, world, names),
        world.session._turns_given,
        world.session._asked,
        _written(world.session._mark, world, names),
        world.wake_at and _since(world.wake_at, world),
        world.received,
        world.jumps,
        world.run,
        world.exact and world.due,
        faults,
    ]
    engines = [_engine(engine, known, world, names) for engine, known in zip(world.engines, world.roster, strict=True)]
    flying = [_message(message, world, names) for message in world.flying]
    asks = [_ask(ask, since, world, names) for ask, since in world.asks.items()]
    in_order = sorted(range(len(engines)), key=lambda engine: names.setdefault(engine, len(names)))
    return hash((*written, *(engines[engine] for engine in in_order), frozenset(_counted(flying)), frozenset(asks)))


def _engine(engine, known, world, names):
    pacing = engine.pacing
    return (
        engine.up,
        known.boot == engine.boot,
        engine.reported_at < world.now,
        known.silent,
        known.struck,
        engine.draining,
        max(-LEASE_TICKS - 1, known.reported_at - world.now),
        max(-1, engine.lease_end - world.now),
        _written(engine.stream.ready, world, names),
        _written(engine.stream.given, world, names),
        _written(engine.stream.active, world, names),
        _written(engine.stream.past, world, names),
        pacing and (pacing.packet, pacing.is_cut, _since(pacing.end_s, world)),
    )


def _message(message, world, names):
    if message.kind == "REPORT":
        boot, sent_at, cursor = message.body
        return ("REPORT", _name(message.sender, names), boot, sent_at - world.now, cursor)
    if message.kind == "answer":
        ask, body = message.body
        return ("answer", _ask(ask, world.asks.get(ask), world, names), _written(body, world, names))
    to = message.to if isinstance(message.to, str) else _name(message.to, names)
    return (
        message.kind,
        to,
        _written(message.body, world, names),
        message.ask and _ask(message.ask, world.asks.get(message.ask), world, names),
    )


def _ask(ask, since, world, names):
    kind = ask[0]
    if kind == "settle":
        return (*ask, since is not None and max(0, since - world.now))
    if kind in {"preload", "start"}:
        return ask
    if kind == "next":
        return (kind, since and (_name(since[0], names), since[1], _written(since[3][1:], world, names)))
    if kind == "report":
        return (kind, _name(ask[1], names), ask[2], ask[3] - world.now)
    return (kind, _name(ask[1], names), *ask[2:])


def _counted(flying):
    """Messages that are alike, with how many there are."""
    return [(message, flying.count(message)) for message in set(flying)]


def _written(thing, world, names):
    """A value with its engines called by their order, and its times by how long ago they are."""
    kind = type(thing)
    write = _WRITTEN[kind] if kind in _WRITTEN else _WRITTEN.setdefault(kind, _writer(kind))
    return write(thing, world, names) if write else thing


def _write_given_turn(turn, world, names):
    at = max(_OLD, _since(turn.given_at, world))
    where = (turn.segment, turn.packet, turn.course, turn.left, turn.exchange)
    return (turn.number, _name(ADDRESSES[turn.engine], names), turn.boot, at, where)


def _write_struct(struct, world, names):
    return (type(struct).__name__, *[_written(part, world, names) for part in astuple(struct)])


def _write_text(text, _, names):
    return _name(NAMES[text], names) if text in NAMES else text


_WRITERS = {
    GivenTurn: _write_given_turn,
    Segment: lambda segment, *_: segment.number,
    Address: lambda address, _, names: _name(ADDRESSES[address], names),
    str: _write_text,
    float: lambda seconds, world, _: _since(seconds, world),
    Struct: _write_struct,
    tuple: lambda parts, world, names: tuple([_written(part, world, names) for part in parts]),
    frozenset: lambda parts, world, names: frozenset([_written(part, world, names) for part in parts]),
    Mark: lambda mark, world, _: (mark.turn, mark.segment, mark.packet, max(_OLD, _since(mark.until, world))),
}
"""By kind, the first that fits; what is none of these stands for itself."""
_WRITTEN = {}
"""The same by the very class."""


def _writer(kind):
    return next((write for base, write in _WRITERS.items() if issubclass(kind, base)), None)


def _name(engine, names):
    return names.setdefault(engine, len(names))


def _since(seconds, world):
    return round((seconds - world.now_s) / TICK_S)


WAYS = actions, key, calm
"""What may happen next, what tells one from others, and what is wrong if all goes well from there."""
