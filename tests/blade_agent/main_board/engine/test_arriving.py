"""A segment is given out while it arrives (claim 14): what is verified of it, at once, and nothing beyond it."""

import asyncio
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import aiohttp
import msgspec
import pytest

from media_network.files import DiskFiles
from media_network.messages.obtaining import FETCH, CopyDone, CopyResult
from media_network.messages.streaming import StopCause, Stopped
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.segment_index import BLOCK_BYTES
from media_network.segment_url import segment_url
from tests.blade_agent.main_board.engine.station import (
    CUT,
    KEY,
    PROGRAM,
    TICKET,
    begin,
    console,
    engine,
    engine_at,
    inventory,
    make_segments,
    media_of,
    path_of,
    preload,
    put,
    scripted,
)
from tests.patience import until
from tests.programs import index_octets, segment_of

SOURCE, TARGET = (engine_at(slot) for slot in (2, 3))
(DATA,) = make_segments(1, packets=4200)
SEGMENT = segment_of(DATA, indexed=True)
BLOCKS = -(-len(DATA) // BLOCK_BYTES)
RATE_BPS = 8_000_000


class TricklingSource:
    """Gives the segment as far as it has been let, and its index at once; it counts who asks."""

    def __init__(self, data=DATA):
        self.data, self.index = data, index_octets(DATA)
        self.asked = []
        self._let_bytes, self._more, self._breaks = 0, asyncio.Event(), False

    def let(self, until_byte):
        """Send so much of it."""
        self._let_bytes = until_byte
        self._more.set()

    def break_off(self):
        """Break all connections, now and later."""
        self._breaks = True
        self._more.set()

    async def serve(self, reader, writer):
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer((await reader.readuntil(b"\r\n\r\n")).decode(), writer)
        writer.close()

    async def _answer(self, head, writer):
        target = head.split()[1].partition("?")[0]
        self.asked.append(target.rpartition(".")[2])
        content = self.index if target.endswith(".index") else self.data
        wanted = [line for line in head.splitlines() if line.lower().startswith("range:")]
        sent = int(wanted[0].partition("=")[2].rstrip("-")) if wanted else 0
        status = "206 Partial Content" if wanted else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(content) - sent}\r\n\r\n".encode())
        if content is self.index:
            writer.write(content)
        while content is self.data and sent < len(content) and not self._breaks:
            writer.write(content[sent : self._let_bytes])
            sent = max(sent, self._let_bytes)
            self._more.clear()
            await writer.drain()
            if sent < len(content):
                await self._more.wait()
        await writer.drain()


class Viewer:
    """Fetches a segment as a player does, and has what came of it so far."""

    def __init__(self, number=0, **headers):
        self.url, self.headers = segment_url(media_of(TARGET), CUT, number, TICKET), headers
        self.status, self.body, self.whole = None, bytearray(), False
        self.retry_after = None

    async def fetch(self):
        async with aiohttp.ClientSession() as http:
            with suppress(aiohttp.ClientPayloadError):
                async with http.get(self.url, headers=self.headers) as response:
                    self.status, self.retry_after = response.status, response.headers.get("Retry-After")
                    async for piece in response.content.iter_any():
                        self.body += piece
                    self.whole = True


@asynccontextmanager
async def arriving(tmp_path, data=DATA, files=None):
    """A source that trickles, and an engine that has been told to fetch from it."""
    source = TricklingSource(data)
    server = await asyncio.start_server(source.serve, *media_of(SOURCE))
    async with server, scripted() as director, engine(director, tmp_path / "disk", TARGET, files=files) as store:
        order = director.fetch(SEGMENT, media_of(SOURCE), on_demand=True)
        assert await director.client.ask(TARGET, FETCH, order) == Done()
        yield source, director, store
        source.break_off()


@asynccontextmanager
async def watching(*viewers):
    tasks = [asyncio.create_task(viewer.fetch()) for viewer in viewers]
    try:
        yield
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def never(what, seconds=0.3):
    """It stays so for a while."""
    for _ in range(10):
        assert not what()
        await asyncio.sleep(seconds / 10)


def test_a_viewer_gets_what_is_verified_while_the_rest_is_on_its_way_and_fifty_cause_one_request(tmp_path):
    async def story():
        viewers = [Viewer() for _ in range(50)]
        async with arriving(tmp_path) as (source, director, store), watching(*viewers):
            source.let(BLOCK_BYTES - 1)
            await never(lambda: any(viewer.status for viewer in viewers))
            source.let(2 * BLOCK_BYTES - 1)
            await until(lambda: all(len(viewer.body) == BLOCK_BYTES for viewer in viewers))
            await never(lambda: any(len(viewer.body) > BLOCK_BYTES for viewer in viewers))
            assert not director.of(CopyDone)
            assert inventory(store) == {}
            source.let(len(DATA))
        assert {(viewer.status, viewer.whole, bytes(viewer.body)) for viewer in viewers} == {(200, True, DATA)}
        assert source.asked == ["index", "ts"]

    asyncio.run(story())


