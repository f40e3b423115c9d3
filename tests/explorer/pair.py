"""Two sessions of one director, at the same three engines: what one engine does, or suffers, it does with both.

Each session is a world of its own. They share the engines' lives, their leases and reports, and the time; what leads
from one to the other is the swap (claim 22).
"""

from functools import partial

from blade_agent.main_board.engine.turns.states import Asking, Assuming, Sent, Underway
from tests.explorer.search import (
    CALM_STEPS,
    exchange_in_calm,
    key,
    of_engine,
    of_messages,
    of_patience,
    reports,
)
from tests.explorer.world import Violation, World

NAMES = ("s", "t")
_LEAD = 14
"""Packets: two datagrams before the end of a segment it is near."""


class Pair:
    """Both of them. Actions change them in place: copy them before."""

    def __init__(self, worlds):
        self.worlds = worlds
        first, second = worlds
        first.other, second.other = second, first

    @classmethod
    def of(cls, engines=3, segments=1, datagrams=6, *, exact=False):
        """Nobody has asked for anything yet."""
        return cls(tuple(World(engines, segments, datagrams, exact=exact, lead=_LEAD, name=name) for name in NAMES))

    def copy(self):
        return Pair(tuple(world.copy() for world in self.worlds))

    # What happens to both

    def tick(self):
        for world in self.worlds:
            world.tick()

    def report(self, number):
        for world in self.worlds:
            world.report(number)

    def crash(self, number):
        for world in self.worlds:
            world.crash(number)

    def reboot(self, number):
        for world in self.worlds:
            world.reboot(number)

    def lose(self, number, *, gone):
        for world in self.worlds:
            world.lose(number, gone=gone)

    def drain(self, number):
        for world in self.worlds:
            world.drain(number)

    # What happens to one of them: a report is about both

    def act(self, which, act):
        """Do something in a world, and in the other one what is the same thing there."""
        act(self.worlds[which])
        if twin := self._twin(which, act):
            twin()

    def _twin(self, which, act):
        message = act.keywords.get("message")
        if message is None or not _is_of_report(message):
            return None
        other = self.worlds[1 - which]
        for one in other.flying:
            if _is_of_report(one) and _report(one) == _report(message):
                return partial(act.func, other, message=one)
        return None


def _is_of_report(message):
    return message.kind == "REPORT" or (message.kind == "answer" and message.body[0] and message.body[0][0] == "report")


def _report(message):
    return ("asked", message.ask) if message.kind == "REPORT" else ("answered", message.body[0])


def actions(pair, faults):
    """Everything that may happen next: its name, what it costs, and what it does."""
    yield "a tick", "", Pair.tick
    for which, world in enumerate(pair.worlds):
        for name, cost, act in (*of_messages(world, faults), *of_patience(world, faults)):
            message = act.keywords.get("message")
            if which and message and _is_of_report(message):
                continue  # it comes, or is lost, with the other one's
            ask = act.keywords.get("ask")
            if ask and ask[0] == "report":
                if not which:
                    yield f"{name}", cost, partial(_give_up_report, ask=ask)
                continue
            yield f"{world.name}: {name}", cost, partial(Pair.act, which=which, act=act)
    for number in range(len(pair.worlds[0].engines)):
        yield from of_engine(pair.worlds[0], number, faults, Pair)
    if faults.foresights:
        yield from _foresights(pair)


def _give_up_report(pair, ask):
    for world in pair.worlds:
        if ask in world.asks:
            world.give_up(ask)


def _foresights(pair):
    for which, world in enumerate(pair.worlds):
        for number, engine in enumerate(world.engines):
            match engine.active:
                case Underway(sent=Sent.GOING, foreseen=False) | Assuming(sent=Sent.GOING, foreseen=False):
                    act = partial(World.foresee, number=number)
                    yield (
                        f"{world.name}: engine {number} foresees",
                        "foresights",
                        partial(Pair.act, which=which, act=act),
                    )
                case Asking(foreseen=True):
                    act = partial(World.avert, number=number)
                    yield f"{world.name}: engine {number} averts", "foresights", partial(Pair.act, which=which, act=act)


