"""Copies from engine to engine (claims 12 and 14), and the resource they are read from."""

import asyncio
import hashlib
import os

import msgspec
import pytest

from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.layout import SegmentKey
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.enlisting import Enlist
from media_network.messages.obtaining import FETCH, CopyDone, CopyResult
from media_network.messages.program_information import PART_PATH
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.segment_table import SegmentTable
from media_network.segment_url import index_target
from tests import programs
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    FOLDER,
    KEY,
    PROGRAM,
    TABLE,
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
from tests.holdings import by_cut
from tests.patience import until
from tests.programs import index_octets


@pytest.fixture
def hosts():
    return [engine_at(slot) for slot in (2, 3)]


def test_segments_are_copied_once_and_said_to_be_stored(tmp_path, hosts):
    asyncio.run(_copy(tmp_path, hosts))


async def _copy(tmp_path, hosts):
    data = make_segments(6, packets=4000)
    async with (
        scripted() as director,
        engine(director, tmp_path / "a", hosts[0]) as source,
        engine(director, tmp_path / "b", hosts[1], slot=3) as target,
    ):
        segments = [await put(source, CUT, number, each) for number, each in enumerate(data)]
        for segment in [*segments, *segments]:
            assert await director.client.ask(hosts[1], FETCH, director.fetch(segment, media_of(hosts[0]))) == Done()
        await until(lambda: {done.segment for done in director.of(CopyDone)} == set(range(6)))
        assert {done.result for done in director.of(CopyDone)} == {CopyResult.STORED}
        copies = [(done.segment, done.copied_bytes) for done in director.of(CopyDone) if done.copied_bytes]
        assert sorted(copies) == [(number, len(each)) for number, each in enumerate(data)]
        assert inventory(target) == {PROGRAM: "0-5"}
        assert source.channels[0].counters.read_bytes == sum(map(len, data))
        said = len(director.of(CopyDone))
        await director.client.ask(hosts[1], FETCH, director.fetch(segments[0], media_of(hosts[0])))
        await until(lambda: len(director.of(CopyDone)) > said)
        assert (director.of(CopyDone)[-1].copied_bytes, director.of(CopyDone)[-1].result) == (0, CopyResult.STORED)
    for number, each in enumerate(data):
        assert path_of(tmp_path / "b", segment_of(number, each)).read_bytes() == each


def test_a_copy_gives_way_to_viewers_unless_somebody_waits_for_it(tmp_path, hosts):
    """While what the engine pushes comes late nothing is copied to it but on demand; then all of it is."""

    async def story():
        ordered, wanted = make_segments(2, packets=8000)
        counters = EngineCounters()
        async with (
            scripted() as director,
            engine(director, tmp_path / "a", hosts[0]) as source,
            engine(director, tmp_path / "b", hosts[1], slot=3, counters=counters),
        ):
            first, second = [await put(source, CUT, number, each) for number, each in enumerate((ordered, wanted))]

            async def push_late():
                while True:
                    counters.push_late += 1
                    await asyncio.sleep(0.05)

            late = asyncio.create_task(push_late())
            await asyncio.sleep(0)
            fetches = [director.fetch(first, media_of(hosts[0])), director.fetch(second, media_of(hosts[0]))]
            fetches[1] = msgspec.structs.replace(fetches[1], on_demand=True)
            for fetch in fetches:
                assert await director.client.ask(hosts[1], FETCH, fetch) == Done()
            await until(lambda: [done.segment for done in director.of(CopyDone)] == [1])
            await asyncio.sleep(1.0)
            assert [done.segment for done in director.of(CopyDone)] == [1]
            late.cancel()
            await until(lambda: [done.segment for done in director.of(CopyDone)] == [1, 0])
            assert {done.result for done in director.of(CopyDone)} == {CopyResult.STORED}

    asyncio.run(story())


