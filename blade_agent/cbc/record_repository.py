"""The records of sensors that a controller gives, by their numbers, and since when they are so."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class RecordRepository(Protocol):
    """Records that a tool reads whole and keeps until they change."""

    @property
    def records(self) -> Mapping[int, bytes]:
        """The records, by their numbers, in ascending order."""
        ...

    @property
    def added_at(self) -> int:
        """Seconds since 1970 when one was added last."""
        ...

    @property
    def erased_at(self) -> int:
        """Seconds since 1970 when one was taken away last."""
        ...


class OwnRecords:
    """The records of a controller itself, which are the same for as long as it runs."""

    def __init__(self, records: Sequence[bytes], since: int) -> None:
        self.records: Mapping[int, bytes] = dict(enumerate(records))
        self.added_at = self.erased_at = since
