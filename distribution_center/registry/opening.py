"""Which store the registry has: a file, which is one process's, or a PostgreSQL server, which may be several's."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from distribution_center.registry.repository import Repository, RepositoryUnfit
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.holding import holding_name

_SCHEMES = ("postgresql://", "postgres://")


@asynccontextmanager
async def opened_registry(registry: str, *, home: str = "", alone: bool = False) -> AsyncIterator[Repository]:
    """The registry at a path or a `postgresql://` DSN, made if it is not there, until the context is left.

    `home` is the home station of the center that this is a process of: others of it may use a registry on PostgreSQL at
    the same time, unless it is to be had `alone`. Raises `RepositoryError`; AlreadyHeld: another process has the file.
    """
    with ExitStack() as stack:
        if not registry.startswith(_SCHEMES):
            stack.enter_context(holding_name(f"registry/{_short(Path(registry))}", registry))
        repository = await open_repository(registry, home=home, alone=alone)
        try:
            yield repository
        finally:
            await repository.close()


async def open_repository(registry: str, *, home: str = "", alone: bool = False) -> Repository:
    """See `opened_registry`: it is left to the caller that no other process has the file. Raises `RepositoryError`."""
    if not registry.startswith(_SCHEMES):
        return SqliteRepository.open(Path(registry))
    try:
        from distribution_center.registry.postgresql_repository import (  # noqa: PLC0415 -- most centers have a file
            PostgresqlRepository,
        )
    except ImportError as error:
        raise RepositoryUnfit("on PostgreSQL", "it needs `pip install media-station[postgresql]`") from error
    return await PostgresqlRepository.open(registry, home=home, alone=alone)


def _short(path: Path) -> str:
    """A name of a path, by whichever way it is reached."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
