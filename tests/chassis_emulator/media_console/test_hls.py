import asyncio
import io
import random

import pytest
from aiohttp import web

from chassis_emulator.media_console.errors import BadPlaylist, ForeignBytes, NotAnswered, PlayRefused, SegmentLost
from chassis_emulator.media_console.hls import play_hls, play_url
from media_network.address import Address
from media_network.http.client import HttpClient
from tests.chassis_emulator.media_console.scripted_station import PullStation, film

PROGRAM, BODIES = film(400, 1, 300, 200)
WHOLE = b"".join(BODIES)


def play(script, *, expected=PROGRAM, prepare=lambda station: None, **options):
    """Play by a script; the station, the reception and the bytes written."""

    async def run():
        station = PullStation(BODIES)
        station.script = script
        prepare(station)
        output = io.BytesIO()
        async with station.up(), HttpClient(random.Random(1)) as http:
            reception = await play_hls(station.director, "film", output, http, expected=expected, **options)
        return station, reception, output.getvalue()

    return asyncio.run(run())


def engines(station, reception):
    names = {str(address): name for name, address in station.addresses.items()}
    return [names[segment.engine] for segment in reception.segments]


def test_each_segment_from_the_engine_it_is_redirected_to():
    seen = []
    script = {0: [("one", "good")], 1: [("two", "good")], 2: [("three", "good")], 3: [("one", "good")]}
    station, reception, written = play(script, progress=lambda done, whole: seen.append((done, whole)))
    assert written == WHOLE
    assert (reception.program, reception.sha256, reception.bytes) == ("film", PROGRAM.header.sha256, len(WHOLE))
    assert reception.intact
    assert engines(station, reception) == ["one", "two", "three", "one"]
    assert [(one.number, one.bytes, one.sha256, one.intact) for one in reception.segments] == [
        (one.number, one.length_bytes, one.sha256, True) for one in PROGRAM.segments
    ]
    assert seen == [(done, 4) for done in range(5)]


@pytest.mark.parametrize("second", ["good", "no-range"])
@pytest.mark.parametrize("expected", [PROGRAM, None])
def test_a_break_in_the_middle_goes_back_to_the_director(second, expected):
    station, reception, written = play({0: [("one", "breaks"), ("two", second)]}, expected=expected)
    assert written == WHOLE
    assert reception.sha256 == PROGRAM.header.sha256
    assert reception.intact is (True if expected else None)
    assert engines(station, reception)[0] == "two"
    assert reception.segments[0].earlier == (str(station.addresses["one"]),)
    resumed = [asked for asked in station.asked if asked[0] == 0 and asked[1] == "two"]
    assert resumed[0][2] == f"bytes={len(BODIES[0]) // 3}-"


def test_an_engine_that_is_gone_or_declines_is_passed_over():
    script = {1: [("one", "gone"), ("two", "good")], 2: [("director", no_engine), ("two", "good")]}
    station, reception, written = play(script)
    assert written == WHOLE
    assert engines(station, reception) == ["one", "two", "two", "one"]


def no_engine():
    return web.Response(status=409, body=b'{"reason":"no_engine","detail":"none holds it now"}')


def test_a_segment_that_nobody_gives_is_lost():
    with pytest.raises(SegmentLost) as caught:
        play({2: [("one", "gone")]}, patience_s=0.3)
    assert (caught.value.number, caught.value.received) == (2, 0)
    assert "it was deleted" in str(caught.value)


def test_what_the_director_declines_for_good_is_not_asked_twice():
    asked = []

    def forbidden():
        asked.append(1)
        return web.Response(status=409, body=b'{"reason":"bad_ticket"}')

    with pytest.raises(SegmentLost, match="bad ticket"):
        play({1: [("director", forbidden)]})
    assert asked == [1]


