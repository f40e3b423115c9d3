"""An ingest under a number of the orderer's: however often it is said, and whoever starts anew, it is done once."""

import asyncio

import pytest

from distribution_center.content import ingest_jobs, ingesting
from distribution_center.content.ingest_jobs import IngestJobs
from media_network.messages.content import (
    ACKNOWLEDGE_INGEST,
    ASK_INGEST,
    INGEST,
    TAKE_BACK_INGEST,
    AcknowledgeIngest,
    AskIngest,
    Ingest,
    IngestProgress,
    IngestStage,
    TakeBackIngest,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.distribution_center.world import HOME

ORDER = Ingest(source="/films/film.mp4", ingest="chosen-1")


async def reach_end(world, number="chosen-1"):
    for _ in range(6000):
        progress = await world.ask(ASK_INGEST, AskIngest(number))
        assert isinstance(progress, IngestProgress), progress
        if progress.is_over:
            return progress
        await asyncio.sleep(0.1)
    raise AssertionError(progress)


def test_said_twice_it_is_one(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            first, second = await asyncio.gather(world.ask(INGEST, ORDER), world.ask(INGEST, ORDER))
            assert first.ingest == second.ingest == "chosen-1"
            done = await reach_end(world)
            assert await world.ask(INGEST, ORDER) == done
            assert cut == ["film.mp4"]

    simulated(story)


def test_said_again_to_a_center_that_has_started_anew_it_is_the_same_and_its_end_is_known(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            await world.ask(INGEST, ORDER)
            done = await reach_end(world)
        for _ in range(2):
            async with world.center(), world.station(HOME, port=9002):
                assert await world.ask(INGEST, ORDER) == done
                assert await world.ask(ASK_INGEST, AskIngest("chosen-1")) == done
        assert cut == ["film.mp4"]

    simulated(story)


def test_one_that_failed_stays_failed(simulated, monkeypatch):
    made = []

    async def no_film(path, *_, **__):
        made.append(path.name)
        raise ingesting.NameTaken("/films/film.mp4", "film")

    monkeypatch.setattr(ingesting, "ingest", no_film)

    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            await world.ask(INGEST, ORDER)
            failed = await reach_end(world)
            assert failed.stage is IngestStage.FAILED
            assert failed.error
        async with world.center(), world.station(HOME, port=9002):
            assert await world.ask(INGEST, ORDER) == failed
        assert made == ["film.mp4"]

    simulated(story)


def test_another_order_under_its_number_is_refused(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            await world.ask(INGEST, ORDER)
            for _ in range(2):
                refused = await world.ask(INGEST, Ingest(source="/films/other.mp4", ingest="chosen-1"))
                assert refused == Refused(Reason.BAD_MESSAGE, "ingest chosen-1 is another one, of /films/film.mp4")
                await reach_end(world)
            assert cut == ["film.mp4"]

    simulated(story)


def test_its_end_is_kept_until_it_is_acknowledged(simulated, cut):
    async def story(world):
        folder = world.folder / "ingests"
        async with world.center(), world.station(HOME, port=9001):
            await world.ask(INGEST, ORDER)
            await reach_end(world)
            assert [path.name for path in folder.iterdir()] == ["chosen-1"]
            for _ in range(2):
                assert await world.ask(ACKNOWLEDGE_INGEST, AcknowledgeIngest("chosen-1")) == Done()
            assert list(folder.iterdir()) == []
        async with world.center(), world.station(HOME, port=9002):
            unknown = await world.ask(ASK_INGEST, AskIngest("chosen-1"))
            assert unknown.reason is Reason.UNKNOWN_INGEST

    simulated(story)


def test_one_that_is_under_way_is_not_acknowledged_away(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            await world.ask(INGEST, ORDER)
            await world.ask(ACKNOWLEDGE_INGEST, AcknowledgeIngest("chosen-1"))
        async with world.center(), world.station(HOME, port=9002):
            assert (await reach_end(world)).stage is IngestStage.DONE

    simulated(story)


def test_who_acknowledges_nothing_fills_no_disk(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(ingest_jobs, "OUTCOMES_MAX", 3)

    async def story():
        jobs = IngestJobs(tmp_path / "ingests")
        for number in range(5):
            await jobs.begin(f"chosen-{number}", Ingest(source="/films/film.mp4", ingest=f"chosen-{number}"))
            await jobs.end(f"chosen-{number}", IngestStage.FAILED, "for no reason")

    asyncio.run(story())
    assert sorted(path.name for path in (tmp_path / "ingests").iterdir()) == ["chosen-2", "chosen-3", "chosen-4"]
    assert sum("nobody has acknowledged it" in record.message for record in caplog.records) == 2


@pytest.mark.parametrize("number", ["../../etc", "a.b", "", "x" * 65, "A"])
def test_a_number_that_is_no_file_name_is_refused(told, number):
    async def story(world):
        async with world.center():
            refused = await world.ask(INGEST, Ingest(source="/films/film.mp4", ingest=number))
            assert refused.reason is Reason.BAD_MESSAGE

    told(story)


def test_taken_back_before_it_was_begun_it_never_begins(simulated, cut):
    """Also by a center that has started anew since, until that is acknowledged."""

    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            over = await world.ask(TAKE_BACK_INGEST, TakeBackIngest(ORDER))
            assert (over.ingest, over.stage) == ("chosen-1", IngestStage.CANCELLED)
            assert await world.ask(INGEST, ORDER) == over
        async with world.center(), world.station(HOME, port=9002):
            assert await world.ask(INGEST, ORDER) == over
            assert await world.ask(ASK_INGEST, AskIngest("chosen-1")) == over
            assert await world.ask(TAKE_BACK_INGEST, TakeBackIngest(ORDER)) == over
            await asyncio.sleep(5.0)
            assert cut == []
            await world.ask(ACKNOWLEDGE_INGEST, AcknowledgeIngest("chosen-1"))
            assert list((world.folder / "ingests").iterdir()) == []

    simulated(story)


def test_said_and_taken_back_at_once_it_is_over_whichever_comes_first(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            for number in range(6):
                order = Ingest(source="/films/film.mp4", ingest=f"chosen-{number}")
                say, take_back = world.ask(INGEST, order), world.ask(TAKE_BACK_INGEST, TakeBackIngest(order))
                await asyncio.gather(*((say, take_back) if number % 2 else (take_back, say)))
                assert (await reach_end(world, order.ingest)).stage is IngestStage.CANCELLED
                assert (await world.ask(INGEST, order)).stage is IngestStage.CANCELLED
            await asyncio.sleep(5.0)
            assert cut == []

    simulated(story)


def test_taken_back_under_way_it_ends_and_when_it_is_over_it_stays_as_it_is(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            await world.ask(INGEST, ORDER)
            await asyncio.sleep(2.0)
            assert (await world.ask(ASK_INGEST, AskIngest("chosen-1"))).stage is IngestStage.STORING
            assert (await world.ask(TAKE_BACK_INGEST, TakeBackIngest(ORDER))).stage is IngestStage.CANCELLED
            assert await world.row("film") is None
            home.takes = 100
            other = Ingest(source="/films/film.mp4", ingest="chosen-2")
            await world.ask(INGEST, other)
            done = await reach_end(world, "chosen-2")
            assert done.stage is IngestStage.DONE
            assert await world.ask(TAKE_BACK_INGEST, TakeBackIngest(other)) == done

    simulated(story)


def test_who_takes_back_does_not_wait_for_one_that_is_slow_to_end(simulated, cut, monkeypatch):
    async def story(world):
        slow = asyncio.Event()
        real = ingesting.Ingesting._leave_nothing

        async def leave_nothing(*arguments):
            await slow.wait()
            return await real(*arguments)

        monkeypatch.setattr(ingesting.Ingesting, "_leave_nothing", leave_nothing)
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            await world.ask(INGEST, ORDER)
            await asyncio.sleep(2.0)
            for _ in range(3):
                assert not (await world.ask(TAKE_BACK_INGEST, TakeBackIngest(ORDER))).is_over
            slow.set()
            assert (await reach_end(world)).stage is IngestStage.CANCELLED

    simulated(story)


def test_nobody_takes_back_what_is_not_his(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            await world.ask(INGEST, ORDER)
            other = Ingest(source="/films/other.mp4", ingest="chosen-1")
            refused = await world.ask(TAKE_BACK_INGEST, TakeBackIngest(other))
            assert refused == Refused(Reason.BAD_MESSAGE, "ingest chosen-1 is another one, of /films/film.mp4")
            nameless = await world.ask(TAKE_BACK_INGEST, TakeBackIngest(Ingest(source="/films/film.mp4")))
            assert nameless.reason is Reason.BAD_MESSAGE
            assert (await reach_end(world)).stage is IngestStage.DONE

    simulated(story)
