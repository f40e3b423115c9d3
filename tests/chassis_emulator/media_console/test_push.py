import asyncio
import io
import random
import socket

import pytest

from chassis_emulator.media_console.errors import NotAnswered, OutputFailed, PlayRefused
from chassis_emulator.media_console.push import play_push
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.refusal import Reason, Refused
from tests.chassis_emulator.media_console.scripted_station import PushStation, film
from tests.patience import until

PROGRAM, BODIES = film(30, 14, 25, 7, 40, 11)
WHOLE = b"".join(BODIES)


def play(story, *, output=None, prepare=lambda station: None, **options):
    """Play while `story(station)` streams; the station, the reception and the bytes written."""

    async def run():
        station = PushStation(PROGRAM, BODIES)
        prepare(station)
        sink = io.BytesIO() if output is None else output
        async with station.up(), HttpClient(random.Random(1)) as http:
            playing = asyncio.create_task(play_push(station.director, "film", sink, http, **options))
            streaming = asyncio.create_task(station.streaming.wait())
            await asyncio.wait({playing, streaming}, return_when=asyncio.FIRST_COMPLETED)
            streaming.cancel()
            if not playing.done():
                await story(station)
            reception = await playing
        return station, reception, sink

    return asyncio.run(run())


async def send_all(station, lost=()):
    await send_all_from(station, 0, lost)


async def send_all_from(station, first, lost=()):
    for segment in range(first, len(BODIES)):
        await station.send(segment, segment % 2, lost=[number for at, number in lost if at == segment])
    station.end()


def test_a_stream_handed_over_from_engine_to_engine():
    seen = []
    station, reception, sink = play(send_all, progress=lambda done, whole: seen.append((done, whole)))
    assert sink.getvalue() == WHOLE
    assert (reception.program, reception.sha256, reception.bytes) == ("film", PROGRAM.header.sha256, len(WHOLE))
    assert (reception.intact, reception.hand_overs, reception.strays, reception.stopped) == (True, 5, 0, False)
    assert [(one.number, one.engine, one.sha256, one.intact) for one in reception.segments] == [
        (one.number, station.names[one.number % 2], one.sha256, True) for one in PROGRAM.segments
    ]
    assert station.ceased == []
    assert seen[-1] == (len(WHOLE), len(WHOLE))
    assert sorted(seen) == seen


def test_a_lost_datagram_damages_its_segment():
    _, reception, sink = play(lambda station: send_all(station, lost=[(2, 1)]))
    assert reception.intact is False
    assert [one.number for one in reception.segments if not one.intact] == [2]
    assert reception.bytes == len(sink.getvalue()) == len(WHOLE) - 1316
    assert reception.expected_bytes == len(WHOLE)
    lost_at = len(BODIES[0]) + len(BODIES[1]) + 1316
    assert sink.getvalue() == WHOLE[:lost_at] + WHOLE[lost_at + 1316 :]


def test_a_stream_that_ends_early_lists_what_never_came():
    async def half(station):
        for segment in range(3):
            await station.send(segment, 0)
        station.end()

    _, reception, sink = play(half)
    assert sink.getvalue() == b"".join(BODIES[:3])
    assert [(one.bytes > 0, one.intact) for one in reception.segments] == [(True, True)] * 3 + [(False, False)] * 3


def test_taken_over_in_the_middle_of_a_segment():
    async def story(station):
        station.bodies = [BODIES[0][: 14 * 188], *BODIES[1:]]
        await station.send(0, 0)
        station.bodies = BODIES
        await station.send(0, 1, first_packet=14)
        for segment in range(1, 6):
            await station.send(segment, 1)
        station.end()

    station, reception, sink = play(story)
    assert sink.getvalue() == WHOLE
    assert (reception.segments[0].engine, reception.segments[0].earlier) == (station.names[1], (station.names[0],))
    assert reception.hand_overs == 1


def test_each_turn_is_told_once_when_it_begins():
    async def story(station):
        for segment in range(len(BODIES)):
            await station.send(segment, segment % 2)
            # The first segment came with the answer to PLAY, the last ends the stream.
            if 0 < segment < len(BODIES) - 1:
                await until(lambda turn=segment + 1: turn in station.told)
        station.end()

    station, reception, _ = play(story, prepare=lambda station: setattr(station, "report_interval_ms", 60_000))
    assert [one.intact for one in reception.segments] == [True] * len(BODIES)
    assert station.told == [1, 2, 3, 4, 5, 6]


def test_a_turn_that_only_a_lost_director_knew_damages_nothing():
    async def story(station):
        for segment in range(len(BODIES)):
            await station.send(segment, segment % 2, turn=segment + 1, known=segment != 2)
            if segment == 1:
                await until(lambda: 2 in station.told)
        station.end()

    station, reception, sink = play(story)
    assert sink.getvalue() == WHOLE
    assert 3 not in station.told
    assert [(one.bytes, one.intact) for one in reception.segments] == [(len(body), True) for body in BODIES]


def test_strays_are_not_written():
    async def story(station):
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"who is there?", station.console)
            await asyncio.sleep(0.01)
            await send_all(station)

    _, reception, sink = play(story)
    assert sink.getvalue() == WHOLE
    assert (reception.intact, reception.strays) == (True, 1)


def test_stopping_orders_the_engine_that_streams_to_cease():
    stop = asyncio.Event()

    async def story(station):
        await station.send(0, 0)
        await station.send(1, 1)
        stop.set()

    station, reception, sink = play(story, stop=stop)
    assert station.ceased[-1] == (1, "s1", 2)
    assert (reception.stopped, reception.intact) == (True, None)
    assert [one.number for one in reception.segments] == [0, 1]
    assert sink.getvalue() == BODIES[0] + BODIES[1]