def test_whoever_holds_a_segment_has_the_table_and_gives_it_to_others(tmp_path, hosts):
    """And nothing is held of a program whose table does not come: nobody could say what it is."""

    async def story():
        data = make_segments(2)
        async with (
            scripted() as director,
            engine(director, tmp_path / "a", hosts[0]) as source,
            engine(director, tmp_path / "b", hosts[1], slot=3) as target,
        ):
            segments = [await put(source, CUT, number, each) for number, each in enumerate(data)]

            async def outcome(segment, **facts):
                before = len(director.of(CopyDone))
                await director.client.ask(hosts[1], FETCH, director.fetch(segment, media_of(hosts[0]), **facts))
                await until(lambda: len(director.of(CopyDone)) > before)
                return director.of(CopyDone)[-1]

            async def part(engine):
                async with director.client.read(media_of(engine), PART_PATH.format(sha256=TABLE.sha256)) as response:
                    return response.status, response.headers.get("ETag"), await response.read()

            assert (await part(hosts[1]))[0] == 404
            missing = await outcome(segments[0], table="0" * 64)
            assert (missing.result, missing.detail) == (
                CopyResult.SOURCE_LOST,
                f"source {director.address}: it does not give the segment table",
            )
            director.parts["1" * 64] = TABLE.octets
            for facts in ({"table": "1" * 64}, {"table_bytes": len(TABLE.octets) - 1}):
                assert (await outcome(segments[0], **facts)).result is CopyResult.SOURCE_LOST
            assert inventory(target) == {}
            director.parts_asked.clear()
            for segment in segments:
                assert (await outcome(segment)).result is CopyResult.STORED
            assert director.parts_asked == [TABLE.sha256], "it is fetched once"
            assert await part(hosts[1]) == (200, f'"{TABLE.sha256}"', TABLE.octets)

    asyncio.run(story())


def test_what_cannot_be_copied_is_said_with_its_cause(tmp_path, hosts, free_port):
    asyncio.run(_fail_to_copy(tmp_path, hosts, free_port()))


async def _fail_to_copy(tmp_path, hosts, dead_port):
    data = make_segments(2)
    async with (
        scripted() as director,
        engine(director, tmp_path / "a", hosts[0]) as source,
        engine(director, tmp_path / "b", hosts[1], slot=3) as target,
    ):
        segment = await put(source, CUT, 0, data[0])

        async def outcome(request):
            before = len(director.of(CopyDone))
            assert await director.client.ask(hosts[1], FETCH, request) == Done()
            await until(lambda: len(director.of(CopyDone)) > before)
            return director.of(CopyDone)[-1].result

        wrong = segment_of(0, data[0][:-188] + bytes(188))
        assert await outcome(director.fetch(wrong, media_of(hosts[0]))) is CopyResult.HASH_MISMATCH
        shorter = segment_of(0, data[0][:-188])
        assert await outcome(director.fetch(shorter, media_of(hosts[0]))) is CopyResult.HASH_MISMATCH
        assert await outcome(director.fetch(segment, media_of(hosts[0]), ticket="forged.0")) is CopyResult.SOURCE_LOST
        assert await outcome(director.fetch(segment_of(1, data[1]), media_of(hosts[0]))) is CopyResult.SOURCE_LOST
        assert await outcome(director.fetch(segment, Address("127.0.0.1", dead_port))) is CopyResult.SOURCE_LOST
        assert inventory(target) == {}
        for request, reason in (
            (director.fetch(segment, media_of(hosts[0]), epoch=EPOCH - 1), Reason.STALE_EPOCH),
            (director.fetch(segment, "nowhere"), Reason.BAD_MESSAGE),
            (director.fetch(segment, media_of(hosts[0]), parts="nowhere"), Reason.BAD_MESSAGE),
        ):
            answer = await director.client.ask(hosts[1], FETCH, request)
            assert isinstance(answer, Refused)
            assert answer.reason is reason
        assert await outcome(director.fetch(segment, media_of(hosts[0]))) is CopyResult.STORED


