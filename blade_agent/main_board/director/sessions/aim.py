"""What a console wants of a stream that has no sender, or whose sender is being made to stop."""

from msgspec import Struct

from blade_agent.main_board.director.sessions.position import Position


class Aim(Struct, frozen=True, kw_only=True):
    """How the stream goes on once it is certain where it has stopped."""

    to: Position | None = None
    """From there; None: from where it stopped."""
    paused: bool = False
    """Not before the console says so."""
    scale: int | None = None
    """At this speed; None: at the one it had, or the program's own where it goes on elsewhere."""
    ordered: bool = False
    """The console has made it stop: nobody was lost."""


ONWARDS = Aim()
"""A sender was lost: another goes on at once, where it stopped."""
