"""Moments from which everything that can happen is looked at. Messages that arrive as they are said lead to each."""

from blade_agent.main_board.director.sessions.events import PauseAsked, PlayAsked, ResumeAsked, ScaleAsked, SeekAsked
from blade_agent.main_board.director.sessions.states import Paused, SettlingNext, SettlingSender, Starting, Streaming
from blade_agent.main_board.engine.turns.states import HandingOver, Prepared, Underway
from tests.explorer.world import World

STEPS_MAX = 200
SENT_TICKS = 2
LATE_TICKS = 6
"""So late is a question: more than a sender may be ahead of its rate."""
_LEAD = 14
"""Packets: two datagrams before the end of a long segment it is near."""
UNHEARD_TICKS = 3
"""So long a sender sends on after its last report, before it is lost."""


def opening(engines=2, *, exact=False, **size):
    """A console has asked."""
    world = World(engines, exact=exact, **size)
    world.direct(PlayAsked())
    return world


def prepared(engines=2, *, exact=False):
    """The first engine sends; the next one is ready."""
    return _led(opening(engines, exact=exact), lambda world: _somewhere(world, Prepared))


def starting(engines=2, *, exact=False):
    """The first engine has sent all of its turn, and directs the next one to start."""
    return _led(opening(engines, exact=exact), lambda world: _somewhere(world, HandingOver))


def handed_over(engines=2):
    """The second engine sends."""
    return _led(
        opening(engines),
        lambda world: isinstance(world.session.state, Streaming) and world.session.state.holder.number == 2,
    )


def sender_lost(engines=2):
    """The first engine has crashed while it sent; the director finds out how far it got."""
    return _lost(prepared(engines), SettlingSender)


def next_doubted(engines=2):
    """The first engine has crashed when it had sent all: its next one may have the stream."""
    return _lost(starting(engines), SettlingNext)


def resumed(engines=2):
    """Another engine is directed to go on."""
    return _led(sender_lost(engines), lambda world: isinstance(world.session.state, Starting))


def pausing(engines=2, *, exact=False):
    """The first engine sends, the next one is ready, and the console has paused."""
    return _ordered(prepared(engines, exact=exact), PauseAsked())


def pausing_at_the_end(engines=2, *, exact=False):
    """The console has paused when the first engine had sent all: the next one is directed to start."""
    world = starting(engines, exact=exact)
    world.order(PauseAsked())
    return world


def cut_after_a_late_question(engines=3, *, exact=False):
    """The first engine drains in the middle of a long segment. Its question is heard when it has sent a few ticks more;
    then it has sent what was cut, and directs the next one to start."""
    world = _led(opening(engines, exact=exact, segments=1, datagrams=16, lead=_LEAD), _is_underway)
    world.drain(0)
    (question,) = world.flying
    for _ in range(LATE_TICKS):
        world.flying = ()
        _exchange_reports(world)
        world.tick()
    world.flying = (question,)
    return _led(world, lambda world: _somewhere(world, HandingOver))


def paused(engines=2, *, exact=False):
    """No engine has anything of the stream."""
    return _led(pausing(engines, exact=exact), lambda world: isinstance(world.session.state, Paused))


def going_on(engines=2, *, exact=False):
    """After a pause an engine is directed to go on."""
    world = paused(engines, exact=exact)
    world.order(ResumeAsked())
    return _led(world, lambda world: isinstance(world.session.state, Starting))


def jumping(engines=2, *, exact=False):
    """The first engine sends, the next one is ready, and the console seeks the beginning."""
    return _ordered(prepared(engines, exact=exact), SeekAsked((0, 0)))


def jumping_at_the_end(engines=2, *, exact=False):
    """The console has seeked the beginning when the first engine had sent all."""
    world = starting(engines, exact=exact)
    world.order(SeekAsked((0, 0)))
    return world


def speeding(scale, engines=2, *, exact=False):
    """The first engine sends, and the console wants it so many times as fast."""
    return _ordered(prepared(engines, exact=exact), ScaleAsked(scale))


def fast(scale, engines=2, *, exact=False):
    """An engine sends at that speed."""
    return _led(speeding(scale, engines, exact=exact), lambda world: _goes(world, scale))


def fast_and_prepared(scale, engines=2, *, exact=False):
    """The next engine of a stream that goes at that speed is ready."""
    world = fast(scale, engines, exact=exact)
    return _led(world, lambda world: _somewhere(world, Prepared) and _goes(world, scale))


def _is_underway(world):
    return isinstance(world.engines[0].active, Underway) and world.engines[0].packet


def _goes(world, scale):
    state = world.session.state
    return isinstance(state, Streaming) and state.holder.course.scale == scale


def _ordered(world, event):
    """The console wants that; something was sent before."""
    for _ in range(SENT_TICKS):
        world.tick()
    world.order(event)
    return world


def _lost(world, state):
    sender = next(number for number, engine in enumerate(world.engines) if engine.active)
    for _ in range(UNHEARD_TICKS if state is SettlingSender else 1):
        world.tick()
    world.crash(sender)
    world.lose(sender, gone=True)
    if state is SettlingSender:
        return world
    held = tuple(one for one in world.flying if one.kind == "START")
    settlement = next(ask for ask in world.asks if ask[0] == "settle")
    world.flying = ()
    while world.now < world.asks[settlement]:
        _exchange_reports(world)
        world.tick()
    world.give_up(settlement)
    world.flying = (*held, *world.flying)
    assert isinstance(world.session.state, state), world.session.state
    return world


def _exchange_reports(world):
    for number, engine in enumerate(world.engines):
        if engine.up:
            world.report(number)
    while world.flying:
        world.deliver(world.flying[0])


def _led(world, there):
    for _ in range(STEPS_MAX):
        if there(world):
            return world
        if world.flying:
            world.deliver(world.flying[0])
        else:
            _exchange_reports(world)
            world.tick()
    raise AssertionError("the story never led there")


def _somewhere(world, state):
    return any(isinstance(engine.stream.active, state) for engine in world.engines)
