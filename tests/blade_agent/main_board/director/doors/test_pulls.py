"""Pulled programs: the playlist, and a redirect a segment (claims 1 and 18)."""

import asyncio
import random
import re
from collections import Counter
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from blade_agent.main_board.director import director
from blade_agent.main_board.director.doors import pulls
from blade_agent.main_board.director.engines.roster import Roster
from media_network.http.client import HttpClient
from media_network.messages.enlisting import ENLIST, Enlist
from media_network.messages.holdings import Holdings
from media_network.messages.program_information import PUBLISH_PROGRAM, PublishProgram
from media_network.refusal import Reason, Refused
from media_network.ticket import TicketKey
from tests.blade_agent.main_board.director.stage import (
    DIRECTOR,
    DIRECTOR_MEDIA,
    RATE_BPS,
    engine_address,
    program_of,
    stage,
)

FILM = program_of(segments=6)
ALL = "0-5"


async def get(http, path):
    async with http.read(DIRECTOR_MEDIA, path) as response:
        return response.status, response.headers.copy(), await response.text()


async def sessions_playlist(http):
    """What a player is told of the segments: their addresses."""
    _, _, multivariant = await get(http, "/programs/film/playlist.m3u8")
    [media] = [line for line in multivariant.splitlines() if not line.startswith("#")]
    _, _, playlist = await get(http, f"/programs/film/{media}")
    return [line for line in playlist.splitlines() if not line.startswith("#")]


def session_of(address):
    [session] = parse_qs(urlsplit(address).query)["session"]
    return session


def slot_of(headers):
    return int(urlsplit(headers["Location"]).hostname.rpartition(".")[2])


def test_the_playlist_is_one_of_rfc_8216():
    with stage({2: ALL}) as world:

        async def story():
            status, headers, multivariant = await get(world.http, "/programs/film/playlist.m3u8")
            assert status == 200
            assert headers["Content-Type"].startswith("application/vnd.apple.mpegurl")
            assert headers["Access-Control-Allow-Origin"] == "*"
            assert headers["Cache-Control"] == "no-store"
            [media] = [line for line in multivariant.splitlines() if not line.startswith("#")]
            status, headers, text = await get(world.http, f"/programs/film/{media}")
            assert (status, headers["Cache-Control"]) == (200, "no-store")
            lines = text.splitlines()
            assert lines[0] == "#EXTM3U"
            assert lines[-1] == "#EXT-X-ENDLIST"
            tags = dict(line[1:].partition(":")[::2] for line in lines if line.startswith("#EXT-X-"))
            assert int(tags["EXT-X-VERSION"]) >= 3  # for durations with a fraction
            assert tags["EXT-X-PLAYLIST-TYPE"] == "VOD"
            durations_s = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
            assert durations_s == [segment.duration_ticks / 90_000 for segment in FILM.segments]
            assert all(round(duration_s) <= int(tags["EXT-X-TARGETDURATION"]) for duration_s in durations_s)
            addresses = [line for line in lines if not line.startswith("#")]
            address = r"(\d)\.ts\?session=([0-9a-f]{24})&ticket=\2\.[0-9a-f]{32}"
            found = [re.fullmatch(address, each) for each in addresses]
            assert [each[1] for each in found] == list("012345")
            assert len({each[2] for each in found}) == 1
            assert found[0][2] not in (await get(world.http, "/programs/film/playlist.m3u8"))[2]

        world.tell(story, FILM)


def test_nobody_begins_or_goes_on_with_a_program_that_is_being_deleted():
    """Whatever session the address carries: it was not counted when the registry was asked."""
    with stage({2: ALL}) as world:

        async def story():
            first, second, *_ = await sessions_playlist(world.http)
            assert (await get(world.http, f"/programs/film/{first}"))[0] == 302
            world.director._library.closed.add("film")
            world.director._pulls._leave(session_of(first))
            for address in (first, second):
                assert (await get(world.http, f"/programs/film/{address}"))[0] == 403
            assert world.director._watched("film") == 0

        world.tell(story, FILM)


