"""What is sent to the center: room is set aside first, and what breaks off or does not fit leaves nothing."""

import asyncio
import errno
import random
import tracemalloc
from contextlib import suppress

import pytest

from distribution_center.content import ingesting, upload_pace
from distribution_center.content.upload_pace import UploadPace
from distribution_center.content.uploads import (
    AT_ONCE,
    LAPSES_AFTER_S,
    UploadBroken,
    UploadDisplaced,
    Uploads,
    kept_name,
)
from distribution_center.page import uploading
from media_network.files import DiskFiles
from media_network.messages.content import LIST_INGESTS, IngestStage, ListIngests
from media_network.refusal import Reason, Refused
from tests.distribution_center.page.test_server import page_of
from tests.distribution_center.world import HOME
from tests.patience import until

MIB = 1 << 20


class SmallDisk(DiskFiles):
    """A disk with so much room, for what a test says."""

    def __init__(self, free_bytes):
        self.free = free_bytes

    def free_bytes(self, _):
        return self.free


def uploads_in(folder, *, bytes_max=10 * MIB, held_bytes_max=20 * MIB, free_bytes=1 << 40):
    files = SmallDisk(free_bytes)
    return Uploads(folder=folder, rng=random.Random(1), bytes_max=bytes_max, held_bytes_max=held_bytes_max, files=files)


async def parts(*octets):
    for each in octets:
        yield each


def refused(answer):
    assert isinstance(answer, Refused)
    return answer.reason, str(answer)


def run(folder, story, **limits):
    async def tell():
        await story(uploads_in(folder, **limits))

    asyncio.run(tell())


def test_what_comes_is_kept_until_its_ingest_is_over(tmp_path):
    async def story(uploads):
        upload = uploads.take(uploads.begin("film.mp4", 7).number)
        await uploads.receive(upload, parts(b"abc", b"", b"defg"))
        assert upload.path.read_bytes() == b"abcdefg"
        assert (upload.path.name, uploads.held_bytes) == ("film.mp4", 7)
        await uploads.let_go("/somebody/else/film.mp4")
        assert upload.path.exists()
        await uploads.let_go(str(upload.path))
        assert (list(tmp_path.iterdir()), uploads.held_bytes) == ([], 0)

    run(tmp_path, story)


@pytest.mark.parametrize("came", [(), (b"abc",), (b"abc", b"defgh")])
def test_too_few_or_too_many_bytes_leave_nothing(tmp_path, came):
    async def story(uploads):
        upload = uploads.take(uploads.begin("film.mp4", 7).number)
        with pytest.raises(UploadBroken):
            await uploads.receive(upload, parts(*came))
        assert (list(tmp_path.iterdir()), uploads.held_bytes) == ([], 0)
        assert uploads.take(upload.number) is None

    run(tmp_path, story)


@pytest.mark.parametrize("error", [ConnectionResetError, TimeoutError, asyncio.CancelledError])
def test_what_breaks_off_leaves_nothing(tmp_path, error):
    async def broken():
        yield b"abc"
        raise error

    async def story(uploads):
        upload = uploads.take(uploads.begin("film.mp4", 7).number)
        with pytest.raises(error):
            await uploads.receive(upload, broken())
        assert (list(tmp_path.iterdir()), uploads.held_bytes) == ([], 0)

    run(tmp_path, story)


def test_a_disk_that_is_full_in_the_middle_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story(uploads):
        upload = uploads.take(uploads.begin("film.mp4", 7).number)
        monkeypatch.setattr("media_network.files._DiskFile.write", full)
        with pytest.raises(OSError, match="No space"):
            await uploads.receive(upload, parts(b"abcdefg"))
        assert (list(tmp_path.iterdir()), uploads.held_bytes) == ([], 0)

    run(tmp_path, story)


def test_what_does_not_fit_is_refused_before_it_is_sent(tmp_path):
    async def story(uploads):
        reason, said = refused(uploads.begin("film.mp4", 10 * MIB + 1))
        assert (reason, "more than the 10.5 MB that are taken" in said) == (Reason.TOO_LARGE, True)
        reason, said = refused(uploads.begin("film.mp4", 6 * MIB))
        assert (reason, "the center's disk has room for 5.2 MB" in said) == (Reason.NO_SPACE, True)
        uploads.begin("film.mp4", 3 * MIB)
        assert refused(uploads.begin("film.mp4", 3 * MIB))[0] is Reason.NO_SPACE, "what is coming has its room"

    run(tmp_path, story, free_bytes=(64 + 5) * MIB)


