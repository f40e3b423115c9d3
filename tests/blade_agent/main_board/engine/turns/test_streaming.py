"""Streams and hand-overs (claims 16 and 17) between real engines, as a scripted director has them."""

import asyncio
import errno
import os
import random

import pytest
from msgspec.structs import replace

from blade_agent.main_board.engine.sending.push_socket import open_push_socket
from media_network.http.client import HttpClient
from media_network.messages.enlisting import Enlist, Report
from media_network.messages.streaming import (
    CEASE,
    PRELOAD,
    START,
    STREAM,
    Assumed,
    Cease,
    Ceased,
    NextSegment,
    Ready,
    Start,
    StopCause,
    Stopped,
    Stream,
    StreamCursor,
)
from media_network.messages.verb import Done, Port
from media_network.refusal import Reason, Refused
from tests.addresses import is_bound
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    KEY,
    PROGRAM,
    begin,
    console,
    engine,
    engine_at,
    hand_over,
    make_segments,
    media_of,
    path_of,
    preload,
    put,
    scripted,
    segment_of,
)
from tests.patience import bystander, until

RATE_BPS = 8_000_000


@pytest.fixture
def hosts():
    """Addresses for three engines."""
    return [engine_at(slot) for slot in (2, 3, 4)]


def test_a_stream_is_handed_from_engine_to_engine_and_arrives_exact(tmp_path, hosts):
    asyncio.run(_play_over_three(tmp_path, hosts))


async def _play_over_three(tmp_path, hosts):
    data = make_segments(7)
    segments = [segment_of(number, each) for number, each in enumerate(data)]
    # Segment 5 stays where segment 4 was: an engine may hand over to itself.
    order = [0, 1, 2, 0, 1, 1, 2]
    async with (
        scripted() as director,
        console() as ear,
        engine(director, tmp_path / "a", hosts[0], slot=2) as store_a,
        engine(director, tmp_path / "b", hosts[1], slot=3) as store_b,
        engine(director, tmp_path / "c", hosts[2], slot=4) as store_c,
    ):
        for number, each in enumerate(data):
            await put((store_a, store_b, store_c)[order[number]], CUT, number, each)
        for number in range(1, 7):
            director.plan[number] = [hand_over(number + 1, hosts[order[number]], segments[number])]
        ready, answer = await begin(director, hosts[0], preload("s", 1, segments[0], ear.address, RATE_BPS))
        assert isinstance(ready, Ready)
        assert answer == Done()
        await until(lambda: director.of(Stopped) and len(ear.received) >= sum(map(len, data)))
        assert ear.received == b"".join(data)
        assert ear.senders == [hosts[each].host for each in (0, 1, 2, 0, 1, 2)]
        assert [each.turn for each in director.of(Assumed)] == [1, 2, 3, 4, 5, 6, 7]
        assert {each.packet for each in director.of(Assumed)} == {0}
        (stopped,) = director.of(Stopped)
        assert (stopped.cause, stopped.segment, stopped.packet) == (
            StopCause.END_OF_PROGRAM,
            6,
            segments[6].packets,
        )
        assert any(report.streams and report.push_bps == RATE_BPS for report in director.of(Report))


def test_every_kind_of_start_that_must_not_be_is_refused(tmp_path, hosts):
    asyncio.run(_start_what_must_not_be(tmp_path, hosts[0]))