def test_who_comes_later_and_who_wants_a_part_gets_it_as_soon_as_it_is_verified(tmp_path):
    async def story():
        late, part = Viewer(), Viewer(Range=f"bytes={BLOCK_BYTES + 10}-{BLOCK_BYTES + 19}")
        beyond = Viewer(Range=f"bytes={len(DATA)}-")
        async with arriving(tmp_path) as (source, director, _), watching(part):
            source.let(BLOCK_BYTES)
            await never(lambda: part.status)
            source.let(2 * BLOCK_BYTES)
            await until(lambda: part.whole)
            assert (part.status, bytes(part.body)) == (206, DATA[BLOCK_BYTES + 10 : BLOCK_BYTES + 20])
            async with watching(late, beyond):
                await until(lambda: len(late.body) == 2 * BLOCK_BYTES)
                source.let(len(DATA))
            assert beyond.status == 416
            await until(lambda: director.of(CopyDone))
        assert (late.whole, bytes(late.body)) == (True, DATA)

    asyncio.run(story())


@pytest.mark.parametrize("wrong", range(BLOCKS))
def test_nobody_gets_a_byte_of_a_wrong_block(tmp_path, wrong):
    async def story():
        damaged = bytearray(DATA)
        damaged[min(len(DATA), (wrong + 1) * BLOCK_BYTES) - 1] ^= 1
        viewer = Viewer()
        async with arriving(tmp_path, bytes(damaged)) as (source, director, store), watching(viewer):
            source.let(wrong * BLOCK_BYTES)
            await until(lambda: len(viewer.body) == wrong * BLOCK_BYTES)
            source.let(min(len(DATA), (wrong + 1) * BLOCK_BYTES))
            await until(lambda: director.of(CopyDone))
            assert director.of(CopyDone)[0].result is CopyResult.HASH_MISMATCH
            assert inventory(store) == {}
        if wrong:
            assert (viewer.status, viewer.whole, bytes(viewer.body)) == (200, False, DATA[: wrong * BLOCK_BYTES])
        else:
            assert viewer.status == 503
        assert source.asked.count("ts") == 1

    asyncio.run(story())


def test_a_copy_that_breaks_off_ends_what_was_begun_and_asks_others_to_come_again(tmp_path):
    async def story():
        viewer, beyond = Viewer(), Viewer(Range=f"bytes={2 * BLOCK_BYTES}-")
        async with arriving(tmp_path) as (source, director, _), watching(viewer, beyond):
            source.let(BLOCK_BYTES + 7)
            await until(lambda: len(viewer.body) == BLOCK_BYTES)
            source.break_off()
            await until(lambda: director.of(CopyDone))
        assert director.of(CopyDone)[0].result is CopyResult.SOURCE_LOST
        assert (viewer.whole, bytes(viewer.body)) == (False, DATA[:BLOCK_BYTES])
        assert (beyond.status, beyond.retry_after) == (503, "1")
        assert msgspec.json.decode(beyond.body, type=Refused).reason is Reason.NO_ENGINE

    asyncio.run(story())


def test_what_an_earlier_copy_left_is_given_out_as_far_as_it_is_right(tmp_path):
    async def story():
        first, second = Viewer(), Viewer()
        async with arriving(tmp_path) as (source, director, _), watching(first):
            source.let(BLOCK_BYTES + 7)
            await until(lambda: len(first.body) == BLOCK_BYTES)
            source.break_off()
        async with arriving(tmp_path) as (source, director, _), watching(second):
            await until(lambda: len(second.body) == BLOCK_BYTES)
            source.let(len(DATA))
            await until(lambda: director.of(CopyDone))
            assert director.of(CopyDone)[0].copied_bytes == len(DATA) - BLOCK_BYTES - 7
            assert source.asked == ["ts"], "its index was durable already"
        assert bytes(second.body) == DATA

    asyncio.run(story())


class SlowToOpen(DiskFiles):
    """A disk that opens what is being received when it has just been stored under another name, and not before."""

    def __init__(self, opens):
        self._opens = opens

    def read(self, path):
        if path.parent.name == ".partial" and path.exists():
            asyncio.run_coroutine_threadsafe(self._opens(), self.loop).result()
        return super().read(path)


def test_who_opens_a_segment_just_as_it_is_stored_gets_it(tmp_path):
    async def story():
        done = asyncio.Event()
        files = SlowToOpen(done.wait)
        files.loop = asyncio.get_running_loop()
        viewer = Viewer()
        async with arriving(tmp_path, files=files) as (source, director, _), watching(viewer):
            source.let(BLOCK_BYTES)
            await asyncio.sleep(0.2)
            source.let(len(DATA))
            await until(lambda: director.of(CopyDone))
            done.set()
        assert (viewer.status, bytes(viewer.body)) == (200, DATA)

    asyncio.run(story())


