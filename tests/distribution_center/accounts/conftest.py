"""Databases of subscribers and of the ledger: a file, and a PostgreSQL server, which have to do the same."""

import asyncio

import pytest

from distribution_center.accounts.opening import opened_database
from tests.distribution_center.registry.postgresql_server import PostgresqlServer


@pytest.fixture(scope="module")
def server():
    server = PostgresqlServer()
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSFILE", str(server.password_file))
        yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a new database is to be."""
    if request.param == "sqlite":
        return str(tmp_path / "accounts" / "accounts.sqlite")
    server = request.getfixturevalue("server")
    schema = f"s{abs(hash(str(tmp_path)))}"
    server.execute(f"CREATE SCHEMA {schema}")
    return server.dsn(schema)


@pytest.fixture
def on(place):
    """Do something with the database, in a process that opens it for that."""

    def do(work, *others):
        async def both():
            async with opened_database(place) as database:
                return await work(database, *others)

        return asyncio.run(both())

    return do