def pair_key(pair, faults):
    """What tells a pair from others."""
    names = {}
    return hash(tuple([key(world, faults, names) for world in pair.worlds]))


def pair_calm(pair):
    """Let all go well from here on; says what is wrong if a session does not end then, or something is sent twice."""
    twin = pair.copy()
    try:
        for _ in range(CALM_STEPS):
            calm_step(twin)
            if all(world.over for world in twin.worlds):
                return ""
    except Violation as violation:
        return f"when all goes well: {violation}"
    return f"sessions for ever: {[world.session.state for world in twin.worlds]}"


def calm_step(pair):
    """All that was said arrives, whoever is down is up again, and a tick passes."""
    first = pair.worlds[0]
    for number, engine in enumerate(first.engines):
        if not engine.up:
            if not first.roster[number].silent:
                pair.lose(number, gone=True)
            pair.reboot(number)
    for world in pair.worlds:
        exchange_in_calm(world)
    for number, engine in enumerate(first.engines):
        if engine.up and not any(reports(world, number) for world in pair.worlds):
            pair.report(number)
    pair.tick()


WAYS = actions, pair_key, pair_calm

# Moments from which everything is looked at


def apart(*, exact=False, **size):
    """The first session streams from the first engine, and the second one from the second."""
    pair = Pair.of(exact=exact, **size)
    for which, world in enumerate(pair.worlds):
        world.begin_at(which)
    return _led(pair, lambda: all(_is_underway(world, which) for which, world in enumerate(pair.worlds)))


def _is_underway(world, number):
    return isinstance(world.engines[number].active, Underway) and world.engines[number].packet


def foreseen(*, exact=False, sent=0, **size):
    """The first engine has asked who has the whole segment, when so many packets had left."""
    pair = apart(exact=exact, **size)
    _led(pair, lambda: pair.worlds[0].engines[0].packet >= sent)
    pair.worlds[0].foresee(0)
    return pair


def swapping(*, exact=False, **size):
    """It has been told the second engine, and asks that one for a swap."""
    pair = foreseen(exact=exact, **size)
    return _led(pair, lambda: any(one.kind == "SWAP" for one in pair.worlds[0].flying), ticks=False)


def returned(*, exact=False, **size):
    """Both engines are ready: the first one ends its turn in a moment."""
    pair = swapping(exact=exact, **size)
    return _led(pair, lambda: pair.worlds[1].engines[0].stream.ready and not pair.worlds[0].flying, ticks=False)


def committing(*, exact=False, **size):
    """The first engine has sent all of its turn, and directs the second one to start."""
    pair = returned(exact=exact, **size)
    return _led(pair, lambda: any(one.kind == "START" for one in pair.worlds[0].flying))


def crossing(*, exact=False, **size):
    """The second engine has begun with the first session, and directs the first one to start with the second."""
    pair = committing(exact=exact, **size)
    return _led(pair, lambda: any(one.kind == "START" for one in pair.worlds[1].flying))


def crossing_late():
    """The same, late in a longer segment: further on than anybody can be whose turn has just begun."""
    return crossing(datagrams=16, sent=77)


def next_step(pair):
    """What was said first arrives; where nothing is under way engines report, and where that has been heard a tick
    passes."""
    for which, world in enumerate(pair.worlds):
        if world.flying:
            pair.act(which, partial(World.deliver, message=world.flying[0]))
            return
    engines = pair.worlds[0].engines
    if any(engine.reported_at < pair.worlds[0].now for engine in engines):
        for number in range(len(engines)):
            pair.report(number)
    else:
        pair.tick()


def _led(pair, there, *, ticks=True):
    for _ in range(400):
        if there():
            return pair
        assert ticks or any(world.flying for world in pair.worlds), "nothing more is said"
        next_step(pair)
    raise AssertionError("the story never led there")


def led_to_the_end(pair):
    """All goes well, until both sessions have ended."""
    for _ in range(CALM_STEPS):
        calm_step(pair)
        if all(world.over for world in pair.worlds):
            return
    raise AssertionError("the sessions never end")
