"""Words of the wire: one of a list that a newer party may have made longer."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word that is not known here is `UNKNOWN`, which every list has: a message does not break for it.

    Whoever decides by a word says what it does about one that it does not know: the thing that harms nobody.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls.__members__.get("UNKNOWN") if isinstance(value, str) else None
