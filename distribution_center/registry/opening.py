"""Which store the registry has: a file, or a PostgreSQL server."""

from pathlib import Path

from distribution_center.registry.repository import Repository, RepositoryUnfit
from distribution_center.registry.sqlite_repository import SqliteRepository

_SCHEMES = ("postgresql://", "postgres://")


async def open_repository(registry: str) -> Repository:
    """Open or make the registry at a path or a `postgresql://` DSN. Raises `RepositoryError`."""
    if not registry.startswith(_SCHEMES):
        return SqliteRepository.open(Path(registry))
    try:
        from distribution_center.registry.postgresql_repository import (  # noqa: PLC0415 -- most centers have a file
            PostgresqlRepository,
        )
    except ImportError as error:
        raise RepositoryUnfit("on PostgreSQL", "it needs `pip install media-station[postgresql]`") from error
    return await PostgresqlRepository.open(registry)