@pytest.mark.parametrize(("status", "times"), [(404, 1), (503, 2)])
def test_a_reason_that_is_not_known_is_taken_by_its_status(status, times):
    asked = []

    def mystify():
        asked.append(1)
        return web.Response(status=status, body=b'{"reason":"moonlight","detail":"the moon is up"}')

    with pytest.raises(SegmentLost, match="the moon is up"):
        play({1: [("director", mystify)]}, patience_s=0.3)
    assert min(len(asked), 2) == times


@pytest.mark.parametrize("how", ["foreign", "longer"])
def test_foreign_bytes_are_noticed(how):
    if how == "foreign":
        _, reception, _ = play({1: [("two", how)]})
        assert reception.intact is False
        assert [one.intact for one in reception.segments] == [True, False, True, True]
    with pytest.raises(ForeignBytes):
        play({0: [("one", "breaks"), ("two", how)]} if how == "foreign" else {1: [("two", how)]})


def test_stopping_reports_what_has_come():
    stop = asyncio.Event()
    _, reception, written = play({2: [("one", "gone")]}, stop=stop, progress=lambda done, _: done == 2 and stop.set())
    assert reception.stopped
    assert reception.intact is None
    assert written == WHOLE[: reception.bytes] == BODIES[0] + BODIES[1]


@pytest.mark.parametrize(
    ("playlist", "error"),
    [
        ("not a playlist", BadPlaylist),
        ("#EXTM3U\n0.ts\n#EXT-X-ENDLIST\n", BadPlaylist),
        ("#EXTM3U\n" + "x" * (16 * 1024 * 1024), BadPlaylist),
    ],
)
def test_a_playlist_that_cannot_be_played(playlist, error):
    with pytest.raises(error):
        play({}, prepare=lambda station: setattr(station, "playlist", playlist))


def test_by_one_that_leads_to_another():
    """One step and no further: a playlist may lead to itself."""
    stream = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"

    async def run(leads_to):
        station = PullStation(BODIES)
        async with station.up(), HttpClient(random.Random(1)) as http:
            media, station.playlist = station.playlist, f"{stream}{leads_to}\n"
            station.media = media
            output = io.BytesIO()
            await play_hls(station.director, "film", output, http)
            return output.getvalue()

    assert asyncio.run(run("media.m3u8")) == WHOLE
    with pytest.raises(BadPlaylist, match="other playlists"):
        asyncio.run(run("playlist.m3u8"))


def test_a_director_that_refuses_or_is_not_there(free_port):
    async def run():
        station = PullStation(BODIES)
        async with station.up(), HttpClient(random.Random(1)) as http:
            with pytest.raises(PlayRefused, match="HTTP 404"):
                await play_hls(station.director, "another", io.BytesIO(), http)
            with pytest.raises(NotAnswered, match="connection refused"):
                await play_hls(Address("127.0.0.1", free_port()), "film", io.BytesIO(), http)

    asyncio.run(run())


def test_redirects_that_never_end():
    async def run():
        station = PullStation(BODIES)

        def again():
            raise web.HTTPFound("0.ts?ticket=s.1")

        station.script = {0: [("director", again)]}
        async with station.up(), HttpClient(random.Random(1)) as http:
            with pytest.raises(SegmentLost, match="redirects"):
                await play_hls(station.director, "film", io.BytesIO(), http)

    asyncio.run(run())


def test_any_playlist_by_its_url():
    async def run():
        station = PullStation(BODIES)
        async with station.up(), HttpClient(random.Random(1)) as http:
            station.playlist = "#EXTM3U\n" + "".join(
                f"#EXTINF:1,\nhttp://{station.addresses['three']}/segments/film/{number}.ts?how=good\n"
                for number in (2, 0)
            )
            station.playlist += "#EXT-X-ENDLIST\n"
            url = f"http://localhost:{station.director.port}/programs/film/playlist.m3u8"
            output = io.BytesIO()
            reception = await play_url(url, output, http)
        assert output.getvalue() == BODIES[2] + BODIES[0]
        assert (reception.program, reception.intact, reception.expected_sha256) == (url, None, "")
        assert engines(station, reception) == ["three", "three"]

    asyncio.run(run())