async def _start_what_must_not_be(tmp_path, host):
    (data,) = make_segments(1, packets=4000)
    async with scripted() as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        client = director.client

        async def reason(verb, message):
            party = host if Port.CONTROL in verb.ports else media_of(host)
            answer = await client.ask(party, verb, message)
            return answer.reason if isinstance(answer, Refused) else answer

        start = Start(epoch=EPOCH, session="s", turn=3, packet=0)
        order = preload("s", 3, segment, ear.address, RATE_BPS)
        assert await reason(START, start) is Reason.NOT_READY
        assert await reason(PRELOAD, preload("s", 3, segment, ear.address, RATE_BPS, epoch=EPOCH - 1)) is (
            Reason.STALE_EPOCH
        )
        assert await reason(PRELOAD, preload("s", 3, segment, "nowhere", RATE_BPS)) is Reason.BAD_MESSAGE
        other = segment_of(1, data)
        assert await reason(PRELOAD, preload("s", 3, other, ear.address, RATE_BPS)) is Reason.NOT_HERE
        assert isinstance(await client.ask(host, PRELOAD, order), Ready)
        assert isinstance(await client.ask(host, PRELOAD, order), Ready)
        assert await reason(PRELOAD, preload("s", 2, segment, ear.address, RATE_BPS)) is Reason.STALE_TURN
        assert await reason(START, Start(epoch=EPOCH + 1, session="s", turn=3, packet=0)) is Reason.STALE_EPOCH
        assert await reason(START, Start(epoch=EPOCH, session="s", turn=4, packet=0)) is Reason.NOT_READY
        beyond = Start(epoch=EPOCH, session="s", turn=3, packet=segment.packets + 1)
        assert await reason(START, beyond) is Reason.BAD_MESSAGE
        forged = Stream(session="s", turn=3, ticket=KEY.sign("someone else", PROGRAM))
        assert await reason(STREAM, forged) is Reason.NOT_READY  # it is for the engine before to start
        redirected = replace(order, session="t", redirected=True)
        assert isinstance(await client.ask(host, PRELOAD, redirected), Ready)
        assert await reason(STREAM, replace(forged, session="t")) is Reason.BAD_TICKET
        stranger = Stream(session="t", turn=3, ticket=KEY.sign("t", PROGRAM))
        async with HttpClient(random.Random(1), "127.0.0.9") as elsewhere:
            assert (await elsewhere.ask(media_of(host), STREAM, stranger)).reason is Reason.NOT_ALLOWED
        assert not ear.datagrams
        assert await client.ask(host, START, start) == Done()
        assert await client.ask(host, START, start) == Done()
        assert await reason(PRELOAD, order) is Reason.STALE_TURN
        await until(lambda: len(ear.datagrams) > 20)
        ceased = await client.ask(host, CEASE, Cease(session="s", turn=3))
        assert await reason(START, start) is Reason.STALE_TURN
        await until(lambda: len(ear.received) == ceased.cursor.packet * 188)
        assert ear.received == data[: ceased.cursor.packet * 188]


def test_nothing_is_sent_after_a_stream_has_ceased(tmp_path, hosts):
    asyncio.run(_cease(tmp_path, hosts[0]))


async def _cease(tmp_path, host):
    (data,) = make_segments(1, packets=8000)
    async with scripted() as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        never = await director.client.ask(host, CEASE, Cease(session="other", turn=9))
        assert isinstance(never, Ceased)
        assert never.cursor is None
        late = preload("other", 9, segment, ear.address, RATE_BPS)
        assert (await director.client.ask(host, PRELOAD, late)).reason is Reason.STALE_TURN
        await begin(director, host, preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: len(ear.datagrams) > 20)
        ceased = await director.client.ask(host, CEASE, Cease(session="s", turn=1))
        again = await director.client.ask(host, CEASE, Cease(session="s", turn=1))
        assert ceased.cursor == again.cursor
        await until(lambda: director.of(Stopped))
        assert director.of(Stopped)[0].cause is StopCause.CEASED
        # Another stream afterwards shows that the engine has gone on ticking without this one.
        await begin(director, host, preload("t", 1, segment, ear.address, RATE_BPS))
        sent = ceased.cursor.packet * 188
        await until(lambda: len(ear.received) > sent + 5000)
        assert ear.received[:sent] == data[:sent]
        assert data.startswith(ear.received[sent:])


