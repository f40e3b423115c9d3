"""Several processes of one center on one PostgreSQL server: each hears at once what the other is told, one acts, and
whoever must not be there is refused.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from distribution_center.registry.opening import open_repository, opened_registry
from distribution_center.registry.repository import RepositoryUnfit, Verdict
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.cli import HELD_STATUS
from media_network.holding import AlreadyHeld
from media_network.http.client import HttpClient
from media_network.http.server import serve
from media_network.messages.content import DISTRIBUTE, PUBLISH, Distribute, Publish
from media_network.messages.program_information import ASK_CHANGES, AskChanges
from media_network.messages.registry import LIST_STATIONS, ListStations
from tests.addresses import free_port
from tests.distribution_center.registry.postgresql_server import PostgresqlServer
from tests.distribution_center.registry.test_postgresql import schema_of
from tests.distribution_center.registry.test_repository import program_of
from tests.distribution_center.world import HOME, ScriptedDirector, film
from tests.patience import until, wait_until

postgresql = pytest.mark.peer("pg_ctlcluster", "setpriv")
CENTER = Path(sys.executable).with_name("distribution-center")


@pytest.fixture(scope="module")
def running() -> Iterator[PostgresqlServer]:
    server = PostgresqlServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def dsn(running, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", str(running.password_file))
    running.execute(f"CREATE SCHEMA {schema_of(tmp_path)}")
    return running.dsn(schema_of(tmp_path))


class Process:
    """A center as a person starts it."""

    def __init__(self, folder, registry, home=HOME):
        self.address, self.media = Address("127.0.0.1", free_port()), free_port()
        folder.mkdir(parents=True)
        self.settings, self.log = folder / "center.toml", folder / "log"
        settings = {
            "name": folder.name,
            "address": self.address.host,
            "control_port": self.address.port,
            "media_port": self.media,
            "state": str(folder / "state"),
            "home": home,
            "registry": registry,
        }
        self.settings.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
        command = [CENTER, "run", "--settings", self.settings]
        self.process = subprocess.Popen(command, stderr=self.log.open("wb"), stdout=subprocess.DEVNULL)

    def serves(self):
        wait_until(
            self.log.read_text, lambda text: "operators at" in text, why=self.log.read_text, process=self.process
        )

    def leads(self):
        return "carried out here" in self.log.read_text()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait()


@pytest.fixture
def processes(dsn, tmp_path):
    """Two of one center; the first one carries orders out."""
    both = []
    for name in ("one", "two"):
        both.append(Process(tmp_path / name, dsn))
        both[-1].serves()
    yield both
    for each in both:
        each.end()


@asynccontextmanager
async def director(station, center, http):
    scripted = ScriptedDirector(station, center, http)
    async with serve(scripted.table(), Address("127.0.0.1", 0)) as scripted.address:
        await scripted.begin()
        yield scripted


@postgresql
def test_two_processes_are_one_center(processes, dsn):
    one, two = processes

    async def story():
        async with HttpClient(random.Random(1)) as http:
            repository = await open_repository(dsn, home=HOME)
            assert await repository.add_program(film()) is Verdict.ACCEPTED
            program = await repository.program("film")
            await repository.close()

            async def waits(process, since):
                question = AskChanges(since=since, wait_ms=30_000)
                return await http.ask(process.address, ASK_CHANGES, question, deadline_s=33.0)

            async with director(HOME, one.address, http) as home, director("north", two.address, http) as north:
                home.taken = dict.fromkeys([("film", number) for number in range(4)], b"")
                await home.begin()
                # What a registration says is known to both, whoever was told.
                await until_stations(http, one, {HOME: 3, "north": 3})
                await until_stations(http, two, {HOME: 3, "north": 3})
                # A change made by one is heard by whoever waits at the other.
                waiting = asyncio.create_task(waits(two, program.version))
                await asyncio.sleep(1.0)
                assert not waiting.done()
                loop = asyncio.get_running_loop()
                await http.ask(one.address, PUBLISH, Publish("film"), deadline_s=10.0)
                published_s = loop.time()
                [change] = (await waiting).changes
                assert change.header.publish_at_ms is not None
                assert loop.time() - published_s < 5.0, "it did not wait for its time to be up"
                # An order that is given to the second is carried out by the first.
                order = Distribute(program="film", stations=("north",), copies=2)
                north.hangs = True
                await http.ask(two.address, DISTRIBUTE, order, deadline_s=10.0)
                await until(lambda: north.orders)
                assert not two.leads()
                assert {order.parts for order in north.orders} == {f"{one.address.host}:{one.media}"}
                # And by the second when the first is killed.
                one.end(signal.SIGKILL)
                await until(two.leads)
                said = len(north.orders)
                await until(lambda: len(north.orders) > said)

    asyncio.run(story())


async def until_stations(http, process, engines):
    async def look():
        rows = (await http.ask(process.address, LIST_STATIONS, ListStations(), deadline_s=10.0)).stations
        return {row.station: row.engines for row in rows}

    for _ in range(600):
        if (seen := await look()) == engines:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(seen)


@postgresql
def test_a_process_with_another_home_is_refused(dsn):
    async def story():
        async with opened_registry(dsn, home=HOME):
            with pytest.raises(RepositoryUnfit, match="another home station than elsewhere"):
                await open_repository(dsn, home="elsewhere")
            async with opened_registry(dsn, home=HOME):
                pass
        async with opened_registry(dsn, home="elsewhere"):
            pass

    asyncio.run(story())


@postgresql
def test_what_a_process_had_is_free_before_the_server_sees_that_it_has_gone(dsn):
    async def story():
        async with opened_registry(dsn, home=HOME) as first:
            leave, first.neighbours._leave = first.neighbours._leave, do_nothing
        async with opened_registry(dsn, alone=True):
            leave()

    asyncio.run(story())


@postgresql
def test_a_registry_in_use_is_not_moved_and_one_that_is_moved_not_used(dsn, tmp_path):
    settings = tmp_path / "center.toml"
    lines = {"name": "center", "address": "127.0.0.1", "state": str(tmp_path), "home": HOME, "registry": dsn}
    settings.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items()))
    export = [CENTER, "registry", "export", "--settings", settings, tmp_path / "registry.gz"]

    async def story():
        async with opened_registry(dsn, home=HOME):
            refused = await asyncio.to_thread(subprocess.run, export, capture_output=True, text=True, check=False)
            assert refused.returncode == 1
            assert "a center has it open" in refused.stderr
        async with opened_registry(dsn, alone=True):
            with pytest.raises(RepositoryUnfit, match="a command that moves it"):
                await open_repository(dsn, home=HOME)

    asyncio.run(story())


@postgresql
def test_what_was_said_while_the_line_was_lost_is_looked_at(dsn, running):
    async def story():
        async with opened_registry(dsn, home=HOME) as one, opened_registry(dsn, home=HOME) as two:
            worked = []
            two.neighbours.worked = lambda: worked.append(1)
            running.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ 'registry'"
            )
            rung = two.neighbours.news.count
            await until(lambda: two.neighbours.news.count > rung)
            assert worked
            rung = two.neighbours.news.count
            await one.add_program(program_of("gala"))
            await until(lambda: two.neighbours.news.count > rung)

    asyncio.run(story())


@postgresql
def test_one_of_them_leads_and_another_when_it_ends(dsn):
    async def story():
        async with opened_registry(dsn, home=HOME) as two_later:
            assert two_later.neighbours.leads
            async with opened_registry(dsn, home=HOME) as other:
                assert not other.neighbours.leads
        async with opened_registry(dsn, home=HOME) as one, opened_registry(dsn, home=HOME) as two:
            await one.neighbours.end()
            await until(lambda: two.neighbours.leads)

    asyncio.run(story())


@postgresql
def test_who_migrates_wants_it_alone(dsn, running, tmp_path):
    async def story():
        async with opened_registry(dsn, home=HOME):
            running.execute(
                f"SET search_path TO {schema_of(tmp_path)}; UPDATE registry_schema SET version = version - 1"
            )
            with pytest.raises(RepositoryUnfit, match="earlier release"):
                await open_repository(dsn, home=HOME)

    asyncio.run(story())


def test_a_file_is_one_process_s_whichever_folder_the_other_has(tmp_path):
    registry = str(tmp_path / "registry.sqlite")
    one = Process(tmp_path / "one", registry)
    one.serves()
    other = Process(tmp_path / "other", registry)
    assert other.process.wait() == HELD_STATUS, other.log.read_text()
    assert f"{registry} is in use by process {one.process.pid}" in other.log.read_text()
    one.end()

    async def story():
        async with opened_registry(registry):
            os.symlink(registry, tmp_path / "link")
            with pytest.raises(AlreadyHeld):
                async with opened_registry(str(tmp_path / "link")):
                    pass

    asyncio.run(story())