class SlowToSync(DiskFiles):
    """A disk whose folders are not durable until it is told."""

    def __init__(self, go_on, waits):
        self._go_on, self._waits = go_on, waits

    def sync_folder(self, folder):
        if folder.name.startswith(PROGRAM):
            self._waits(folder)
            asyncio.run_coroutine_threadsafe(self._go_on.wait(), self.loop).result()
        super().sync_folder(folder)


def test_a_copy_is_said_to_be_done_when_segment_and_index_are_durable(tmp_path):
    async def story():
        go_on, waits = asyncio.Event(), []
        files = SlowToSync(go_on, waits.append)
        files.loop = asyncio.get_running_loop()
        viewer = Viewer()
        async with arriving(tmp_path, files=files) as (source, director, store), watching(viewer):
            source.let(len(DATA))
            await until(lambda: waits and viewer.whole)
            assert bytes(viewer.body) == DATA, "its viewers need not wait for the disk"
            assert not director.of(CopyDone)
            assert inventory(store) == {}
            go_on.set()
            await until(lambda: director.of(CopyDone))
            assert director.of(CopyDone)[0].result is CopyResult.STORED
            path = path_of(tmp_path / "disk", SEGMENT)
            assert path.read_bytes() == DATA
            assert sha256(path.with_suffix(".index").read_bytes()).hexdigest() == SEGMENT.index

    asyncio.run(story())


def test_a_stream_goes_as_far_as_the_segment_is_verified_and_waits_for_the_rest(tmp_path):
    async def story():
        async with console() as ear, arriving(tmp_path) as (source, director, _):
            source.let(2 * BLOCK_BYTES + 100)
            order = preload("s", 1, SEGMENT, ear.address, RATE_BPS)
            ready, started = await begin(director, TARGET, order)
            assert not isinstance(ready, Refused)
            assert started == Done()
            whole_datagrams = 2 * BLOCK_BYTES - 2 * BLOCK_BYTES % (7 * 188)
            await until(lambda: len(ear.received) == whole_datagrams)
            await never(lambda: len(ear.received) > whole_datagrams)
            assert ear.received == DATA[:whole_datagrams]
            source.let(len(DATA))
            await until(lambda: len(ear.received) == len(DATA))
            assert ear.received == DATA

    asyncio.run(story())


def test_a_stream_stops_short_where_the_copy_fails(tmp_path):
    async def story():
        damaged = bytearray(DATA)
        damaged[2 * BLOCK_BYTES] ^= 1
        async with console() as ear, arriving(tmp_path, bytes(damaged)) as (source, director, _):
            source.let(2 * BLOCK_BYTES)
            await begin(director, TARGET, preload("s", 1, SEGMENT, ear.address, RATE_BPS))
            await until(lambda: ear.received)
            source.let(len(DATA))
            await until(lambda: director.of(Stopped))
            stopped = director.of(Stopped)[0]
            assert stopped.cause is StopCause.FAILED
            await until(lambda: ear.received == DATA[: stopped.packet * 188])
            assert stopped.packet * 188 <= 2 * BLOCK_BYTES

    asyncio.run(story())


def test_who_preloads_what_does_not_come_is_told_so_in_time(tmp_path):
    async def story():
        async with console() as ear, arriving(tmp_path) as (_, director, _):
            order = preload("s", 1, SEGMENT, ear.address, RATE_BPS)
            ready, _ = await begin(director, TARGET, order)
            assert isinstance(ready, Refused)
            assert ready.reason is Reason.NOT_HERE

    asyncio.run(story())


def test_copies_on_demand_wait_for_no_others(tmp_path):
    async def story():
        hanging = await asyncio.start_server(lambda reader, _: reader.read(), "127.0.0.1", 0)
        async with (
            hanging,
            scripted() as director,
            engine(director, tmp_path / "a", SOURCE) as held,
            engine(director, tmp_path / "b", TARGET, slot=3) as store,
        ):
            segment = await put(held, CUT, 9, DATA, indexed=True)
            nobody = "{}:{}".format(*hanging.sockets[0].getsockname())
            for number in range(4):
                order = director.fetch(segment_of(DATA, number), nobody)
                assert await director.client.ask(TARGET, FETCH, order) == Done()
            order = director.fetch(segment, media_of(SOURCE), on_demand=True, ticket=KEY.sign("x", PROGRAM))
            assert await director.client.ask(TARGET, FETCH, order) == Done()
            await until(lambda: inventory(store) == {PROGRAM: "9"})

    asyncio.run(story())