def test_streams_stop_when_the_lease_has_ended(tmp_path, hosts):
    asyncio.run(_lose_director(tmp_path, hosts[0]))


async def _lose_director(tmp_path, host):
    (data,) = make_segments(1, packets=8000)
    async with scripted(lease_ms=400) as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        await begin(director, host, preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: len(ear.datagrams) > 20)
        director.refuse_reports = Refused(Reason.STALE_EPOCH)
        refused_at = asyncio.get_running_loop().time()
        async with bystander() as other:
            [stopped] = await until(lambda: director.of(Stopped))
        assert asyncio.get_running_loop().time() - refused_at < 0.9 + other.late_s
        assert stopped.cause is StopCause.LEASE_EXPIRED
        assert len(ear.received) <= stopped.packet * 188
        answer = await director.client.ask(host, PRELOAD, preload("t", 1, segment, ear.address, RATE_BPS))
        assert isinstance(answer, Ready)
        answer = await director.client.ask(host, START, Start(epoch=EPOCH, session="t", turn=1, packet=0))
        assert answer.reason is Reason.NOT_READY


def test_a_revoked_stream_stops_and_cannot_come_back(tmp_path, hosts):
    asyncio.run(_revoke(tmp_path, hosts[0]))


async def _revoke(tmp_path, host):
    (data,) = make_segments(1, packets=8000)
    async with scripted() as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        await begin(director, host, preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: any(report.streams for report in director.of(Report)))
        director.revoked = (StreamCursor(session="s", turn=4, segment=0, packet=0),)
        await until(lambda: not director.of(Report)[-1].streams)
        answer = await director.client.ask(host, PRELOAD, preload("s", 4, segment, ear.address, RATE_BPS))
        assert answer.reason is Reason.STALE_TURN


def test_an_engine_takes_no_more_than_its_capacity(tmp_path, hosts):
    asyncio.run(_fill_capacity(tmp_path, hosts[0]))


async def _fill_capacity(tmp_path, host):
    (data,) = make_segments(1, packets=8000)
    async with (
        scripted() as director,
        console() as ear,
        engine(director, tmp_path, host, capacity_bps=2 * RATE_BPS) as store,
    ):
        segment = await put(store, CUT, 0, data)

        async def ask(session, turn=1):
            return await director.client.ask(host, PRELOAD, preload(session, turn, segment, ear.address, RATE_BPS))

        await begin(director, host, preload("a", 1, segment, ear.address, RATE_BPS))
        assert isinstance(await ask("b"), Ready)
        assert (await ask("c")).reason is Reason.AT_CAPACITY
        # The next turn of a stream that is here already needs nothing more.
        assert isinstance(await ask("a", 2), Ready)
        await director.client.ask(host, CEASE, Cease(session="b", turn=1))
        assert isinstance(await ask("c"), Ready)


def test_a_stream_begins_at_any_packet_and_asks_again_for_an_engine_that_takes_it(tmp_path, hosts):
    asyncio.run(_resume_past_a_dead_engine(tmp_path, hosts))


async def _resume_past_a_dead_engine(tmp_path, hosts):
    first, second = make_segments(2)
    here, dead, there = hosts
    async with (
        scripted() as director,
        console() as ear,
        engine(director, tmp_path / "a", here) as store,
        engine(director, tmp_path / "b", there, slot=4) as store_there,
    ):
        segment = await put(store, CUT, 0, first)
        following = await put(store_there, CUT, 1, second)
        director.plan[5] = [
            Refused(Reason.NO_ENGINE),
            hand_over(6, dead, following),
            Refused(Reason.NO_ENGINE),
            hand_over(7, there, following),
        ]
        await director.client.ask(here, PRELOAD, preload("s", 5, segment, ear.address, RATE_BPS))
        await director.client.ask(here, START, Start(epoch=EPOCH, session="s", turn=5, packet=101))
        await until(lambda: director.of(Stopped) and len(ear.received) >= len(first) + len(second) - 101 * 188)
        assert ear.received == first[101 * 188 :] + second
        questions = director.of(NextSegment)
        assert [each.failed for each in questions if each.turn == 5] == [(), (), (str(dead),), (str(dead),)]
        assert not any(each.doubtful for each in questions)
        assert [(each.turn, each.packet) for each in director.of(Assumed)] == [(5, 101), (7, 0)]


