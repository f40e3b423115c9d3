"""Which database subscribers and the ledger are in: a file, or a PostgreSQL server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from distribution_center.accounts.database import AccountsUnfit, Database, SqliteDatabase

_SCHEMES = ("postgresql://", "postgres://")


@asynccontextmanager
async def opened_database(place: str, *, check: bool = False) -> AsyncIterator[Database]:
    """The database at a path or a `postgresql://` DSN, made if it is not there, until the context is left.

    `check`: a damaged file is set aside first. Raises AccountsUnfit.
    """
    database = await _open(place, check=check)
    try:
        yield database
    finally:
        await database.close()


async def _open(place: str, *, check: bool) -> Database:
    if not place.startswith(_SCHEMES):
        return SqliteDatabase(Path(place), check=check)
    try:
        from distribution_center.accounts.postgresql_database import (  # noqa: PLC0415 -- most have a file
            PostgresqlDatabase,
        )
    except ImportError as error:
        raise AccountsUnfit("PostgreSQL needs `pip install media-station[postgresql]`") from error
    database = PostgresqlDatabase(place)
    try:
        await database.begin()
    except BaseException:
        await database.close()
        raise
    return database
