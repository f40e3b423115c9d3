"""The titles of a catalogue, in the order of the programs' names, for who looks for one. No I/O.

A search goes on from a name, and whoever asks takes as much of it as he likes: so nothing of it grows with the
catalogue but memory.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

from media_network.fields import ProgramId


class Titles:
    """Those of the programs that are known."""

    def __init__(self) -> None:
        self._folded: dict[ProgramId, str] = {}
        """What is looked through: title and name, in small letters."""
        self._names: list[ProgramId] = []

    def replace(self, titles: Iterable[tuple[ProgramId, str]]) -> None:
        """Know these and no others."""
        self._folded = {name: _folded(name, title) for name, title in titles}
        self._names = sorted(self._folded)

    def put(self, name: ProgramId, title: str) -> None:
        """A program has this title now."""
        if name not in self._folded:
            insort(self._names, name)
        self._folded[name] = _folded(name, title)

    def drop(self, name: ProgramId) -> None:
        """There is no such program any more."""
        if self._folded.pop(name, None) is not None:
            del self._names[bisect_left(self._names, name)]

    def after(self, name: ProgramId, search: str = "") -> Iterator[tuple[ProgramId, bool]]:
        """The names after one, in order, each with whether every word of the search is in its title or name.

        The catalogue may change while this goes on: whatever comes or goes behind where it is does not matter.
        """
        words = search.casefold().split()
        while (at := bisect_right(self._names, name)) < len(self._names):
            name = self._names[at]
            folded = self._folded[name]
            yield name, all(word in folded for word in words)


def _folded(name: ProgramId, title: str) -> str:
    return f"{title.casefold()}\n{name}"
