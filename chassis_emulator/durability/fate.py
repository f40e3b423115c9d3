"""Who decides, at a power cut, what of that which is not durable survives."""

import random
from typing import Protocol


class Fate(Protocol):
    """Asked for every thing that is not durable, in the order in which they came about."""

    def keeps_change(self) -> bool:
        """Whether a change of names, or of a file's length, survives."""
        ...

    def written_bytes(self, block_bytes: int) -> int:
        """How many bytes of a block, from its first on, got to the disk."""
        ...

    def length_bytes(self, least: int, most: int) -> int:
        """How long a file is that grew."""
        ...


class Chance:
    """Whatever may happen, drawn."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def keeps_change(self) -> bool:
        """See `Fate`."""
        return self._rng.random() < 0.5

    def written_bytes(self, block_bytes: int) -> int:
        """See `Fate`: half of the blocks are whole, the others lost or torn."""
        drawn = self._rng.random()
        if drawn < 0.25:
            return 0
        return block_bytes if drawn < 0.75 else self._rng.randint(0, block_bytes)

    def length_bytes(self, least: int, most: int) -> int:
        """See `Fate`: often a file has no other length than its blocks give it."""
        return least if self._rng.random() < 0.5 else self._rng.randint(least, most)


class Decided:
    """One answer to each kind of question."""

    def __init__(self, *, names: bool, contents: bool, lengths: bool | None = None) -> None:
        """`lengths`: whether files that grew are as long as they were, also without their contents."""
        self._names = names
        self._contents = contents
        self._lengths = contents if lengths is None else lengths

    def keeps_change(self) -> bool:
        """See `Fate`."""
        return self._names

    def written_bytes(self, block_bytes: int) -> int:
        """See `Fate`."""
        return block_bytes if self._contents else 0

    def length_bytes(self, least: int, most: int) -> int:
        """See `Fate`."""
        return most if self._lengths else least


CERTAINTIES: dict[str, Fate] = {
    "nothing survives": Decided(names=False, contents=False),
    "everything survives": Decided(names=True, contents=True),
    "names survive, contents do not": Decided(names=True, contents=False),
    "names and lengths survive, contents are zeros": Decided(names=True, contents=False, lengths=True),
    "contents survive, names do not": Decided(names=False, contents=True),
}
"""The ends of what may happen: what a file system does that orders nothing, or that orders too well."""