def test_an_index_comes_before_its_segment_and_is_given_to_others(tmp_path, hosts):
    """And a segment is not held whose index does not come, or is another's."""

    async def story():
        data = make_segments(2, packets=4000)
        async with (
            scripted() as director,
            engine(director, tmp_path / "a", hosts[0]) as source,
            engine(director, tmp_path / "b", hosts[1], slot=3) as target,
        ):
            segment = await put(source, CUT, 0, data[0], indexed=True)
            bare = await put(source, CUT, 1, data[1])

            async def outcome(segment):
                before = len(director.of(CopyDone))
                await director.client.ask(hosts[1], FETCH, director.fetch(segment, media_of(hosts[0])))
                await until(lambda: len(director.of(CopyDone)) > before)
                return director.of(CopyDone)[-1].result

            async def index(host, ticket=TICKET):
                async with director.client.read(media_of(host), index_target(CUT, 0, ticket)) as response:
                    return response.status, await response.read()

            assert (await index(hosts[1]))[0] == 404
            assert (await index(hosts[0], "forged.0"))[0] == 403
            assert await outcome(msgspec.structs.replace(segment, index="0" * 64)) is CopyResult.SOURCE_LOST
            assert await outcome(msgspec.structs.replace(bare, index=segment.index)) is CopyResult.SOURCE_LOST
            assert inventory(target) == {}
            assert await outcome(segment) is CopyResult.STORED
            assert await index(hosts[1]) == (200, index_octets(data[0])) == await index(hosts[0])
            wrong = data[1][:-188] + bytes(188)
            other = await put(source, CUT, 2, wrong)
            good = programs.segment_of(data[1], 2, indexed=True)
            path_of(tmp_path / "a", other).with_suffix(".index").write_bytes(index_octets(data[1]))
            assert await outcome(good) is CopyResult.HASH_MISMATCH
            assert inventory(target) == {PROGRAM: "0"}

    asyncio.run(story())


def test_a_source_whose_index_has_rotted_says_so_and_gets_it_from_another(tmp_path, hosts):
    """So that its segment can be copied again: of that itself nothing is wrong, and nothing comes."""

    async def story():
        (data,) = make_segments(1, packets=4000)
        row = programs.segment_of(data, indexed=True)
        table = SegmentTable.of([row])
        cut, facts = Cut(PROGRAM, table.sha256), {"table": table.sha256, "table_bytes": len(table.octets)}
        async with (
            scripted(parts={table.sha256: table.octets}) as director,
            engine(director, tmp_path / "a", hosts[0]) as source,
            engine(director, tmp_path / "b", hosts[1], slot=3) as target,
        ):

            async def copied(to, source):
                before = len(director.of(CopyDone))
                await director.client.ask(to, FETCH, director.fetch(row, media_of(source), **facts))
                await until(lambda: len(director.of(CopyDone)) > before)
                done = director.of(CopyDone)[-1]
                return done.result, done.copied_bytes

            await put(source, cut, 0, data, indexed=True)
            assert await copied(hosts[0], hosts[1]) == (CopyResult.STORED, 0), "it holds the segment table, too, now"
            index = path_of(tmp_path / "a", row, cut).with_suffix(".index")
            index.write_bytes(index.read_bytes()[:-1] + b"x")
            assert await copied(hosts[1], hosts[0]) == (CopyResult.SOURCE_LOST, 0)
            assert inventory(source) == inventory(target) == {}
            await put(target, cut, 0, data, indexed=True)
            assert await copied(hosts[0], hosts[1]) == (CopyResult.STORED, 0)
            assert index.read_bytes() == index_octets(data)
            assert inventory(source) == {PROGRAM: "0"}

    asyncio.run(story())


class BreakingSource:
    """Serves one resource with Range, and breaks every connection after so many bytes."""

    def __init__(self, data: bytes, break_after: int) -> None:
        self.data = data
        self.break_after = break_after
        self.firsts: list[int] = []

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = [line for line in head.splitlines() if line.lower().startswith("range:")]
        first = int(found[0].partition("=")[2].rstrip("-")) if found else 0
        self.firsts.append(first)
        status = "206 Partial Content" if found else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(self.data) - first}\r\n\r\n".encode())
        writer.write(self.data[first : first + self.break_after])
        await writer.drain()
        writer.close()


def test_a_copy_goes_on_where_a_broken_connection_left_it(tmp_path, hosts):
    asyncio.run(_copy_from_a_breaking_source(tmp_path, hosts))


async def _copy_from_a_breaking_source(tmp_path, hosts):
    (data,) = make_segments(1, packets=6000)
    source = BreakingSource(data, 300_000)
    server = await asyncio.start_server(source.serve, *media_of(hosts[0]))
    async with server, scripted() as director, engine(director, tmp_path, hosts[1]) as target:
        await director.client.ask(hosts[1], FETCH, director.fetch(segment_of(0, data), media_of(hosts[0])))
        await until(lambda: director.of(CopyDone))
        done = director.of(CopyDone)[0]
        assert (done.result, done.copied_bytes) == (CopyResult.STORED, len(data))
        assert source.firsts == list(range(0, len(data), 300_000))
        assert inventory(target) == {PROGRAM: "0"}