def test_a_session_of_one_program_is_none_of_another_that_is_not_in_service():
    other = program_of(segments=6, name="gala", first=100, published=False)
    with stage({2: ALL}) as world:

        async def story():
            first, second, *_ = await sessions_playlist(world.http)
            assert (await get(world.http, f"/programs/film/{first}"))[0] == 302
            await world.keep_table(other)
            await world.ask(PUBLISH_PROGRAM, PublishProgram(other.header))
            world.director._table.replace(engine_address(2), {other.cut: range(6)}, after=FILM.cut)
            assert (await get(world.http, f"/programs/gala/{second}"))[0] == 403
            assert (await get(world.http, f"/programs/film/{second}"))[0] == 302

        world.tell(story, FILM)


@pytest.mark.parametrize("pulls_it", [True, False])
def test_who_waited_for_a_program_that_is_being_deleted_since_does_not_begin(pulls_it):
    with stage({2: "1-5"}) as world:

        async def story():
            first, *_ = await sessions_playlist(world.http)
            asking = asyncio.create_task(get(world.http, f"/programs/film/{first}") if pulls_it else world.play())
            await asyncio.sleep(0.1)
            assert not asking.done(), "engines may have yet to say that they have it"
            world.director._library.closed.add("film")
            await world.engines[2].stored(FILM.segments[0])
            answer = await asking
            assert answer[0] == 403 if pulls_it else answer.reason is Reason.NOT_PUBLISHED
            assert world.director._watched("film") == 0

        world.tell(story, FILM)


def test_a_segment_is_redirected_with_a_ticket_for_the_session():
    with stage({2: "0-2", 3: "3-5"}) as world:

        async def story():
            addresses = await sessions_playlist(world.http)
            async with HttpClient(random.Random(9)) as http:
                key = await http.ask(DIRECTOR, ENLIST, world.engines[2].enlistment())
            for number, address in enumerate(addresses):
                status, headers, _ = await get(world.http, f"/programs/film/{address}")
                assert status == 302
                assert slot_of(headers) == (2 if number < 3 else 3)
                assert headers["Access-Control-Allow-Origin"] == "*"
                where = urlsplit(headers["Location"])
                assert where.path == f"/segments/film/{FILM.header.table}/{number}.ts"
                [ticket] = parse_qs(where.query)["ticket"]
                session = session_of(address)
                assert TicketKey(bytes.fromhex(key.ticket_key)).holder(ticket, "film") == session

        world.tell(story, FILM)


def test_one_player_goes_from_engine_to_engine_and_counts_once():
    with stage({2: ALL, 3: ALL, 4: ALL}) as world:

        async def story():
            slots = []
            for address in await sessions_playlist(world.http):
                _, headers, _ = await get(world.http, f"/programs/film/{address}")
                slots.append(slot_of(headers))
                loads = await world.loads()
                assert loads == {2: 0, 3: 0, 4: 0} | {slots[-1]: RATE_BPS}
            assert set(slots[:2]) == {2, 3}
            assert all(one != other for one, other in pairwise(slots))

        world.tell(story, FILM)


def test_a_player_that_asks_again_is_answered_the_same_while_that_engine_is_there():
    with stage({2: ALL, 3: ALL, 4: ALL}) as world:

        async def story():
            async def asked(address):
                return slot_of((await get(world.http, f"/programs/film/{address}"))[1])

            addresses = await sessions_playlist(world.http)
            first = [await asked(address) for address in addresses[:4]]
            for number in (3, 1, 0, 0, 2, 3):
                assert await asked(addresses[number]) == first[number]
            assert sum((await world.loads()).values()) == RATE_BPS, "a session counts once"
            world.simulation.power_cut(world.engines[first[3]].host)
            await asyncio.sleep(5.0)
            assert await asked(addresses[3]) != first[3]

        world.tell(story, FILM)