def test_the_engine_that_does_not_answer_a_start_is_named_doubtful(tmp_path, hosts):
    asyncio.run(_start_without_answer(tmp_path, hosts))


async def _start_without_answer(tmp_path, hosts):
    first, second = make_segments(2)
    here, mute, _ = hosts

    async def take_preload(reader, writer):
        """An engine that says it is ready and then falls silent."""
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"valid_ms":5000}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(take_preload, mute.host, mute.port)
    async with server, scripted() as director, console() as ear, engine(director, tmp_path, here) as store:
        segment = await put(store, CUT, 0, first)
        director.plan[1] = [hand_over(2, mute, segment_of(1, second)), Refused(Reason.ASSUMED)]
        await begin(director, here, preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: len(director.of(NextSegment)) == 2)
        assert [(each.failed, each.doubtful) for each in director.of(NextSegment)] == [((), None), ((), str(mute))]
        await until(lambda: not director.of(Report)[-1].streams)
        assert ear.received == first
        assert not director.of(Stopped)


def test_a_stream_with_no_next_engine_is_given_up_after_the_lease(tmp_path, hosts):
    asyncio.run(_give_up(tmp_path, hosts[0]))


async def _give_up(tmp_path, host):
    (data,) = make_segments(1)
    async with scripted(lease_ms=500) as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        director.plan[1] = [Refused(Reason.NO_ENGINE)]
        await begin(director, host, preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: director.of(Stopped) and len(ear.received) >= len(data))
        assert director.of(Stopped)[0].cause is StopCause.FAILED
        assert ear.received == data


def test_the_director_that_withdraws_a_turn_stops_it(tmp_path, hosts):
    asyncio.run(_withdraw(tmp_path, hosts[0]))


async def _withdraw(tmp_path, host):
    (data,) = make_segments(1, packets=20_000)
    stale = Refused(Reason.STALE_TURN)
    async with scripted(assumed_answer=stale) as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        await begin(director, host, preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: director.of(Stopped))
        assert director.of(Stopped)[0].cause is StopCause.FAILED
        assert len(ear.received) < len(data) / 10


@pytest.mark.parametrize("offload", [True, False])
def test_the_kernel_cuts_batches_into_the_same_datagrams(offload):
    asyncio.run(_push_one_batch(offload))


async def _push_one_batch(offload):
    (data,) = make_segments(1, packets=7 * 25 + 3)
    async with open_push_socket("127.0.0.1") as push_socket, console() as ear:
        if not offload:
            push_socket.set_offload(on=False)
        assert push_socket.offload is offload
        host, port = ear.address.split(":")
        push_socket.send(memoryview(data), (host, int(port)))
        await until(lambda: len(ear.received) == len(data))
        assert [len(each) for each, _ in ear.datagrams] == [1316] * 25 + [3 * 188]
        assert ear.received == data


@pytest.mark.peer("gst-launch-1.0")
def test_gstreamer_receives_a_handed_over_stream_exact(tmp_path, hosts, free_port):
    asyncio.run(_play_to_gstreamer(tmp_path, hosts, free_port()))


