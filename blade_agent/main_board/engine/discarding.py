"""Letting go of programs that were withdrawn, or are others now under the same name."""

from collections.abc import Collection

from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.fields import ProgramId


class Discarding:
    """Removes what is here of a program: segments, and copies on their way."""

    def __init__(self, store: SegmentStore, copying: Copying) -> None:
        self._store = store
        self._copying = copying

    async def discard(self, programs: Collection[ProgramId]) -> None:
        """Hold nothing of these any more; what is returned from is durable. Raises `StoreError`."""
        if programs:
            await self._copying.give_up(programs)
            await self._store.discard(set(programs))