def test_a_player_that_names_a_stream_as_its_session_takes_none_off_an_engine_by_it():
    with stage({2: ALL}) as world:

        async def story():
            redirect = await world.play()
            await get(world.http, f"/programs/film/0.ts?session={redirect.session}&ticket={redirect.ticket}")
            assert await world.loads() == {2: 2 * RATE_BPS}

        world.tell(story, FILM)


@pytest.mark.parametrize("ticket", ["", "&ticket=", "&ticket={session}." + "0" * 32, "&ticket=other.{mac}"])
def test_ids_that_nobody_has_signed_are_no_sessions_however_many_a_host_makes_up(ticket):
    with stage({2: ALL}) as world:

        async def story():
            [first, *_] = await sessions_playlist(world.http)
            mac = first.rpartition(".")[2]
            for number in range(20):
                session = f"{number:024x}"
                shown = ticket.format(session=session, mac=mac)
                assert (await get(world.http, f"/programs/film/0.ts?session={session}{shown}"))[0] == 302
            assert world.director.figures().pull_sessions == 1
            assert await world.loads() == {2: RATE_BPS}
            await get(world.http, f"/programs/film/{first}")
            assert world.director.figures().pull_sessions == 2

        world.tell(story, FILM)


def test_a_burst_of_players_spreads():
    with stage({2: ALL, 3: ALL, 4: ALL, 5: ALL}) as world:

        async def story():
            slots = Counter()
            for _ in range(200):
                [first, *_] = await sessions_playlist(world.http)
                slots[slot_of((await get(world.http, f"/programs/film/{first}"))[1])] += 1
            assert slots == dict.fromkeys((2, 3, 4, 5), 50)

        world.tell(story, FILM)


def test_at_capacity_new_players_are_told_to_come_again_and_old_ones_go_on():
    with stage({2: ALL}, capacity_bps=RATE_BPS) as world:

        async def story():
            first, second = await sessions_playlist(world.http), await sessions_playlist(world.http)
            assert (await get(world.http, f"/programs/film/{first[0]}"))[0] == 302
            status, headers, text = await get(world.http, f"/programs/film/{second[0]}")
            assert (status, headers["Retry-After"]) == (503, "1")
            assert headers["Access-Control-Allow-Origin"] == "*"
            refused = msgspec.json.decode(text, type=Refused)
            assert refused.reason is Reason.AT_CAPACITY
            assert "at capacity" in refused.detail
            assert (await get(world.http, f"/programs/film/{first[1]}"))[0] == 302
            await asyncio.sleep(pulls._SESSION_KEPT_S + 1.0)  # the first player is gone
            assert await world.loads() == {2: 0}
            assert (await get(world.http, f"/programs/film/{second[0]}"))[0] == 302

        world.tell(story, FILM)


def test_an_engine_that_comes_back_is_charged_what_is_left_of_its_players():
    with stage({2: ALL}) as world:

        async def story():
            [first, *_] = await sessions_playlist(world.http)
            await get(world.http, f"/programs/film/{first}")
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(5.0)
            assert await world.loads() == {}
            assert (await get(world.http, f"/programs/film/{first}"))[0] == 503
            world.simulation.restart(world.engines[2].host)
            await asyncio.sleep(1.0)
            assert await world.loads() == {2: RATE_BPS}
            await asyncio.sleep(pulls._SESSION_KEPT_S)
            assert await world.loads() == {2: 0}

        world.tell(story, FILM)


