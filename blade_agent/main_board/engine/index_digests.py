"""What the indexes of held segments have to be, by the segment tables that are on this blade's disk."""

import asyncio
import logging
from collections import OrderedDict

from blade_agent.main_board.parts import Parts
from media_network.cut import Cut
from media_network.fields import Sha256
from media_network.segment_table import BadTable, SegmentTable

logger = logging.getLogger(__name__)

_AT_HAND_BYTES = 4 * 1024 * 1024
"""Of tables that stay in memory: those of a dozen programs of two hours. A longer one stays alone."""


class IndexDigests:
    """Looks rows up; what is held is checked a program after the other, and copied so."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._at_hand: OrderedDict[Sha256, SegmentTable] = OrderedDict()

    async def of(self, cut: Cut, number: int) -> Sha256 | None:
        """The digest of a segment's index; None: it has none, or the table of its cut is not here."""
        table = await self._table(cut.table)
        return table[number].index if table is not None and number < len(table) else None

    async def _table(self, sha256: Sha256) -> SegmentTable | None:
        if sha256 in self._at_hand:
            self._at_hand.move_to_end(sha256)
            return self._at_hand[sha256]
        octets = await self._parts.read(sha256)
        if octets is None:
            return None
        try:
            table = await asyncio.get_running_loop().run_in_executor(None, SegmentTable, octets)
        except BadTable as error:
            logger.warning("what is kept as segment table %s is none: %s", sha256, error)
            return None
        self._at_hand[sha256] = table
        while len(self._at_hand) > 1 and sum(len(one.octets) for one in self._at_hand.values()) > _AT_HAND_BYTES:
            self._at_hand.popitem(last=False)
        return table
