"""Ingests are jobs of the center: listed, watched by whoever asks, cancelled, and gone on with after a restart."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from distribution_center.content import ingesting
from distribution_center.content.providers.provider import ProviderSettings
from media_network.messages.content import (
    ASK_INGEST,
    CANCEL_INGEST,
    INGEST,
    INGESTS_SHOWN_MAX,
    LIST_INGESTS,
    LIST_PROGRAMS,
    AskIngest,
    CancelIngest,
    Ingest,
    IngestStage,
    ListIngests,
    ListPrograms,
)
from media_network.messages.program_information import ASK_CHANGES, AskChanges
from media_network.refusal import Reason, Refused
from tests.clips import render
from tests.distribution_center.world import CONTENTS, HOME, film
from tests.patience import until
from tests.signals import heed_signals


@pytest.fixture
def never(monkeypatch):
    """Every ingest stands still, for as long as the event is not set."""
    stands = asyncio.Event()

    async def stand(*_, **__):
        await stands.wait()
        raise OSError(5, "it does not go on", "film")

    monkeypatch.setattr(ingesting, "ingest", stand)
    return stands


async def order(world, source="/films/film.mp4"):
    begun = await world.ask(INGEST, Ingest(source=source))
    assert begun.stage is IngestStage.WAITING
    return begun.ingest


async def how_far(world, ingest):
    return await world.ask(ASK_INGEST, AskIngest(ingest))


async def reach(world, ingest, *stages):
    while (progress := await how_far(world, ingest)).stage not in stages:
        assert not progress.is_over, progress
        await asyncio.sleep(0.05)
    return progress


def test_one_that_is_cancelled_twice_has_an_end(simulated, never):
    """By a person at the page, and another at a terminal."""

    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            number = await order(world)
            await reach(world, number, IngestStage.CONVERTING)
            said = [world.ask(CANCEL_INGEST, CancelIngest(number)) for _ in range(3)]
            assert {answer.stage for answer in await asyncio.gather(*said)} == {IngestStage.CANCELLED}
            await nothing_stays(world)

    simulated(story)


async def nothing_stays(world):
    assert (await world.ask(LIST_PROGRAMS, ListPrograms())).programs == ()
    assert [path for path in (world.folder / "spool").rglob("*") if not path.is_dir()] == []
    assert list((world.folder / "ingests").iterdir()) == []


def test_where_nobody_could_store_it_an_ingest_is_refused_at_once(simulated, cut):
    async def story(world):
        async with world.center():
            refused = await world.ask(INGEST, Ingest(source="/films/film.mp4"))
            assert refused.reason is Reason.NO_ENGINE
            assert refused.detail == f"no director of station {HOME} has registered: is the station up?"
            async with world.station(HOME, port=9001) as home:
                await home.register(engines=0)
                refused = await world.ask(INGEST, Ingest(source="/films/film.mp4"))
                assert refused.reason is Reason.NO_ENGINE
                assert refused.detail == f"station {HOME} has no engine in service"
                await home.register(engines=1)
                await nothing_stays(world)
                await reach(world, await order(world), IngestStage.DONE)

    simulated(story)


def test_a_director_that_has_begun_just_now_is_given_a_moment(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            await home.register(engines=0)
            asked = asyncio.create_task(order(world))
            await asyncio.sleep(0.5)
            await home.register(engines=1)
            await reach(world, await asked, IngestStage.DONE)

    simulated(story)


def test_a_director_that_is_gone_is_named_when_patience_ends(simulated, cut):
    async def story(world):
        world.storing_patience_s = 5.0
        async with world.center():
            async with world.station(HOME, port=9001):
                pass
            progress = await reach(world, await order(world), IngestStage.FAILED)
            assert "the director of station home does not answer at 127.0.0.1:9001: is it up?" in progress.error
            await nothing_stays(world)

    simulated(story)


def test_they_are_listed_with_what_was_ordered(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            sources = ["/films/one.mp4", "/films/two.mp4", "/films/three.mp4"]
            numbers = [await order(world, source) for source in sources]
            await asyncio.sleep(5.0)
            rows = (await world.ask(LIST_INGESTS, ListIngests())).ingests
            assert [row.progress.ingest for row in rows] == numbers
            assert [row.source for row in rows] == sources
            # Which of them wait depends on whose source was opened first.
            found = sorted((row.progress.stage, row.progress.program) for row in rows)
            assert found[:2] == [(IngestStage.STORING, "film")] * 2
            assert found[2] == (IngestStage.WAITING, None)

    simulated(story)


def test_of_those_that_are_over_the_latest_are_shown(simulated, never):
    async def story(world):
        never.set()
        async with world.center(), world.station(HOME, port=9001):
            numbers = [await order(world) for _ in range(INGESTS_SHOWN_MAX)]
            await reach(world, numbers[-1], IngestStage.FAILED)
            never.clear()
            under_way = [await order(world) for _ in range(5)]
            rows = (await world.ask(LIST_INGESTS, ListIngests())).ingests
            assert [row.progress.ingest for row in rows] == numbers[5:] + under_way
            assert isinstance(await how_far(world, numbers[0]), Refused)

    simulated(story)


# Cancelled


async def cancel(world, ingest):
    progress = await world.http.ask(world.address, CANCEL_INGEST, CancelIngest(ingest), deadline_s=30.0)
    assert progress.stage is IngestStage.CANCELLED, progress
    assert progress.error is None
    assert await how_far(world, ingest) == progress


def test_while_it_waits_for_others(simulated, never):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            numbers = [await order(world, f"/films/{number}.mp4") for number in range(4)]
            await cancel(world, numbers[2])
            stages = [(await how_far(world, number)).stage for number in numbers]
            assert stages == [
                IngestStage.CONVERTING,
                IngestStage.CONVERTING,
                IngestStage.CANCELLED,
                IngestStage.WAITING,
            ]
            await cancel(world, numbers[0])
            await reach(world, numbers[3], IngestStage.CONVERTING)
            for number in (numbers[1], numbers[3]):
                await cancel(world, number)
            await nothing_stays(world)

    simulated(story)


@asynccontextmanager
async def slow_provider():
    """Gives the first half of a file, and then nothing for as long as anybody waits."""
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 2000\r\nETag: "x"\r\n\r\n' + bytes(1000))
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/film.mp4", asked


@asynccontextmanager
async def provided(world, url, **facts):
    """A center that may download from where that URL is."""
    world.providers = (ProviderSettings(name="studio", address=url.rpartition("/")[0] + "/", **facts),)
    async with world.center():
        yield


def test_while_it_is_downloaded(told):
    async def story(world):
        async with slow_provider() as (url, asked), provided(world, url), world.station(HOME):
            number = await order(world, url)
            downloads = world.folder / "spool" / "downloads"
            await until(lambda: downloads.is_dir() and any(path.stat().st_size == 1000 for path in downloads.iterdir()))
            await cancel(world, number)
            await nothing_stays(world)
            assert len(asked) == 1

    told(story)


def test_while_it_is_converted(told, tmp_path):
    source = render(tmp_path / "tiny.mp4", 20.0, 640, 360, gop=6)

    def converting():
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # of others that have just ended
                if any("ingest_process" in word for word in child.cmdline()):
                    return child
        return None

    async def story(world):
        async with world.center(), world.station(HOME):
            number = await order(world, str(source))
            process = await until(converting)
            process.suspend()  # it does not end by itself before that is asked for
            assert list((world.folder / "spool").glob(".ingest-*"))
            await cancel(world, number)
            assert not process.is_running()
            await nothing_stays(world)

    told(story)


def test_while_it_is_stored(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 1
            number = await order(world)
            await reach(world, number, IngestStage.STORING)
            await asyncio.sleep(10.0)
            assert home.taken
            await cancel(world, number)
            await nothing_stays(world)
            [change] = (await world.ask(ASK_CHANGES, AskChanges(since=0))).changes
            assert (change.program, change.header) == ("film", None), "and the station lets go of what it has"
            home.takes = len(CONTENTS)
            home.taken.clear()
            await reach(world, await order(world), IngestStage.DONE)

    simulated(story)


def test_another_ingest_of_the_same_film_goes_on(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 1
            first = await order(world)
            await reach(world, first, IngestStage.STORING)
            second = await order(world, "/films/copy.mp4")
            await reach(world, second, IngestStage.STORING)
            await cancel(world, first)
            home.takes = len(CONTENTS)
            home.orders.clear()
            await reach(world, second, IngestStage.DONE)
            assert (await world.row("film")).stations == {HOME: len(CONTENTS)}

    simulated(story)


def test_one_that_is_over_is_told_as_it_is(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            number = await order(world)
            done = await reach(world, number, IngestStage.DONE)
            assert await world.ask(CANCEL_INGEST, CancelIngest(number)) == done
            assert (await world.row("film")).stations == {HOME: len(CONTENTS)}

    simulated(story)


def test_a_program_that_was_there_before_stays(simulated, cut):
    async def story(world):
        await world.put_in_spool(film())
        async with world.center(), world.station(HOME, port=9001) as home:
            while (row := await world.row("film")) is None or row.stations != {HOME: len(CONTENTS)}:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
            # Its disk is exchanged, and the film is ingested once more.
            home.taken.clear()
            await home.begin()
            home.takes = 0
            number = await order(world)
            await reach(world, number, IngestStage.STORING)
            await cancel(world, number)
            assert await world.row("film")

    simulated(story)


# Gone on with


@pytest.mark.parametrize("stage", [IngestStage.WAITING, IngestStage.CONVERTING, IngestStage.STORING])
def test_a_center_that_stopped_goes_on_with_it(simulated, cut, stage):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            sources = 3 if stage is IngestStage.WAITING else 1
            numbers = [await order(world, f"/films/{number}.mp4") for number in range(sources)]
            await reach(world, numbers[-1], stage)
        made = len(cut)
        async with world.center(), world.station(HOME, port=9001):
            for number in numbers:
                progress = await reach(world, number, IngestStage.DONE)
                assert progress.program == "film"
            assert (await world.row("film")).stations == {HOME: len(CONTENTS)}
            if stage is IngestStage.STORING:
                assert len(cut) == made, "what was cut is not cut again"
        assert list((world.folder / "ingests").iterdir()) == []

    simulated(story)


def test_what_was_stored_when_the_center_stopped_is_done(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            number = await order(world)
            await reach(world, number, IngestStage.STORING)
            kept = (world.folder / "ingests" / number).read_bytes()
            home.takes = len(CONTENTS)
            home.orders.clear()
            await reach(world, number, IngestStage.DONE)
        # Killed between the last segment and the note that it is over.
        (world.folder / "ingests" / number).write_bytes(kept)
        made = len(cut)
        async with world.center():
            await reach(world, number, IngestStage.DONE)
            assert len(cut) == made

    simulated(story)


def test_a_damaged_note_of_one_keeps_no_other_from_going_on(simulated, cut, caplog):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001) as home:
            home.takes = 0
            numbers = [await order(world) for _ in range(2)]
        (world.folder / "ingests" / numbers[0]).write_bytes(b"{")
        async with world.center(), world.station(HOME, port=9001):
            await reach(world, numbers[1], IngestStage.DONE)
            assert isinstance(await how_far(world, numbers[0]), Refused)
        assert "this ingest has to be ordered again" in caplog.text

    simulated(story)


def test_an_order_that_cannot_be_kept_is_not_accepted(simulated, cut):
    async def story(world):
        async with world.center(), world.station(HOME, port=9001):
            (world.folder / "ingests").rmdir()
            (world.folder / "ingests").write_bytes(b"")
            refused = await world.ask(INGEST, Ingest(source="/films/film.mp4"))
            assert refused.reason is Reason.IO_ERROR
            assert refused.detail == "the center cannot keep the order: file exists"

    simulated(story)


# From providers


def test_what_is_no_providers_is_refused_with_those_that_are(told):
    async def story(world):
        async with provided(world, "http://127.0.0.1:9/films/a.mp4"), world.station(HOME):
            for source in ("http://127.0.0.1:9/other/a.mp4", "ftp://127.0.0.1/films/a.mp4", "gopher://127.0.0.1/a"):
                refused = await world.ask(INGEST, Ingest(source=source))
                assert refused.reason is Reason.BAD_SOURCE
                assert refused.detail == (
                    f"{source} is no provider's: the only provider is studio (http://127.0.0.1:9/films/)"
                )

    told(story)


def test_no_more_downloads_than_a_provider_is_to_have_are_under_way(told, cut):
    async def story(world):
        async with slow_provider() as (url, asked), provided(world, url, at_once=2), world.station(HOME):
            numbers = [await order(world, f"{url}?{number}") for number in range(3)]
            await until(lambda: len(asked) == 2)
            local = await order(world)
            await reach(world, local, IngestStage.DONE)
            progress = await how_far(world, numbers[0])
            assert (progress.received_bytes, progress.length_bytes, progress.fraction) == (1000, 2000, 0.5)
            assert (await how_far(world, numbers[2])).stage is IngestStage.WAITING
            await cancel(world, numbers[0])
            await until(lambda: len(asked) == 3)
            for number in numbers[1:]:
                await cancel(world, number)

    told(story)


# By command


@asynccontextmanager
async def command(world, *words, environment=None):
    """`distribution-center` as a process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from distribution_center.cli import main; main(prog_name='distribution-center')"),
        *(*words, "--center", str(world.address)),
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        preexec_fn=heed_signals,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(world, *words):
    async with command(world, *words) as process:
        out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


