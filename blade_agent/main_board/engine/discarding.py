"""Letting go of programs that were withdrawn, or are others now under the same name."""

from collections.abc import Callable, Sequence

from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.callback import do_nothing
from media_network.messages.program_information import ProgramChange


class StillHeld(OSError):
    """A disk does not let go of what a program was."""


class Discarding:
    """Removes what is here of programs as they were: segments, and copies on their way."""

    def __init__(
        self, store: SegmentStore, copying: Copying | None = None, replaced: Callable[[], None] = do_nothing
    ) -> None:
        """`copying`: None while the blade is no engine. `replaced` is called when segments of programs that are others
        now have gone."""
        self._store = store
        self._copying = copying
        self._replaced = replaced

    async def discard(self, changes: Sequence[ProgramChange]) -> None:
        """Hold nothing of what these have changed; what is returned from is durable. Raises `StillHeld`."""
        programs = {change.program for change in changes}
        others = {change.program for change in changes if change.header}
        if self._copying:
            await self._copying.give_up(programs)
        holds_others = not others.isdisjoint(self._store.inventory())
        try:
            await self._store.discard(programs)
        except StoreError as error:
            raise StillHeld(str(error)) from error
        finally:
            if holds_others:
                self._replaced()