def test_an_interrupted_copy_is_continued_after_a_restart(tmp_path, hosts):
    asyncio.run(_continue_after_restart(tmp_path, hosts))


async def _continue_after_restart(tmp_path, hosts):
    (data,) = make_segments(1, packets=6000)
    source = BreakingSource(data, 300_000)
    segment = segment_of(0, data)

    async def give_once_then_hang(reader, writer):
        if not source.firsts:
            await source.serve(reader, writer)
        else:
            await reader.read()

    async with scripted() as director:
        async with (
            await asyncio.start_server(give_once_then_hang, *media_of(hosts[0])),
            engine(director, tmp_path, hosts[1]) as target,
        ):
            await director.client.ask(hosts[1], FETCH, director.fetch(segment, media_of(hosts[0])))
            await until(lambda: target.channels[0].counters.written_bytes == 300_000)
        source.break_after = len(data)
        async with (
            await asyncio.start_server(source.serve, *media_of(hosts[0])),
            engine(director, tmp_path, hosts[1]),
        ):
            await director.client.ask(hosts[1], FETCH, director.fetch(segment, media_of(hosts[0])))
            await until(lambda: director.of(CopyDone))
            assert director.of(CopyDone)[0].copied_bytes == len(data) - 300_000
            assert source.firsts == [0, 300_000]
    assert path_of(tmp_path, segment).read_bytes() == data


def test_a_rotten_partial_is_copied_anew(tmp_path, hosts):
    asyncio.run(_copy_over_rotten_partial(tmp_path, hosts))


async def _copy_over_rotten_partial(tmp_path, hosts):
    (data,) = make_segments(1)
    segment = segment_of(0, data)
    folder = tmp_path / "b" / ".partial"
    folder.mkdir(parents=True)
    (folder / f"{PROGRAM}.0.{segment.sha256}").write_bytes(bytes(5000))
    async with (
        scripted() as director,
        engine(director, tmp_path / "a", hosts[0]) as source,
        engine(director, tmp_path / "b", hosts[1], slot=3),
    ):
        await put(source, CUT, 0, data)
        await director.client.ask(hosts[1], FETCH, director.fetch(segment, media_of(hosts[0])))
        await until(lambda: director.of(CopyDone))
        assert (director.of(CopyDone)[0].result, director.of(CopyDone)[0].copied_bytes) == (
            CopyResult.STORED,
            len(data),
        )


def test_an_engine_enlists_again_when_the_director_does_not_know_it(tmp_path, hosts):
    asyncio.run(_enlist_again(tmp_path, hosts[0]))


async def _enlist_again(tmp_path, host):
    (data,) = make_segments(1)
    async with scripted() as director, engine(director, tmp_path, host) as store:
        assert by_cut(director.of(Enlist)[0].holdings) == {}
        await put(store, CUT, 0, data)
        director.refuse_reports = Refused(Reason.UNKNOWN_ENGINE)
        await until(lambda: len(director.of(Enlist)) > 1)
        again = director.of(Enlist)[1]
        assert by_cut(again.holdings) == {CUT: "0"}
        assert again.boot == director.of(Enlist)[0].boot
        assert again.epoch == EPOCH


def test_what_is_lost_while_the_director_is_about_to_answer_is_told(tmp_path, hosts):
    async def story():
        (data,) = make_segments(1)
        async with scripted() as director, engine(director, tmp_path, hosts[0]) as store:
            await put(store, CUT, 0, data)
            director.before_it_enlists = lambda: store.lose(SegmentKey(CUT, 0))
            director.refuse_reports = Refused(Reason.UNKNOWN_ENGINE)
            await until(lambda: len(director.of(Enlist)) > 1)
            director.refuse_reports = None
            assert by_cut(director.of(Enlist)[1].holdings) == {CUT: "0"}
            await until(lambda: by_cut(director.of(Enlist)[-1].holdings) == {})

    asyncio.run(story())


def test_the_resource_answers_ranges_and_refuses_strangers(tmp_path, hosts):
    asyncio.run(_read_resource(tmp_path, hosts[0]))