def test_ceasing_follows_a_hand_over():
    stop = asyncio.Event()

    async def story(station):
        await station.send(0, 0)
        station.ends_after_cease = False
        stop.set()
        await station.was_ceased.wait()
        # The engine that was told had handed the stream over already.
        await station.send(1, 1)
        station.ends_after_cease = True

    station, reception, _ = play(story, stop=stop)
    assert station.ceased[0] == (0, "s1", 1)
    assert station.ceased[-1] == (1, "s1", 2)
    assert reception.stopped


def test_cancelling_ceases_too():
    async def run():
        station = PushStation(PROGRAM, BODIES)
        async with station.up(), HttpClient(random.Random(1)) as http:
            playing = asyncio.create_task(play_push(station.director, "film", io.BytesIO(), http))
            await station.streaming.wait()
            await station.send(0, 0)
            playing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await playing
        assert station.ceased == [(0, "s1", 1)]

    asyncio.run(run())


def test_an_engine_that_certainly_does_not_stream_means_another_session():
    def prepare(station):
        station.stream_refusals = [Refused(Reason.NOT_READY)]

    station, reception, sink = play(send_all, prepare=prepare)
    assert len(station.played) == 2
    assert sink.getvalue() == WHOLE
    assert reception.intact


@pytest.mark.parametrize("reason", [Reason.OVERDUE, Reason.UNKNOWN])
def test_an_engine_that_may_stream_is_waited_for(reason):
    def prepare(station):
        station.stream_refusals = [Refused(reason)]
        station.streaming.set()

    async def story(station):
        await station.asked_to_stream.wait()
        await send_all(station)

    station, _, sink = play(story, prepare=prepare)
    assert len(station.played) == 1
    assert sink.getvalue() == WHOLE


def test_refusals():
    def no_engine(station):
        station.refusals = [Refused(Reason.NOT_PUBLISHED, "film is not published")]

    with pytest.raises(PlayRefused, match="refuses film: film is not published"):
        play(send_all, prepare=no_engine)

    def elsewhere(station):
        station.refusals = [Refused(Reason.NOT_ALLOWED, "127.0.0.1 asks, and nothing is sent to 127.1.9.9")]

    with pytest.raises(PlayRefused, match=r"refuses film: 127\.0\.0\.1 asks") as caught:
        play(send_all, prepare=elsewhere, to=Address("127.1.9.9", 5000))
    assert "allow_elsewhere" in caught.value.hint

    def may_not(station):
        station.refusals = [Refused(Reason.NOT_ENTITLED)]

    with pytest.raises(PlayRefused, match="refuses film: not entitled") as caught:
        play(send_all, prepare=may_not)
    assert "subscribers list" in caught.value.hint

    def no_stream(station):
        station.stream_refusals = [Refused(Reason.BAD_TICKET)] * 9

    with pytest.raises(PlayRefused, match="refuses to stream: bad ticket"):
        play(send_all, prepare=no_stream)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_has_a_hint(reason):
    assert PlayRefused("127.1.2.1:8081", "film", "no", reason).hint.endswith(".")


def test_a_director_that_is_not_there(free_port):
    async def run():
        async with HttpClient(random.Random(1)) as http:
            await play_push(Address("127.0.0.1", free_port()), "film", io.BytesIO(), http)

    with pytest.raises(NotAnswered, match="connection refused"):
        asyncio.run(run())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OutputFailed("x.ts", "the disk is full")])
def test_an_output_that_fails_ends_the_stream(error):
    class Full:
        def write(self, data):
            raise error

    ceased = []

    async def story(station):
        station.ceased = ceased
        await station.send(0, 0)

    with pytest.raises(type(error)) as caught:
        play(story, output=Full())
    assert caught.value is error
    assert ceased == [(0, "s1", 1)]


def test_another_player_gets_the_datagrams():
    with socket.socket(type=socket.SOCK_DGRAM) as player:
        player.bind(("127.0.0.1", 0))
        player.settimeout(5)
        to = Address(*player.getsockname())
        station, reception, sink = play(send_all, to=to)
        received = b""
        while len(received) < len(WHOLE):
            received += player.recv(2000)
    assert received == WHOLE
    assert station.played[0].console == str(to)
    assert sink.getvalue() == b""
    assert (reception.sha256, reception.intact, reception.hand_overs) == ("", None, 5)
    assert [(one.number, one.engine) for one in reception.segments] == [(n, station.engines[n % 2]) for n in range(6)]


def test_a_console_follows_the_director_that_its_engine_has():
    """The one that it began with is another's blade meanwhile: the engine that streams knows the next."""

    async def story(station):
        await station.send(0, 0)
        await station.change_director()
        await send_all_from(station, 1)

    station, reception, sink = play(story)
    assert sink.getvalue() == WHOLE
    assert reception.intact
    assert station.told == [1, 2, 3, 4, 5, 6]


def test_a_session_that_is_unknown_for_a_while_goes_on():
    """A new director hears of a session from the engine that sends it, and may have yet to."""

    async def story(station):
        await station.send(0, 0)
        station.unknown = True
        await until(lambda: station.asked_in_vain)
        await station.send(1, 1)
        station.unknown = False
        await send_all_from(station, 2)

    station, reception, sink = play(story)
    assert sink.getvalue() == WHOLE
    assert reception.intact
    assert station.told == [1, 2, 3, 4, 5, 6]
