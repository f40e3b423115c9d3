"""What a main board counts, in whatever role."""

from msgspec import Struct

from blade_agent.main_board.director.director_figures import DirectorFigures, DirectorWork
from blade_agent.main_board.engine.engine_figures import ChannelFigures, EngineCounters, EngineWork


class MainBoardFigures(Struct, frozen=True, kw_only=True):
    """A main board at one moment."""

    streams: int = 0
    """That it sends now."""
    draining: bool = False
    channels: tuple[ChannelFigures, ...] = ()
    engine: EngineCounters
    director: DirectorFigures | None = None
    """None while it is no director."""


class MainBoardWork(Struct, frozen=True, kw_only=True):
    """What a main board is at, one by one. There may be thousands: who needs only numbers takes the figures."""

    engine: EngineWork = EngineWork()
    director: DirectorWork = DirectorWork()
