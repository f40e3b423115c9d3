"""How much SQLite does: steps of its machine, of which a row that is looked at takes some twenty."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

_AT_ONCE = 10


@contextmanager
def counting(*connections: apsw.Connection) -> Iterator[list[int]]:
    """Counts what SQLite does on these connections."""
    steps = [0]

    def step() -> bool:
        steps[0] += _AT_ONCE
        return False

    for connection in connections:
        connection.set_progress_handler(step, _AT_ONCE)
    yield steps
    for connection in connections:
        connection.set_progress_handler(None)
