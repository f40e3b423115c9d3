"""Files of segments that stay open for a while: the next viewer asks for the same ones, and opening takes a thread."""

import os
from collections import OrderedDict

from blade_agent.main_board.engine.store.layout import SegmentKey
from blade_agent.main_board.engine.store.stored_segment import StoredSegment

KEPT_MAX = 128
_LOOKED_AT_BYTES = 64 * 1024
"""What lies between two places at which a part is tried; the kernel reads ahead by more."""


class KeptOpen:
    """Segments that are held and were read last. Their files have no position that counts: several read at once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[SegmentKey, StoredSegment] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: SegmentKey) -> StoredSegment | None:
        """One that is open; who reads from it keeps it so (`with`)."""
        stored = self._kept.get(key)
        if stored is not None:
            self._kept.move_to_end(key)
        return stored

    def keep(self, stored: StoredSegment) -> None:
        """Take one over from who has read it; another one goes."""
        if stored.key in self._kept:
            stored.close()
            return
        self._kept[stored.key] = stored
        if len(self._kept) > KEPT_MAX:
            _, oldest = self._kept.popitem(last=False)
            oldest.close()

    def drop(self, key: SegmentKey) -> None:
        """It is not held any more."""
        if stored := self._kept.pop(key, None):
            stored.close()

    def close(self) -> None:
        """Keep none."""
        for key in list(self._kept):
            self.drop(key)


def is_in_memory(descriptor: int, offset: int, end: int) -> bool:
    """Whether a part of a file can be read without waiting for its disk (preadv2(2), RWF_NOWAIT).

    False also where the file system does not say.
    """
    octet = [bytearray(1)]
    try:
        for place in (*range(offset, end, _LOOKED_AT_BYTES), end - 1):
            if os.preadv(descriptor, octet, place, os.RWF_NOWAIT) != 1:
                return False
    except OSError:
        return False
    return True
