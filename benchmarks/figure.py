"""A figure: one number with its unit, and beside it what it has to be judged by."""

import resource
import sys

import msgspec
from msgspec import Struct


class Figure(Struct, kw_only=True):
    """One line of the table; each benchmark prints its figures as lines of JSON."""

    figure: str
    value: float
    unit: str
    peer: float | None = None
    """The same of somebody else, or what bounds it, measured in the same run; None where nobody else has it."""
    peer_name: str = ""
    runs: int = 1
    """How many measurements `value` is the median of."""


def show(*figures: Figure) -> None:
    """Print figures, one a line."""
    for figure in figures:
        sys.stdout.write(msgspec.json.encode(figure).decode() + "\n")


def cpu_s() -> float:
    """User and system time of this process, its threads included."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