async def _play_to_gstreamer(tmp_path, hosts, port):
    data = make_segments(6)
    segments = [segment_of(number, each) for number, each in enumerate(data)]
    file = tmp_path / "received.ts"
    player = await asyncio.create_subprocess_exec(
        "gst-launch-1.0", "-q", "udpsrc", "address=127.0.0.1", f"port={port}", "buffer-size=4000000",
        "!", "filesink", f"location={file}", "buffer-mode=unbuffered",
    )  # fmt: skip
    try:
        await until(lambda: is_bound(port))
        async with (
            scripted() as director,
            engine(director, tmp_path / "a", hosts[0]) as store_a,
            engine(director, tmp_path / "b", hosts[1], slot=3) as store_b,
        ):
            for number, each in enumerate(data):
                await put((store_a, store_b)[number % 2], CUT, number, each)
            for number in range(1, 6):
                director.plan[number] = [hand_over(number + 1, hosts[number % 2], segments[number])]
            await begin(director, hosts[0], preload("s", 1, segments[0], f"127.0.0.1:{port}", RATE_BPS))
            await until(lambda: director.of(Stopped))
            await until(lambda: file.stat().st_size == sum(map(len, data)))
        assert file.read_bytes() == b"".join(data)
    finally:
        player.kill()
        await player.wait()


def test_a_network_that_refuses_batches_gets_single_datagrams():
    asyncio.run(_refuse_a_batch())


async def _refuse_a_batch():
    (data,) = make_segments(1, packets=70)
    async with open_push_socket("127.0.0.1") as push_socket, console() as ear:
        push_socket.error_received(OSError(errno.EIO, "what a card without checksum offload says"))
        assert (push_socket.offload, push_socket.errors) == (False, 1)
        host, port = ear.address.split(":")
        push_socket.send(memoryview(data), (host, int(port)))
        await until(lambda: len(ear.received) == len(data))
        assert ear.received == data


def test_a_stream_whose_segment_cannot_be_read_stops_where_it_is(tmp_path, hosts):
    asyncio.run(_truncate_while_streaming(tmp_path, hosts[0]))


async def _truncate_while_streaming(tmp_path, host):
    (data,) = make_segments(1, packets=20_000)
    async with scripted() as director, console() as ear, engine(director, tmp_path, host) as store:
        segment = await put(store, CUT, 0, data)
        order = preload("s", 1, segment, ear.address, 4 * RATE_BPS)
        await director.client.ask(host, PRELOAD, order)
        # It has been opened, and its first part read, but nothing is sent before the console asks.
        os.truncate(path_of(tmp_path, segment), len(data) // 2)
        await begin(director, host, order)
        await until(lambda: director.of(Stopped))
        stopped = director.of(Stopped)[0]
        assert (stopped.cause, stopped.segment) == (StopCause.FAILED, 0)
        await until(lambda: len(ear.received) == stopped.packet * 188)
        assert ear.received == data[: stopped.packet * 188]
        assert stopped.packet < segment.packets // 2 + 1
        # The director hears that it is not here any more.
        await until(lambda: not director.of(Enlist)[-1].holdings.holdings)


def test_a_later_turn_that_is_started_here_ends_what_was_asked_for_the_one_before(tmp_path, hosts):
    asyncio.run(_start_later_turn(tmp_path, hosts[0]))


async def _start_later_turn(tmp_path, host):
    first, _, third = make_segments(3)
    async with scripted() as director, console() as ear, engine(director, tmp_path, host) as store:
        director.plan = {turn: [Refused(Reason.NO_ENGINE)] for turn in (1, 3)}
        begun = await put(store, CUT, 0, first)
        later = await put(store, CUT, 2, third)
        client = director.client
        await begin(director, host, preload("s", 1, begun, ear.address, RATE_BPS))
        await until(lambda: len(ear.received) == len(first))
        assert isinstance(await client.ask(host, PRELOAD, preload("s", 3, later, ear.address, RATE_BPS)), Ready)
        assert await client.ask(host, START, Start(epoch=EPOCH, session="s", turn=3, packet=0)) == Done()
        asked = len(director.of(NextSegment))
        await until(lambda: len(director.of(NextSegment)) > asked + 2)
        assert {question.turn for question in director.of(NextSegment)[asked:]} == {3}
