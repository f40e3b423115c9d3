"""Deleting what is here of a program, when the director says so (claim 23)."""

import asyncio
import logging
from collections.abc import Callable

from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.discarding import Discarding, StillHeld
from media_network.cut import Cut
from media_network.messages.deletion import DeleteSegments
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.segment_set import parse_segments

logger = logging.getLogger(__name__)


class DeletingSegments:
    """Deletes programs that nobody reads here."""

    def __init__(
        self, discarding: Discarding, copying: Copying, director: DirectorLink, reads: Callable[[Cut], int]
    ) -> None:
        """`reads` gives how many streams and requests read a program at present."""
        self._copying = copying
        self._discarding = discarding
        self._director = director
        self._reads = reads
        self._at_work = asyncio.Lock()

    async def delete(self, order: DeleteSegments) -> Done | Refused:
        """Answer `DELETE_SEGMENTS`, when nothing of it is on the disks; said again, it waits for the first to end."""
        cut = Cut(order.program, order.table)
        try:
            numbers = None if order.segments is None else parse_segments(order.segments)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        async with self._at_work:
            if refused := self._refusal(order, cut):
                return refused
            if numbers is None:
                await self._copying.give_up({cut.program: None})
            if refused := self._refusal(order, cut):
                return refused
            # From here to where the store holds nothing of it, nobody else has a turn: what is said of it meanwhile,
            # to this director or the next, is what was decided here.
            try:
                await self._discarding.let_go(cut, numbers)
            except StillHeld as error:
                return Refused(Reason.IO_ERROR, str(error))
        what = f"of {order.program}, segments {order.segments}" if order.segments else order.program
        logger.info("the director has told us to delete: %s", what)
        return Done()

    def _refusal(self, order: DeleteSegments, cut: Cut) -> Refused | None:
        if order.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {order.epoch} is not our director's, {self._director.epoch}")
        if not self._director.is_enlisted:
            return Refused(Reason.NOT_READY, "what is held here is being said anew")
        if order.before_us is not None and self._is_over(order.before_us):
            return Refused(Reason.BUSY, "the order has waited too long: others may have lost their copies since")
        if reads := self._reads(cut):
            return Refused(Reason.BUSY, f"{order.program} is being read here {reads} times")
        return None

    def _is_over(self, before_us: int) -> bool:
        clock_us = self._director.director_clock_us
        return clock_us is None or clock_us > before_us
