"""A database with the registry's tables, as the repository needs it."""

from typing import Protocol, TypeVar

from distribution_center.registry.group_commit import Result
from distribution_center.registry.neighbours import Neighbours
from distribution_center.registry.reads import Read
from distribution_center.registry.statements import Write

_Answer = TypeVar("_Answer")


class SqlStore(Protocol):
    """A database with the registry's tables."""

    @property
    def neighbours(self) -> Neighbours:
        """See `Repository`."""

    async def read(self, read: Read[_Answer]) -> _Answer:
        """Carry out a read. Raises `RepositoryError`."""

    async def commit(self, writes: list[Write]) -> list[Result]:
        """Carry out writes in one durable transaction; one that fails takes no other with it."""

    async def close(self) -> None:
        """Let go of the database."""