def test_all_that_wait_together_have_a_bound(tmp_path):
    async def story(uploads):
        first = uploads.take(uploads.begin("film.mp4", 5).number)
        await uploads.receive(first, parts(b"abcde"))
        reason, said = refused(uploads.begin("film.mp4", 6))
        assert (reason, "of uploads wait to be ingested" in said) == (Reason.NO_SPACE, True)
        await uploads.let_go(str(first.path))
        assert not isinstance(uploads.begin("film.mp4", 6), Refused)

    run(tmp_path, story, held_bytes_max=10)


def test_a_few_come_at_once_and_what_never_comes_lapses(tmp_path, monkeypatch):
    async def story(uploads):
        now = asyncio.get_running_loop().time()
        begun = [uploads.begin(f"film-{number}.mp4", 7) for number in range(AT_ONCE)]
        assert refused(uploads.begin("film.mp4", 7))[0] is Reason.BUSY
        assert uploads.take(begun[0].number)
        assert uploads.take(begun[0].number) is None, "its bytes come once"
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now + LAPSES_AFTER_S + 1.0)
        assert not isinstance(uploads.begin("film.mp4", 7), Refused)
        assert uploads.take(begun[1].number) is None
        assert refused(uploads.begin("film.mp4", 7))[0] is Reason.BUSY, "the first one is coming"

    run(tmp_path, story)


def test_who_comes_very_slowly_gives_the_place_up_to_who_comes_next(tmp_path, monkeypatch):
    monkeypatch.setattr(upload_pace, "_LOOKED_AT_S", 0.3)

    async def coming(pieces, pause_s):
        while True:
            yield pieces
            await asyncio.sleep(pause_s)

    async def story(uploads):
        loop = asyncio.get_running_loop()

        def receive(name, *coming_so):
            upload = uploads.take(uploads.begin(name, 8 * MIB).number)
            return upload, loop.create_task(uploads.receive(upload, coming(*coming_so)))

        trickling, slowly = receive("slow.mp4", b"x", 0.02)
        _, fast = receive("fast.mp4", bytes(40_000), 0.05)
        await asyncio.sleep(0.1)
        assert refused(uploads.begin("film.mp4", 7))[0] is Reason.BUSY, "it has just begun"
        await until(lambda: not isinstance(uploads.begin("film.mp4", 7), Refused))
        with pytest.raises(UploadDisplaced, match=r"more slowly than 0.5 Mbit/s, and another wanted the place"):
            await slowly
        assert not trickling.path.exists()
        assert refused(uploads.begin("film.mp4", 7))[0] is Reason.BUSY, "the other one is fast enough"
        assert not fast.done()
        fast.cancel()
        await asyncio.wait([fast])

    run(tmp_path, story)


def test_how_slow_an_upload_is_the_last_while_says():
    pace = UploadPace(0.0)
    assert pace.slowness_bps(29.0) is None, "it has just begun"
    assert pace.slowness_bps(31.0) == 0.0
    pace.came(10**9, 31.0)
    assert pace.slowness_bps(60.0) is None
    for second in range(32, 62):
        pace.came(10, float(second))
    assert pace.slowness_bps(62.0) == pytest.approx(80.0, rel=0.1), "however fast it was before"
    pace.came(10**9, 62.0)
    pace.came(0, 92.0)
    assert pace.slowness_bps(93.0) is None


def test_after_a_restart_what_an_ingest_needs_is_there_and_nothing_else(tmp_path):
    async def story(uploads):
        kept, orphan = [uploads.take(uploads.begin("film.mp4", 7).number) for _ in range(2)]
        for upload in (kept, orphan):
            await uploads.receive(upload, parts(b"abcdefg"))
        (tmp_path / "stray").touch()
        again = uploads_in(tmp_path)
        await again.keep_only({str(kept.path), "/films/other.mp4"})
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [kept.number]
        assert again.held_bytes == 7
        await again.let_go(str(kept.path))
        assert again.held_bytes == 0

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("film.mp4", "film.mp4"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\\b/c\0d\n.ts", "a_b_c_d_.ts"),
        ("..", "film"),
        ("", "film"),
        (".mp4", "mp4"),
        ("ü" * 200 + ".mkv", "ü" * 75 + ".mkv"),
        ("film." + "x" * 200, "film"),
        ("\u202efilm.mp4", "_film.mp4"),
    ],
)
def test_a_name_stays_in_its_folder(name, kept):
    assert kept_name(name) == kept


async def begin(client, length_bytes, name="film.mp4", **more):
    async with client.post("/uploads/begin", json={"name": name, "length_bytes": length_bytes} | more) as answer:
        return answer.status, await answer.json()


