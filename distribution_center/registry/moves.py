"""What has come to stations, or left them, since somebody looked: so that not all has to be looked at for that."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from media_network.callback import do_nothing
from media_network.fields import ProgramId


class Moved(NamedTuple):
    """Where something has moved."""

    anywhere: bool
    """It is not said where: all is to be looked at."""
    stations: frozenset[str]
    """All of these."""
    programs: frozenset[tuple[ProgramId, str]]
    """Programs at stations."""


class Moves(asyncio.Event):
    """Counts how often it was set: who does not wait for it sees that something has happened since. One looks at what
    has moved, and takes it."""

    def __init__(self, on_move: Callable[[], None] = do_nothing) -> None:
        """`on_move` is called when something has moved in this process."""
        super().__init__()
        self._on_move = on_move
        self.count = 0
        self._anywhere = True
        self._stations: set[str] = set()
        self._programs: set[tuple[ProgramId, str]] = set()

    def set(self) -> None:
        """Something has moved somewhere."""
        self.set_elsewhere()
        self._on_move()

    def set_elsewhere(self) -> None:
        """Something has moved in another process, which has told of it."""
        self._anywhere = True
        self._tell()

    def at(self, station: str, program: ProgramId | None = None) -> None:
        """Something has moved at a station: a program, or any of them."""
        if program is None:
            self._stations.add(station)
        else:
            self._programs.add((program, station))
        self._tell()
        self._on_move()

    def take(self) -> Moved:
        """All that has moved since this was asked last."""
        self.clear()
        moved = Moved(self._anywhere, frozenset(self._stations), frozenset(self._programs))
        self._anywhere = False
        self._stations.clear()
        self._programs.clear()
        return moved

    def _tell(self) -> None:
        self.count += 1
        super().set()
