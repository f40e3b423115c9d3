"""The registry on a real PostgreSQL server: what every store must do, and what becomes of it when the server goes."""

import asyncio
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from distribution_center.registry import postgresql_repository
from distribution_center.registry.opening import open_repository
from distribution_center.registry.postgresql_repository import PostgresqlRepository
from distribution_center.registry.repository import (
    Repository,
    RepositoryError,
    RepositoryFailed,
    RepositoryLost,
    RepositoryUnfit,
    Verdict,
)
from distribution_center.registry.tables import UnknownSchemaVersion, tables
from tests.distribution_center.registry.postgresql_server import PASSWORD, PostgresqlServer
from tests.distribution_center.registry.test_repository import (
    EPIC,
    FIRST,
    SCHEMAS,
    Conformance,
    is_what_was_kept,
    program_of,
    station_of,
)
from tests.distribution_center.registry.whole import all_programs

pytestmark = pytest.mark.peer("pg_ctlcluster", "setpriv")


@pytest.fixture(scope="module")
def running() -> Iterator[PostgresqlServer]:
    server = PostgresqlServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def server(running, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", str(running.password_file))
    running.execute(f"CREATE SCHEMA {schema_of(tmp_path)}")
    return running


def schema_of(folder: Path) -> str:
    return f"test_{zlib.crc32(str(folder).encode())}"


class TestPostgresql(Conformance):
    server: ClassVar[PostgresqlServer]

    @pytest.fixture(autouse=True)
    def use(self, server):
        type(self).server = server

    @classmethod
    async def open(cls, path: Path) -> Repository:
        return await open_repository(cls.server.dsn(schema_of(path)))

    def test_two_centers_write_at_once(self, tmp_path):
        async def story(store):
            async with self.opened(tmp_path) as other:
                writes = [
                    each.add_program(program_of(f"film-{n}-{who}"))
                    for n in range(40)
                    for who, each in enumerate((store, other))
                ]
                writes += [store.add_locations(EPIC, "north", FIRST, [n]) for n in range(0, 200, 2)]
                writes += [other.add_locations(EPIC, "north", FIRST, [n]) for n in range(1, 200, 2)]
                assert set(await asyncio.gather(*writes)) == {Verdict.ACCEPTED}
                assert len([one async for one in all_programs(store)]) == 82
                assert await other.locations("epic") == {"north": set(range(200))}

        self.run(tmp_path, story)

    def test_a_text_that_no_column_takes(self, tmp_path):
        async def story(store):
            results = await asyncio.gather(
                store.see_station(station_of("no\0rth")),
                store.publish_program("film", 1000),
                return_exceptions=True,
            )
            assert isinstance(results[0], RepositoryFailed)
            assert results[1] is Verdict.ACCEPTED
            with pytest.raises(RepositoryFailed):
                await store.station("no\0rth")

        self.run(tmp_path, story)

    def test_is_as_durable_as_it_says(self, tmp_path):
        async def story() -> None:
            store = await PostgresqlRepository.open(self.server.dsn(schema_of(tmp_path), synchronous_commit="off"))
            await store.see_station(station_of("north"))
            level = await store.store._writer.fetchval("SHOW synchronous_commit")
            await store.close()
            assert level == "on"

        asyncio.run(story())

    def test_what_takes_its_time_at_the_start_is_waited_for(self, tmp_path, monkeypatch):
        """By the one that does it, and by the one that comes meanwhile."""
        longer = f"SELECT pg_sleep({postgresql_repository._ANSWER_WITHIN_S + 0.5})"
        monkeypatch.setattr(postgresql_repository, "tables", lambda *arguments: (longer, *tables(*arguments)))

        async def story() -> None:
            dsn = self.server.dsn(schema_of(tmp_path))
            for store in await asyncio.gather(*(PostgresqlRepository.open(dsn) for _ in range(2))):
                await store.close()

        asyncio.run(story())

    def test_refuses_the_tables_of_another_release(self, tmp_path):
        schema = schema_of(tmp_path)
        self.server.execute(f"CREATE TABLE {schema}.registry_schema AS SELECT 99::bigint AS version")
        with pytest.raises(UnknownSchemaVersion, match="99"):
            asyncio.run(self.open(tmp_path))

    @pytest.mark.parametrize("version", [2, 3, 4, 5])
    def test_opens_the_tables_of_an_earlier_release(self, tmp_path, version):
        schema = schema_of(tmp_path)
        self.server.execute(f"SET search_path TO {schema}; {(SCHEMAS / f'{version}.postgresql.sql').read_text()}")
        asyncio.run(is_what_was_kept(self.opened(tmp_path)))
        asyncio.run(is_what_was_kept(self.opened(tmp_path)))


@pytest.mark.parametrize(
    ("dsn", "kind"),
    [
        ("postgresql://registry:{password}@{host}/postgres", RepositoryUnfit),
        ("postgresql://registry@{host}/postgres?password={password}", RepositoryUnfit),
        ("postgresql://registry@{host}/nowhere", RepositoryFailed),
        ("postgresql://nobody@{host}/postgres", RepositoryFailed),
        ("postgresql://registry@%2Fnowhere/postgres", RepositoryLost),
        ("postgresql://registry@127.0.0.1:1/postgres", RepositoryLost),
        ("postgresql://registry@127.0.0.1:none/postgres", RepositoryUnfit),
    ],
)
def test_a_server_that_cannot_be_used_is_named_without_its_password(server, caplog, dsn, kind):
    dsn = dsn.format(host=str(server.folder).replace("/", "%2F"), password="secret")
    with caplog.at_level(logging.DEBUG), pytest.raises(RepositoryError) as caught:
        asyncio.run(open_repository(dsn))
    assert type(caught.value) is kind
    sentence = str(caught.value)
    assert "postgresql://" in sentence
    assert "\n" not in sentence
    for told in (sentence, repr(caught.value), caplog.text):
        assert "secret" not in told
        assert PASSWORD not in told


def test_a_server_without_fsync_is_refused():
    careless = PostgresqlServer()
    try:
        careless.start("-c", "fsync=off")
        with pytest.raises(RepositoryUnfit, match="fsync"):
            asyncio.run(open_repository(careless.dsn("public")))
    finally:
        careless.stop()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(server, tmp_path):
    """And the same repository goes on when the server is back."""
    acknowledged: set[str] = set()
    failures: list[RepositoryError] = []

    async def write(store: Repository, run: int, writer: int, enough: asyncio.Event) -> None:
        for turn in range(10_000):
            name = f"film-{run}-{writer}-{turn}"
            try:
                await store.add_program(program_of(name, 100))
                acknowledged.add(name)
                await store.add_locations(program_of(name, 100).cut, "north", FIRST, range(100))
                acknowledged.add(f"{name} located")
            except RepositoryError as error:
                failures.append(error)
                return
            if len(acknowledged) > 100 * (run + 1):
                enough.set()

    async def story() -> None:
        store = await open_repository(server.dsn(schema_of(tmp_path)))
        await store.see_station(station_of("north"))
        await store.replace_station("north", FIRST, {})
        for run in range(3):
            enough = asyncio.Event()
            writers = asyncio.gather(*(write(store, run, writer, enough) for writer in range(8)))
            await enough.wait()
            server.kill()
            await writers
            with pytest.raises(RepositoryLost):
                await store.programs()
            with pytest.raises(RepositoryLost):
                await store.publish_program("none", 1000)
            server.start()
            assert {type(error) for error in failures} == {RepositoryLost}
            held = {program.program: await store.locations(program.program) async for program in all_programs(store)}
            assert {name for name in acknowledged if " " not in name} <= set(held)
            assert {name.split()[0] for name in acknowledged if " " in name} <= {name for name in held if held[name]}
            assert all(found in ({}, {"north": frozenset(range(100))}) for found in held.values())
        await store.close()

    asyncio.run(story())


def test_a_restart_between_two_reads_is_not_noticed(server, tmp_path):
    async def story() -> None:
        store = await open_repository(server.dsn(schema_of(tmp_path)))
        await store.see_station(station_of("north"))
        for _ in range(2):
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ 'registry'")
            assert await store.stations() == [station_of("north")]
        assert await store.see_station(station_of("south")) is Verdict.ACCEPTED
        await store.close()

    asyncio.run(story())