def test_a_command_that_is_interrupted_says_that_the_ingest_goes_on(told, tmp_path):
    source = render(tmp_path / "tiny.mp4", 1.0, 160, 90)

    async def story(world):
        async with world.center(), world.station(HOME) as home:
            home.takes = 0
            assert (await said(world, "ingests"))[1].startswith("There is no ingest under way")
            async with command(world, "ingest", str(source)) as process:
                while not (await process.stderr.readline()).startswith(b"storing"):
                    assert process.returncode is None
                process.send_signal(signal.SIGINT)
                _, error = await process.communicate()
            assert process.returncode == 130
            [row] = (await world.ask(LIST_INGESTS, ListIngests())).ingests
            number = row.progress.ingest
            assert f"`distribution-center watch-ingest {number}` shows it again" in error.decode()
            assert "Traceback" not in error.decode()
            _, listed, _ = await said(world, "ingests")
            headings, line, *_ = listed.splitlines()
            assert headings.split() == ["INGEST", "STAGE", "DONE", "LEFT", "BEGUN", "PROGRAM", "SOURCE"]
            assert [number, "storing", str(source)] == [line.split()[at] for at in (0, 1, -1)]
            words = f"distribution-center watch-ingest --center {world.address} "
            asked = {"COMP_WORDS": words, "COMP_CWORD": "4", "_DISTRIBUTION_CENTER_COMPLETE": "bash_complete"}
            async with command(world, environment={**os.environ, **asked}) as process:
                assert await process.communicate() == (f"plain,{number}\n".encode(), b"")

            async with command(world, "watch-ingest", number) as process:
                home.takes = 1 << 20
                home.orders.clear()
                out, _ = await process.communicate()
            assert out.decode().strip() == (await how_far(world, number)).program
            status, out, _ = await said(world, "cancel-ingest", number)
            assert (status, out.split(":")[0]) == (0, f"{number} was over already, it is done")
            status, _, error = await said(world, "cancel-ingest", "x" * 500)
            assert status == 1
            assert error.startswith("Error: there is no ingest xxx")
            assert "`distribution-center ingests`" in error

    told(story)