def test_it_is_refused_in_words_under_the_status_that_says_why(told, free_port):
    async def story(world):
        async with page_of(world, free_port, upload_bytes_max=1000, uploads_bytes_max=1500) as client:
            status, answer = await begin(client, 10)
            assert (status, "no director of station home" in answer["detail"]) == (503, True)
            async with world.station(HOME):
                assert (await begin(client, 1001))[0] == 413
                assert (await begin(client, 0))[0] == 400
                first, second = [await begin(client, length) for length in (1000, 500)]
                assert (first[0], second[0]) == (200, 200)
                status, answer = await begin(client, 10)
                assert (status, "under way already" in answer["detail"]) == (429, True)
                async with client.put(f"/uploads/{second[1]['upload']}", data=b"x" * 499) as answer:
                    refused = await answer.json()
                    assert (answer.status, "499 of 500 bytes came" in refused["detail"]) == (400, True)
                status, answer = await begin(client, 501)
                assert (status, "wait to be ingested" in answer["detail"]) == (507, True)
                async with client.put(f"/uploads/{second[1]['upload']}", data=b"x" * 500) as answer:
                    assert answer.status == 404
                assert not any((world.folder / "uploads").iterdir())

    told(story)


def test_an_upload_that_breaks_off_leaves_nothing_and_gives_its_place_away(told, free_port):
    async def story(world):
        async with page_of(world, free_port) as client, world.station(HOME):
            _, begun = await begin(client, 50 * MIB)
            host, port = world.page.address, world.page.port
            _, writer = await asyncio.open_connection(host, port)
            headers = "".join(f"{name}: {value}\r\n" for name, value in client.headers.items())
            head = f"PUT /uploads/{begun['upload']} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}"
            writer.write(f"{head}Content-Length: {50 * MIB}\r\n\r\n".encode() + b"x" * MIB)
            await writer.drain()
            await until(lambda: any(path.stat().st_size for path in (world.folder / "uploads").glob("*/film.mp4")))
            writer.transport.abort()
            await until(lambda: not any((world.folder / "uploads").iterdir()))
            for _ in range(AT_ONCE):
                assert (await begin(client, 10))[0] == 200
            assert (await world.ask(LIST_INGESTS, ListIngests())).ingests == ()

    told(story)


def test_who_falls_silent_is_not_waited_for(told, free_port, monkeypatch):
    monkeypatch.setattr(uploading, "SILENT_MAX_S", 0.2)

    async def story(world):
        async def slowly():
            yield b"x"
            await asyncio.sleep(60.0)

        async with page_of(world, free_port) as client, world.station(HOME):
            _, begun = await begin(client, 2)
            with suppress(ConnectionError):
                headers = {"Content-Length": "2"}
                async with client.put(f"/uploads/{begun['upload']}", data=slowly(), headers=headers) as answer:
                    assert (answer.status, (await answer.json())["reason"]) == (503, "overdue")
            assert not any((world.folder / "uploads").iterdir())

    told(story)


def test_what_is_uploaded_is_ingested_goes_on_after_a_restart_and_is_removed(told, free_port, monkeypatch):
    stands, made = asyncio.Event(), []

    async def stand(path, *_, title, **__):
        made.append((path.read_bytes(), title))
        await stands.wait()
        raise OSError(errno.EIO, "the film is gone", str(path))

    monkeypatch.setattr(ingesting, "ingest", stand)

    async def story(world):
        async with page_of(world, free_port) as client, world.station(HOME):
            _, begun = await begin(client, 3, title="Its title")
            async with client.put(f"/uploads/{begun['upload']}", data=b"abc") as answer:
                assert (answer.status, (await answer.json())["stage"]) == (200, "waiting")
            await until(lambda: made)
        async with world.center(), world.station(HOME):
            await until(lambda: len(made) == 2)
            assert made == [(b"abc", "Its title")] * 2
            stands.set()
            await until(lambda: not any((world.folder / "uploads").iterdir()))
            [row] = (await world.ask(LIST_INGESTS, ListIngests())).ingests
            assert row.progress.stage is IngestStage.FAILED
            assert row.progress.error == "film.mp4 was not ingested: the film is gone (film.mp4)"

    told(story)


def test_a_large_file_is_never_in_memory(told, free_port, monkeypatch):
    """40 MiB in pieces of a MiB: what Python holds at most is a small part of it."""

    async def never(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(ingesting, "ingest", never)

    async def story(world):
        async def film():
            for _ in range(40):
                yield bytes(MIB)

        async with page_of(world, free_port) as client, world.station(HOME):
            _, begun = await begin(client, 40 * MIB)
            headers = {"Content-Length": str(40 * MIB)}
            tracemalloc.start()
            async with client.put(f"/uploads/{begun['upload']}", data=film(), headers=headers) as answer:
                assert answer.status == 200
            _, peak_bytes = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak_bytes < 8 * MIB

    told(story)
