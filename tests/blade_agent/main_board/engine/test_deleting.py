"""Claim 23 at the engine: what its director tells it to delete goes from the disks, unless somebody reads it."""

import asyncio
import errno
from contextlib import asynccontextmanager

from msgspec.structs import replace

from blade_agent.main_board.engine import assuring
from blade_agent.main_board.engine.store.layout import cut_path
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.messages.deletion import DELETE_SEGMENTS, DeleteSegments
from media_network.messages.holdings import ASK_INTACT, AskIntact, Intact
from media_network.messages.obtaining import FETCH, CopyDone, CopyResult
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.segment_url import segment_target
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    TICKET,
    engine,
    engine_at,
    inventory,
    make_segments,
    media_of,
    path_of,
    put,
    scripted,
    segment_of,
)
from tests.patience import until

OTHER = Cut("another-film", "0" * 64)
HERE = engine_at(2)
ORDER = DeleteSegments(epoch=EPOCH, program=CUT.program, table=CUT.table)


LONG = make_segments(1, packets=100_000)[0]
"""More than what sockets take of it before anybody reads."""


def tell(tmp_path, story, files=None, first=None):
    """A story of an engine that holds three segments of a program, and one of another."""

    async def run():
        async with scripted() as director, engine(director, tmp_path / "a", HERE, files=files or DiskFiles()) as store:
            for number, data in enumerate(make_segments(3)):
                await put(store, CUT, number, first if first and number == 0 else data)
            await put(store, OTHER, 0, make_segments(1)[0])
            await until(lambda: director.heard)
            await story(director, store)

    asyncio.run(run())


async def delete(director, **facts):
    return await director.client.ask(HERE, DELETE_SEGMENTS, replace(ORDER, **facts))


async def deleted(director, **facts):
    """Said again until it is done, as directors do."""
    for _ in range(500):
        if await delete(director, **facts) == Done():
            return
    raise AssertionError("it is never done")


def test_all_of_it_goes_and_nothing_beside_it(tmp_path):
    async def story(director, store):
        await deleted(director)
        assert inventory(store) == {OTHER.program: "0"}
        assert list(cut_path(tmp_path / "a", CUT).iterdir()) == []
        assert await delete(director) == Done(), "said again"
        assert store.stored_bytes == len(make_segments(1)[0])

    tell(tmp_path, story)


def test_only_some_of_it_goes_if_so_it_is_told(tmp_path):
    async def story(director, store):
        await deleted(director, segments="0,2")
        assert inventory(store) == {OTHER.program: "0", CUT.program: "1"}
        assert (await delete(director, segments="nonsense")).reason is Reason.BAD_MESSAGE

    tell(tmp_path, story)


async def intact(director, segments="0-5", **facts):
    question = AskIntact(program=CUT.program, table=CUT.table, segments=segments)
    return await director.client.ask(HERE, ASK_INTACT, replace(question, **facts))


def rot(path):
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def test_it_says_which_segments_are_here_and_good_at_this_moment(tmp_path):
    async def story(director, store):
        assert await intact(director) == Intact(segments="0-2")
        assert await intact(director, "1,7") == Intact(segments="1")
        assert await intact(director, program="unknown-film") == Intact(segments="")
        assert (await intact(director, "nonsense")).reason is Reason.BAD_MESSAGE
        path_of(tmp_path / "a", segment_of(1, make_segments(3)[1])).unlink()
        assert await intact(director) == Intact(segments="0,2")

    tell(tmp_path, story)


def test_what_nobody_has_read_since_the_start_is_read_before_it_is_called_good(tmp_path):
    async def fill():
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "a"])
        for number, data in enumerate(make_segments(3)):
            await put(store, CUT, number, data)
        store.close()

    async def again():
        async with scripted() as director, engine(director, tmp_path / "a", HERE) as store:
            assert await intact(director) == Intact(segments="0,2")
            assert inventory(store) == {CUT.program: "0,2"}

    asyncio.run(fill())
    rot(path_of(tmp_path / "a", segment_of(1, make_segments(3)[1])))
    asyncio.run(again())


def test_no_question_keeps_an_engine_reading_for_long(tmp_path, monkeypatch):
    """What it has not come to is not called good; asked again, it goes on from there."""
    monkeypatch.setattr(assuring, "_READS_FOR_S", 0.1)
    monkeypatch.setattr(assuring, "_READ_BYTES_S", 200_000)

    async def story(director, store):
        for number in store.numbers(CUT):
            store._held[CUT][number] = store._held[CUT][number]._replace(read_through=False)
        said = [(await intact(director)).segments]
        while said[-1] != "0-2":
            said.append((await intact(director)).segments)
        assert len(said) > 1

    tell(tmp_path, story)


