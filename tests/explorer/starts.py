"""Moments from which everything that can happen is looked at. Messages that arrive as they are said lead to each."""

from blade_agent.main_board.director.sessions.events import PlayAsked
from blade_agent.main_board.director.sessions.states import SettlingNext, SettlingSender, Starting, Streaming
from blade_agent.main_board.engine.turns.states import HandingOver, Prepared
from tests.explorer.world import World

STEPS_MAX = 200
UNHEARD_TICKS = 3
"""So long a sender sends on after its last report, before it is lost."""


def opening(engines=2):
    """A console has asked."""
    world = World(engines)
    world.direct(PlayAsked())
    return world


def prepared(engines=2):
    """The first engine sends; the next one is ready."""
    return _led(opening(engines), lambda world: _somewhere(world, Prepared))


def starting(engines=2):
    """The first engine has sent all of its turn, and directs the next one to start."""
    return _led(opening(engines), lambda world: _somewhere(world, HandingOver))


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
