"""Letting go of programs that were withdrawn, or are others now under the same name."""

import logging
from collections.abc import Collection, Mapping, Sequence

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.messages.program_information import ProgramChange

logger = logging.getLogger(__name__)


class StillHeld(OSError):
    """A disk does not let go of what a program was."""


class Discarding:
    """Removes what is here of programs as they were: segments, and copies on their way."""

    def __init__(self, store: SegmentStore, copying: Copying | None = None) -> None:
        """`copying`: None while the blade is no engine."""
        self._store = store
        self._copying = copying

    async def discard(self, changes: Sequence[ProgramChange]) -> None:
        """Hold nothing of what these have changed. A file that its disk does not let go of holds up no other program:
        it counts for nothing, is swept later, and is known to be gone when it is met again."""
        await self._discard({each.program: each.header.table if each.header else None for each in changes})

    async def discard_gone(self, catalogue: Catalogue) -> None:
        """Hold nothing that the catalogue knows to be gone: a disk was away meanwhile, and has come back."""
        gone = {cut.program for cut in self._store.cuts() if catalogue.is_gone(*cut)}
        gone |= {name for name in self._store.earlier_programs if catalogue.withdrawn_at(name) is not None}
        headers = {name: catalogue.get(name) for name in gone}
        await self._discard({name: header.table if header else None for name, header in headers.items()})

    async def let_go(self, cut: Cut, numbers: Collection[int] | None = None) -> None:
        """Hold nothing of a program, or not these segments, from this call on; what is returned from is durable.

        Raises `StillHeld`.
        """
        try:
            await self._store.let_go(cut, numbers)
        except StoreError as error:
            raise StillHeld(str(error)) from error

    async def _discard(self, programs: Mapping[ProgramId, Sha256 | None]) -> None:
        if self._copying:
            await self._copying.give_up(programs)
        try:
            await self._store.discard(programs)
        except StoreError as error:
            logger.warning("%s; it is not held any more", error)