async def _read_resource(tmp_path, host):
    (data,) = make_segments(1, packets=50_000)
    async with scripted() as director, engine(director, tmp_path, host) as store:
        await put(store, CUT, 0, data)
        session = director.client.session
        url = f"http://{media_of(host)}/segments/{PROGRAM}/{TABLE.sha256}/0.ts?ticket={TICKET}"

        async def get(asked=url, method="GET", **headers):
            async with session.request(method, asked, headers=headers) as response:
                return response.status, response.headers, await response.read()

        status, headers, body = await get()
        assert (status, headers["Content-Type"], headers["Access-Control-Allow-Origin"]) == (200, "video/mp2t", "*")
        assert hashlib.sha256(body).digest() == hashlib.sha256(data).digest()
        status, headers, body = await get(Range="bytes=188-9000")
        assert (status, headers["Content-Range"]) == (206, f"bytes 188-9000/{len(data)}")
        assert body == data[188:9001]
        assert (await get(Range="bytes=-100"))[2] == data[-100:]
        assert (await get(Range=f"bytes=9000-{10**9}"))[2] == data[9000:]
        status, headers, _ = await get(Range=f"bytes={len(data)}-")
        assert (status, headers["Content-Range"]) == (416, f"bytes */{len(data)}")
        assert (await get(Range="bytes=-0"))[0] == 416
        assert (await get(Range="bytes=9-2"))[0] == 200
        status, headers, body = await get(method="HEAD")
        assert (status, headers["Content-Length"], body) == (200, str(len(data)), b"")
        assert (await get(f"http://{media_of(host)}/segments/{PROGRAM}/{TABLE.sha256}/1.ts?ticket={TICKET}"))[0] == 404
        for bad in ("", "?ticket=", "?ticket=copy.00", f"?ticket={KEY.sign('copy', 'other')}", "?ticket=%ff%00"):
            assert (await get(f"http://{media_of(host)}/segments/{PROGRAM}/{TABLE.sha256}/0.ts{bad}"))[0] == 403
        for path in (f"{PROGRAM}/x.ts", f"{FOLDER}/00.ts", "../0.ts", f"{FOLDER}/0", f"{FOLDER}/٣.ts"):
            assert (await get(f"http://{media_of(host)}/segments/{path}?ticket={TICKET}"))[0] in (403, 404)
        await until(
            lambda: any(report.pull_bps > len(data) for report in director.heard if hasattr(report, "pull_bps"))
        )


def test_a_reader_that_leaves_harms_nobody(tmp_path, hosts):
    asyncio.run(_leave_early(tmp_path, hosts[0]))


async def _leave_early(tmp_path, host):
    (data,) = make_segments(1, packets=100_000)
    async with scripted() as director, engine(director, tmp_path, host) as store:
        await put(store, CUT, 0, data)
        for _ in range(5):
            reader, writer = await asyncio.open_connection(*media_of(host))
            writer.write(
                f"GET /segments/{PROGRAM}/{TABLE.sha256}/0.ts?ticket={TICKET} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            await reader.readexactly(10_000)
            writer.transport.abort()
        opened = len(os.listdir("/proc/self/fd"))
        async with director.client.read(
            media_of(host), f"/segments/{PROGRAM}/{TABLE.sha256}/0.ts?ticket={TICKET}"
        ) as response:
            assert await response.read() == data
        await until(lambda: len(os.listdir("/proc/self/fd")) <= opened + 1)


def test_a_copy_of_another_content_meanwhile_is_refused_and_the_engine_goes_on(tmp_path, hosts):
    data = make_segments(2)

    async def story():
        source = BreakingSource(data[0], break_after=1000)
        async with (
            scripted() as director,
            await asyncio.start_server(source.serve, *media_of(hosts[0])),
            engine(director, tmp_path, hosts[1]) as store,
        ):
            first, other = segment_of(0, data[0]), segment_of(0, data[1])
            await director.client.ask(hosts[1], FETCH, director.fetch(first, media_of(hosts[0])))
            refused = await director.client.ask(hosts[1], FETCH, director.fetch(other, media_of(hosts[0])))
            await put(store, CUT, 7, data[1])
            return refused.reason, inventory(store)

    assert asyncio.run(story()) == (Reason.BUSY, {PROGRAM: "7"})
