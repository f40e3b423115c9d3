"""Numbers for things that have only names: an index of a table, never given twice while the agent runs."""

from collections.abc import Collection, Hashable


class Numbering:
    """Gives each key a number, from 1, for as long as it is there."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._last = 0

    def number(self, key: Hashable) -> int:
        """The number of a key, given now if it has none."""
        known = self._numbers.get(key)
        if known is None:
            self._last += 1
            known = self._numbers[key] = self._last
        return known

    def numbers(self, keys: Collection[Hashable]) -> dict[Hashable, int]:
        """Numbers of all these keys; those that are not among them lose theirs."""
        self._numbers = {key: self.number(key) for key in keys}
        return dict(self._numbers)
