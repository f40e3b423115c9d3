"""The segment location table: which engine of the station holds which segment (claims 1, 16, 18)."""

from collections.abc import Collection, Mapping

from media_network.address import Address
from media_network.fields import ProgramId

Changes = dict[ProgramId, set[int]]
"""Segments that came to the station or left it."""


class SegmentLocationTable:
    """Segments by program, number and engine. Only what an engine said is durable is in here."""

    def __init__(self) -> None:
        self._held: dict[Address, dict[ProgramId, set[int]]] = {}
        self.version = 0
        """Grows with every change."""

    def replace(self, engine: Address, inventory: Mapping[ProgramId, Collection[int]]) -> Changes:
        """Take an engine's inventory for all that it holds; returns what changed for the station."""
        before = self._held.pop(engine, {})
        after = {program: set(segments) for program, segments in inventory.items() if segments}
        changes = {}
        for program in sorted(before.keys() | after.keys()):
            here = before.get(program, set()) ^ after.get(program, set())
            if changed := here and here - self.segments(program):
                changes[program] = changed
        self._held[engine] = after
        self.version += 1
        return changes

    def add(self, engine: Address, program: ProgramId, segment: int) -> None:
        """A segment is durable at an engine now."""
        self._held.setdefault(engine, {}).setdefault(program, set()).add(segment)
        self.version += 1

    def take(self, engine: Address, program: ProgramId) -> set[int]:
        """An engine holds nothing of a program any more; returns what it held."""
        self.version += 1
        return self._held.get(engine, {}).pop(program, set())

    def forget(self, engine: Address) -> Changes:
        """An engine is gone, and what it holds with it; returns what the station has lost."""
        changes = self.replace(engine, {})
        del self._held[engine]
        return changes

    def only_at(self, engine: Address, others: Collection[Address]) -> list[tuple[ProgramId, int]]:
        """What an engine holds and none of the others."""
        alone: list[tuple[ProgramId, int]] = []
        for program, segments in self._held.get(engine, {}).items():
            elsewhere = (self._held.get(other, {}).get(program, set()) for other in others)
            alone += ((program, segment) for segment in sorted(segments.difference(*elsewhere)))
        return alone

    def engines_with(self, program: ProgramId, segment: int) -> list[Address]:
        """The engines that hold a segment."""
        return [engine for engine, held in self._held.items() if segment in held.get(program, ())]

    def segments(self, program: ProgramId) -> set[int]:
        """Segments of a program that at least one engine holds."""
        return set().union(*(held[program] for held in self._held.values() if program in held))

    def held_by(self, engine: Address) -> int:
        """Number of segments at an engine."""
        return sum(len(segments) for segments in self._held.get(engine, {}).values())

    def programs(self) -> dict[ProgramId, set[int]]:
        """All that the station holds."""
        names = sorted({program for held in self._held.values() for program in held})
        return {program: self.segments(program) for program in names}
