"""Saying which segments are here and good, before other engines let go of theirs."""

import asyncio
import logging

from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.cut import Cut
from media_network.messages.holdings import AskIntact, Intact
from media_network.refusal import Reason, Refused
from media_network.segment_set import format_segments, parse_segments

logger = logging.getLogger(__name__)

_READS_FOR_S = 4.0
"""What has not been read by then is not assured; the question comes again, and goes on from there."""
_READ_BYTES_S = 32 * 1024 * 1024
"""What nobody has read since the start is read through no faster than this: viewers come first."""


class Assuring:
    """Opens what is held, and reads through what nobody has read since the start."""

    def __init__(self, store: SegmentStore) -> None:
        self._store = store

    async def tell(self, question: AskIntact) -> Intact | Refused:
        """Answer `ASK_INTACT`."""
        cut, good = Cut(question.program, question.table), list[int]()
        try:
            asked = parse_segments(question.segments)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + _READS_FOR_S
        for number in sorted(asked.intersection(self._store.numbers(cut))):
            if loop.time() > ends_at:
                break
            if await self._is_good(cut, number):
                good.append(number)
        held = self._store.numbers(cut)  # for some may have been lost since they were looked at
        return Intact(segments=format_segments(number for number in good if number in held))

    async def _is_good(self, cut: Cut, number: int) -> bool:
        is_new = not self._store.is_read_through(cut, number)
        try:
            stored = await self._store.read(cut, number)
        except StoreError as error:
            logger.warning("%s", error)
            return False
        stored.close()
        if is_new:
            await asyncio.sleep(stored.length_bytes / _READ_BYTES_S)
        return True