def test_an_order_to_let_go_of_copies_that_has_waited_too_long_is_not_carried_out(tmp_path):
    async def story(director, store):
        director.clock_us = 10**12
        await until(lambda: director.heard[-1].clock_us == 10**12)
        late = await delete(director, segments="0", before_us=10**12 - 1)
        assert late.reason is Reason.BUSY
        assert "waited too long" in late.detail
        assert inventory(store)[CUT.program] == "0-2"
        await deleted(director, segments="0", before_us=10**12 + 3600 * 10**6)
        assert inventory(store)[CUT.program] == "1-2"
        director.clock_us = None
        await until(lambda: director.heard[-1].clock_us is None)
        assert (await delete(director, segments="1", before_us=10**15)).reason is Reason.BUSY, "what time is it?"

    tell(tmp_path, story)


@asynccontextmanager
async def withholding(data):
    """A source that has nothing until it is told to hold a segment, and gives it when it is told to; `refused` is set
    when it has said that it has nothing."""
    has, gives, refused = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        if has.is_set():
            await gives.wait()
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()
        if not has.is_set():
            refused.set()

    async with await asyncio.start_server(serve, *media_of(engine_at(3))):
        yield media_of(engine_at(3)), has, gives, refused


def test_the_director_hears_of_a_copy_that_is_given_up(tmp_path):
    """It would wait for it in vain, and one of its few places with it."""
    data = make_segments(4)[3]

    async def story(director, store):
        async with withholding(data) as (source, has, *_):
            has.set()
            assert await director.client.ask(HERE, FETCH, director.fetch(segment_of(3, data), source)) == Done()
            await deleted(director)
            await until(lambda: director.of(CopyDone))
            assert {(done.segment, done.result) for done in director.of(CopyDone)} == {(3, CopyResult.GIVEN_UP)}

    tell(tmp_path, story)


def test_a_copy_that_is_ordered_again_while_the_end_of_the_first_is_said_is_given_up_too(tmp_path):
    """The first conversation ends when the director has heard it; the second goes on, and is not to be forgotten."""
    data = make_segments(4)[3]

    async def story(director, store):
        async with withholding(data) as (source, has, gives, refused):
            order = director.fetch(segment_of(3, data), source)
            director.hears_of_copies.clear()
            assert await director.client.ask(HERE, FETCH, order) == Done()
            await refused.wait()
            await until(lambda: not store._receiving)
            has.set()
            assert await director.client.ask(HERE, FETCH, order) == Done()
            await until(lambda: store._receiving)
            director.hears_of_copies.set()
            await until(lambda: director.of(CopyDone))
            await asyncio.sleep(0.1)  # and the first one has ended
            await deleted(director)
            gives.set()
            await until(lambda: CopyResult.GIVEN_UP in {done.result for done in director.of(CopyDone)})
            assert {done.result for done in director.of(CopyDone)} == {CopyResult.SOURCE_LOST, CopyResult.GIVEN_UP}
            assert CUT.program not in inventory(store)

    tell(tmp_path, story)


def test_another_directors_word_deletes_nothing(tmp_path):
    async def story(director, store):
        for epoch in (EPOCH - 1, EPOCH + 1):
            assert (await delete(director, epoch=epoch)).reason is Reason.STALE_EPOCH
        assert len(inventory(store)) == 2

    tell(tmp_path, story)


def test_what_somebody_reads_stays_until_they_have_it(tmp_path):
    async def story(director, store):
        target = segment_target(CUT, 0, TICKET)
        async with director.client.read(media_of(HERE), target) as response:
            first = await response.content.read(1000)
            refused = await delete(director)
            assert isinstance(refused, Refused)
            assert refused.reason is Reason.BUSY
            assert len(inventory(store)) == 2
            rest = await response.content.read()
        assert first + rest == LONG
        await deleted(director)
        assert CUT.program not in inventory(store)

    tell(tmp_path, story, first=LONG)


class RefusingFiles(DiskFiles):
    """A disk that lets go of nothing."""

    refuses = False

    def remove(self, path):
        if self.refuses and not path.name.startswith("."):
            raise OSError(errno.EPERM, "not permitted")
        super().remove(path)


def test_what_a_disk_does_not_let_go_of_is_held_no_more_and_goes_later(tmp_path):
    """It is not said to be done; said again, there is nothing that is held."""
    files = RefusingFiles()

    async def story(director, store):
        files.refuses = True
        answer = await delete(director)
        while answer.reason is Reason.NOT_READY:
            answer = await delete(director)
        assert answer.reason is Reason.IO_ERROR
        assert CUT.program not in inventory(store)
        assert {key.number for key in store._damaged if key.cut == CUT} == {0, 1, 2}
        files.refuses = False
        await deleted(director)
        assert list(cut_path(tmp_path / "a", CUT).iterdir()) == []

    tell(tmp_path, story, files)