SESSION = "session=" + "0" * 24


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/programs/epic/playlist.m3u8", 404),
        ("/programs/epic/media.m3u8?" + SESSION, 404),
        ("/programs/epic/key-pictures.m3u8?" + SESSION, 404),
        ("/programs/film/media.m3u8", 404),
        ("/programs/film/media.m3u8?session=nonsense", 404),
        ("/programs/film/media.m3u8?" + SESSION, 200),
        ("/programs/film/key-pictures.m3u8?" + SESSION, 404),  # it has none
        ("/programs/film/playlist.m3u9", 404),
        ("/programs/epic/0.ts?" + SESSION, 404),
        ("/programs/film/6.ts?" + SESSION, 404),
        ("/programs/film/-1.ts?" + SESSION, 404),
        ("/programs/film/99999999999.ts?" + SESSION, 404),
        ("/programs/film/%D9%A1.ts?" + SESSION, 404),  # a digit one of another script
        ("/programs/film/00.ts?" + SESSION, 404),
        ("/programs/film/0.ts", 404),
        ("/programs/film/0.ts?session=nonsense", 404),
        ("/programs/film/0.ts?" + SESSION, 302),  # a session that nobody knows any more
        ("/programs/../etc/passwd", 404),
    ],
)
def test_what_is_asked_for(path, status):
    with stage({2: ALL}) as world:

        async def story():
            assert (await get(world.http, path))[0] == status

        world.tell(story, FILM)


def test_an_inactive_program_has_no_playlist():
    with stage({2: ALL}) as world:

        async def story():
            for name in ("playlist.m3u8", "media.m3u8?" + SESSION, "key-pictures.m3u8?" + SESSION, "0.ts?" + SESSION):
                status, headers, text = await get(world.http, f"/programs/film/{name}")
                assert (status, headers["Access-Control-Allow-Origin"]) == (403, "*")
                assert msgspec.json.decode(text, type=Refused).reason is Reason.NOT_PUBLISHED

        world.tell(story, program_of(segments=6, published=False))


def test_the_sessions_that_asked_last_are_shown_one_by_one():
    with stage({2: "0-2", 3: "3-5"}) as world:

        async def story():
            assert world.director.work().sessions == ()
            addresses = await sessions_playlist(world.http)
            assert world.director.work().sessions == (), "a playlist alone is no session"
            for address in (addresses[0], addresses[1], addresses[4]):
                await get(world.http, f"/programs/film/{address}")
            [session] = world.director.work().sessions
            assert session.session == session_of(addresses[0])
            assert (session.push, session.state, session.program) == (False, "redirected", "film")
            assert session.console.startswith("127.")
            assert (session.engine_slot, session.segment, session.turns) == (3, 4, 3)
            for _ in range(director._PULLS_SHOWN + 5):
                [last, *_] = await sessions_playlist(world.http)
                await get(world.http, f"/programs/film/{last}")
            shown = world.director.work().sessions
            assert len(shown) == director._PULLS_SHOWN
            assert shown[0].session == session_of(last)
            assert world.director.figures().pull_sessions == director._PULLS_SHOWN + 6
            await asyncio.sleep(pulls._SESSION_KEPT_S + 1.0)
            assert world.director.work().sessions == ()

        world.tell(story, FILM)


def test_of_too_many_players_those_heard_of_longest_ago_are_forgotten(monkeypatch):
    monkeypatch.setattr(pulls, "_SESSIONS_MAX", 3)
    with stage({2: ALL}) as world:

        async def story():
            for _ in range(10):
                [first, *_] = await sessions_playlist(world.http)
                await get(world.http, f"/programs/film/{first}")
            await asyncio.sleep(1.0)
            assert await world.loads() == {2: 3 * RATE_BPS}

        world.tell(story, FILM)


def test_an_enlistment_with_no_capacity_breaks_nothing():
    roster = Roster()
    message = Enlist(
        slot=2,
        engine=str(DIRECTOR),
        media=str(DIRECTOR_MEDIA),
        boot="b",
        epoch=1,
        capacity_bps=0,
        holdings=Holdings(holdings=()),
    )
    assert roster.enlist(message, DIRECTOR, DIRECTOR_MEDIA, 0.0).load_share == 0
