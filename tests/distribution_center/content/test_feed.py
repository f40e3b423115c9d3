"""Who follows a center's feed is answered as soon as there is something, and costs nothing until then."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest
from msgspec.structs import replace

from distribution_center.center_figures import CenterCounters
from distribution_center.content import feed as feed_module
from distribution_center.content.feed import WAITERS_OF_HOST_MAX
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import Verdict
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.registry.statements import Statement
from media_network.address import Address
from media_network.messages.content import PUBLISH, Publish
from media_network.messages.program_information import ASK_CHANGES, FEED_WAIT_MAX_MS, AskChanges, Changes
from media_network.messages.registry import RegisterStation, StationRegistered
from media_network.time_of_day import now_ms
from tests.distribution_center.world import HOME, film
from tests.programs import empty_segments, program_with

WAIT_MS = 20_000
A_MOMENT_S = 0.1


def now_s():
    return asyncio.get_running_loop().time()


def another(name):
    return program_with(empty_segments(2), program=name, version=0, published=False)


async def asked(world, since, wait_ms=WAIT_MS):
    """The answer, and how long it took."""
    began_s = now_s()
    answer = await world.http.ask(
        world.address, ASK_CHANGES, AskChanges(since=since, wait_ms=wait_ms), deadline_s=wait_ms / 1000 + 3.0
    )
    assert isinstance(answer, Changes)
    return answer, now_s() - began_s


@asynccontextmanager
async def question(world, since):
    """One that waits."""
    task = asyncio.create_task(asked(world, since))
    await asyncio.sleep(1.0)
    assert not task.done()
    yield task
    await task


def test_whatever_numbers_a_change_is_heard_at_once(simulated):
    async def story(world):
        await world.put_in_spool(film())
        async with world.center(), world.station(HOME) as home:
            home.takes = 4
            await asyncio.sleep(5.0)
            repository = world.repository
            changes = [
                lambda: repository.add_program(another("gala")),
                lambda: world.ask(PUBLISH, Publish("film")),
                lambda: repository.recall_program(another("epic")),
                lambda: repository.withdraw_program("gala"),
            ]
            for change in changes:
                since = await repository.newest_version()
                async with question(world, since) as waiting:
                    changed_s = now_s()
                    await change()
                    answer, _ = await waiting
                    assert now_s() - changed_s < A_MOMENT_S
                    assert [one.version for one in answer.changes] == [since + 1]
                    assert answer.until == since + 1

    simulated(story)


def test_while_nothing_changes_the_answer_comes_late_and_with_the_time(simulated):
    async def story(world):
        async with world.center():
            await world.repository.add_program(another("gala"))
            answer, took_s = await asked(world, 1)
            assert WAIT_MS / 1000 <= took_s < WAIT_MS / 1000 + A_MOMENT_S
            assert (answer.changes, answer.until, answer.more) == ((), 1, False)
            assert abs(answer.now_ms - now_ms()) < 1000
            answer, took_s = await asked(world, 0)
            assert took_s < A_MOMENT_S
            assert answer.until == 1
            answer, took_s = await asked(world, 1, wait_ms=0)
            assert took_s < A_MOMENT_S
            answer, took_s = await asked(world, 7)
            assert took_s < A_MOMENT_S, "this registry has never numbered so many"
            assert answer.until == 1
            refused = await world.ask(ASK_CHANGES, AskChanges(since=1, wait_ms=FEED_WAIT_MAX_MS + 1))
            assert "wait_ms" in refused.detail

    simulated(story)


def test_who_waits_costs_no_read(simulated):
    async def story(world):
        async with world.center():
            await asyncio.sleep(4.0)
            store, reads = world.repository.store, []
            read = store.read
            store.read = lambda one: (reads.append(one.sql), read(one))[1]
            questions = [asyncio.create_task(asked(world, 0)) for _ in range(8)]
            await asyncio.sleep(1.0)
            reads.clear()
            await asyncio.sleep(10.0)
            assert [sql for sql in reads if "version" in sql] == []
            await world.repository.add_program(another("gala"))
            await asyncio.gather(*questions)
            assert len([sql for sql in reads if "version > " in sql]) == 1, "all of them share an answer"

    simulated(story)


def test_an_answer_that_is_shared_is_never_older_than_what_is_durable(simulated):
    async def story(world):
        async with world.center():
            await world.http.ask(world.address, ASK_CHANGES, AskChanges(since=0))
            for number in range(1, 6):
                await world.repository.add_program(another(f"film-{number}"))
                asked_s = now_s()
                answer = await world.http.ask(world.address, ASK_CHANGES, AskChanges(since=0))
                assert answer.until == number
                assert now_s() - asked_s < 0.04, "else nothing is shared"

    simulated(story)


def test_of_one_host_only_so_many_wait(simulated):
    async def story(world):
        async with world.center():
            waiting = [asyncio.create_task(asked(world, 0)) for _ in range(WAITERS_OF_HOST_MAX)]
            await asyncio.sleep(1.0)
            _, took_s = await asked(world, 0)
            assert took_s < A_MOMENT_S
            assert not any(task.done() for task in waiting)
            await world.repository.add_program(another("gala"))
            await asyncio.gather(*waiting)
            again = asyncio.create_task(asked(world, 1))
            await asyncio.sleep(1.0)
            assert not again.done(), "there is room again"
            again.cancel()

    simulated(story)


@pytest.mark.parametrize(("name", "bound"), [("WAITERS_MAX", 3), ("connections_bearable", lambda: 7)])
def test_in_all_only_so_many_wait_and_half_of_the_connections_at_most(simulated, monkeypatch, name, bound):
    monkeypatch.setattr(feed_module, name, bound)

    async def story(world):
        async with world.center():
            waiting = [asyncio.create_task(asked(world, 0)) for _ in range(3)]
            await asyncio.sleep(1.0)
            _, took_s = await asked(world, 0)
            assert took_s < A_MOMENT_S
            for task in waiting:
                task.cancel()
            await asyncio.sleep(WAIT_MS / 1000)
            _, took_s = await asked(world, 0, wait_ms=1000)
            assert took_s >= 1.0, "who has gone makes room when his time is up"

    simulated(story)


def test_a_center_that_ends_keeps_nobody_waiting(simulated):
    async def story(world):
        async with world.center():
            waiting = asyncio.create_task(asked(world, 0))
            await asyncio.sleep(1.0)
            ends_s = now_s()
        assert now_s() - ends_s < A_MOMENT_S
        answer, _ = await waiting
        assert answer.until == 0

    simulated(story)


@pytest.mark.parametrize(("stations", "again_ms"), [(10, 10), (4000, 4000), (30_000, 10_000)])
def test_of_many_stations_each_is_heard_more_seldom(tmp_path, stations, again_ms):
    """So that their registrations take a quarter of a core at most."""
    registration = RegisterStation(
        station="north", director="127.0.0.9:81", media="127.0.0.9:80", epoch=1, engines=1, heard=0
    )

    async def story():
        repository = SqliteRepository.open(tmp_path / "registry")
        registry = MediaLocationRegistry(repository, HOME, Address("127.0.0.1", 80), CenterCounters())
        for number in range(stations - 1):
            registry.presences.hear(replace(registration, station=f"station-{number}"), 0.0)
        answer = await registry._register(registration)
        await repository.close()
        assert isinstance(answer, StationRegistered)
        assert answer.again_ms == again_ms

    asyncio.run(story())


@pytest.mark.parametrize("page", [2, 1000])
def test_a_header_that_has_rotted_takes_nobody_else_out_of_the_feed(simulated, monkeypatch, page):
    def rot():
        yield Statement("UPDATE programs SET header = $1 WHERE program IN ('b', 'c')", (b"{",))
        return Verdict.ACCEPTED

    monkeypatch.setattr(feed_module, "PAGE", page)

    async def story(world):
        async with world.center():
            repository = world.repository
            for name in "abcd":
                await repository.add_program(another(name))
            await repository.store.commit([rot])
            monkeypatch.setattr(repository, "changes", partial(repository.changes, limit=page))
            heard, since, more = [], 0, True
            while more:
                answer, _ = await asked(world, since, wait_ms=0)
                assert answer.until > since or not answer.more
                heard += [change.program for change in answer.changes]
                since, more = answer.until, answer.more
            assert (heard, since) == (["a", "d"], await repository.newest_version())

    simulated(story)
