"""What a main board counts, in whatever role."""

from msgspec import Struct

from blade_agent.backplane.role import Role
from blade_agent.main_board.director.director_figures import DirectorFigures, DirectorWork
from blade_agent.main_board.engine.engine_figures import ChannelFigures, EngineFigures, EngineWork


class MainBoardFigures(Struct, frozen=True, kw_only=True):
    """A main board at one moment."""

    role: Role
    epoch: int
    station: str
    sent_bytes: int
    """Media that left it, pushed and pulled, since the agent's start."""
    streams: int
    """That it sends now."""
    carried: int
    """What has yet to leave before it has drained."""
    draining: bool
    channels: tuple[ChannelFigures, ...]
    engine: EngineFigures | None
    """None while it is no engine; a director is one too as long as it holds segments."""
    director: DirectorFigures | None


class MainBoardWork(Struct, frozen=True, kw_only=True):
    """What a main board is at, one by one. There may be thousands: who needs only numbers takes the figures."""

    engine: EngineWork = EngineWork()
    director: DirectorWork = DirectorWork()
