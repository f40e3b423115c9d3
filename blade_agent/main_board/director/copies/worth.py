"""What a program is worth to a station that lacks room: by what it is asked for, its age, and who else has it. Pure."""

from collections.abc import Collection
from typing import NamedTuple

from media_network.fields import ProgramId

_PLAYS_HALVE_S = 86_400.0
"""After so long a play counts half."""
_NEWNESS_HALVES_S = 7 * 86_400.0
"""A program that has just come counts as one play; half of one after so long."""


def worth(plays: float, age_s: float, elsewhere: int) -> float:
    """Of two programs the one that is worth less goes first.

    `plays`: plays of late, each halved for every day since; `age_s`: since its last change, in seconds; `elsewhere`:
    how many other stations hold any of it, so that it could be had from there again.
    """
    newness: float = 0.5 ** (max(0.0, age_s) / _NEWNESS_HALVES_S)
    return (plays + newness) / (1 + elsewhere)


class _Score(NamedTuple):
    plays: float
    at: float


class Popularity:
    """Plays of late, by program: what is asked for less and less fades. Times are in seconds."""

    def __init__(self) -> None:
        self._scores: dict[ProgramId, _Score] = {}

    def note(self, program: ProgramId, now: float) -> None:
        """A program is played."""
        self._scores[program] = _Score(self.plays(program, now) + 1.0, now)

    def plays(self, program: ProgramId, now: float) -> float:
        """Plays of late."""
        score = self._scores.get(program)
        if score is None:
            return 0.0
        faded: float = 0.5 ** ((now - score.at) / _PLAYS_HALVE_S)
        return score.plays * faded

    def keep_only(self, programs: Collection[ProgramId]) -> None:
        """Forget what is not here any more."""
        self._scores = {program: score for program, score in self._scores.items() if program in programs}
