"""The segment location table: which engine of the station holds which segment (claims 1, 16, 18)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType

from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.messages.holdings import COPIES_MAX

Changes = dict[Cut, set[int]]
"""Segments of which an engine came to have one more, or one less."""

_Cuts = dict[Sha256, set[int]]
"""Segments of a program, by the table of its cut."""


_NOWHERE: Mapping[Address, set[int]] = MappingProxyType({})


class SegmentLocationTable:
    """Segments by cut, number and engine. Only what an engine said is durable is in here."""

    def __init__(self) -> None:
        self._held: dict[Address, dict[ProgramId, _Cuts]] = {}
        self._at: dict[Cut, dict[Address, set[int]]] = {}
        """The very same sets, for who asks about a segment: at each redirect somebody does."""
        self.version = 0
        """Grows with every change."""

    def replace(
        self,
        engine: Address,
        held: Mapping[Cut, Collection[int]],
        after: Cut | None = None,
        until: Cut | None = None,
    ) -> Changes:
        """Take this for all that an engine holds of the cuts beyond `after`, up to `until`, or to the end.

        Returns what changed for the station.
        """
        before = {cut: numbers for cut, numbers in self._cuts(engine) if _is_between(cut, after, until)}
        changes = {}
        for cut in sorted(before.keys() | held.keys()):
            was, now = before.get(cut, set()), set(held.get(cut, ()))
            if changed := was ^ now:
                changes[cut] = changed
            self._put(engine, cut, now)
        self._held.setdefault(engine, {})
        self.version += 1
        return changes

    def add(self, engine: Address, cut: Cut, segment: int) -> None:
        """A segment is durable at an engine now."""
        held = self._held.setdefault(engine, {}).setdefault(cut.program, {}).setdefault(cut.table, set())
        held.add(segment)
        self._at.setdefault(cut, {})[engine] = held
        self.version += 1

    def take(self, engine: Address, program: ProgramId, but: Sha256 | None = None) -> Changes:
        """An engine holds nothing of a program any more, but of the cut with that table; returns what it held."""
        cuts = self._held.get(engine, {}).get(program, {})
        taken = {Cut(program, table): cuts[table] for table in cuts if table != but}
        for cut in taken:
            self._put(engine, cut, set())
        self.version += 1
        return taken

    def remove(self, engine: Address, cut: Cut, segments: Collection[int]) -> None:
        """An engine holds these no more."""
        self._put(engine, cut, set(self.of(engine, cut)).difference(segments))
        self.version += 1

    def forget(self, engine: Address) -> Changes:
        """An engine is gone, and what it holds with it; returns what the station has lost."""
        changes = self.replace(engine, {})
        del self._held[engine]
        return changes

    def only_at(self, engine: Address, others: Collection[Address]) -> list[tuple[Cut, int]]:
        """What an engine holds and none of the others."""
        alone: list[tuple[Cut, int]] = []
        for cut, segments in self._cuts(engine):
            alone += ((cut, number) for number in sorted(segments.difference(*(self.of(one, cut) for one in others))))
        return alone

    def of(self, engine: Address, cut: Cut) -> Collection[int]:
        """Segments of a cut that an engine holds."""
        return self._at.get(cut, _NOWHERE).get(engine, ())

    def engines_with(self, cut: Cut, segment: int) -> list[Address]:
        """The engines that hold a segment."""
        return [engine for engine, held in self._at.get(cut, _NOWHERE).items() if segment in held]

    def engines_with_all(self, cut: Cut, segment: int) -> list[Address]:
        """The same: nobody is in here for what is still being received."""
        return self.engines_with(cut, segment)

    def missing(self, cut: Cut, segments: Collection[int], at: Callable[[Address], bool]) -> set[int]:
        """Those of some segments that no engine holds of which `at` is true."""
        missing = set(segments)
        for engine, held in self._at.get(cut, _NOWHERE).items():
            if at(engine):
                missing -= held
                if not missing:
                    break
        return missing

    def segments(self, cut: Cut) -> set[int]:
        """Segments of a cut that at least one engine holds."""
        return set().union(*self._at.get(cut, _NOWHERE).values())

    def layers(self, cut: Cut, segments: Collection[int] | None = None) -> list[set[int]]:
        """Segments of a cut, of these if not of all, that one engine holds at least, two, and so on."""
        layers: list[set[int]] = []
        for here in self._at.get(cut, _NOWHERE).values():
            rest = set(here) if segments is None else {number for number in segments if number in here}
            for place, layer in enumerate(layers):
                layers[place], rest = layer | rest, layer & rest
            if rest:
                layers.append(rest)
        return layers[:COPIES_MAX]

    def held_by(self, engine: Address) -> int:
        """Number of segments at an engine."""
        return sum(len(segments) for _, segments in self._cuts(engine))

    def cuts(self) -> list[Cut]:
        """All that anything is held of, in order."""
        known: defaultdict[ProgramId, set[Sha256]] = defaultdict(set)
        for programs in self._held.values():
            for program, cuts in programs.items():
                known[program].update(cuts)
        return sorted(Cut(program, table) for program, tables in known.items() for table in tables)

    def _cuts(self, engine: Address) -> Iterator[tuple[Cut, set[int]]]:
        for program, cuts in self._held.get(engine, {}).items():
            for table, segments in cuts.items():
                yield Cut(program, table), segments

    def _put(self, engine: Address, cut: Cut, segments: set[int]) -> None:
        programs = self._held.setdefault(engine, {})
        if segments:
            programs.setdefault(cut.program, {})[cut.table] = segments
            self._at.setdefault(cut, {})[engine] = segments
        elif cut.program in programs and programs[cut.program].pop(cut.table, None) is not None:
            if not programs[cut.program]:
                del programs[cut.program]
            del self._at[cut][engine]
            if not self._at[cut]:
                del self._at[cut]


def _is_between(cut: Cut, after: Cut | None, until: Cut | None) -> bool:
    return (after is None or cut > after) and (until is None or cut <= until)
