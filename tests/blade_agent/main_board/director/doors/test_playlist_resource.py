"""Playlists as resources: who gets which, how they travel, and what is asked of whom."""

import asyncio
import gzip
import random
from collections import Counter
from dataclasses import replace
from urllib.parse import quote

import m3u8
import pytest
from yarl import URL

from media_network.key_picture_table import MEDIA_TYPE, ListedPicture, key_picture_octets
from media_network.program_header import AttachmentKind, attachment_of
from tests.blade_agent.main_board.director.stage import DIRECTOR_MEDIA, ONLOOKER, engine_media, program_of, stage

ALL = "0-5"
PICTURES = tuple(ListedPicture(number, 2, 300, 0) for number in range(6))
ATTACHED, OCTETS = attachment_of(AttachmentKind.KEY_PICTURES, MEDIA_TYPE, key_picture_octets(PICTURES))
FILM = program_of(segments=6, attachments=(ATTACHED,))
LONG = program_of(segments=3000, packets=1)
SESSION = "session=" + "0" * 24
PATHS = [
    "/programs/film/playlist.m3u8",
    f"/programs/film/media.m3u8?{SESSION}",
    f"/programs/film/key-pictures.m3u8?{SESSION}",
]


async def ask(world, path, method="GET", **headers):
    url = f"http://{DIRECTOR_MEDIA}{path}"
    async with world.http.session.request(method, url, headers=headers, allow_redirects=False) as response:
        return response.status, response.headers.copy(), await response.read()


async def playlist(world, path):
    status, _, body = await ask(world, path)
    assert status == 200
    return m3u8.loads(body.decode())


def with_pictures(world):
    world.engines[2].parts = {ATTACHED.sha256: OCTETS}


def test_a_player_finds_segments_and_key_pictures_by_one_address():
    with stage({2: ALL}) as world:
        with_pictures(world)

        async def story():
            first = await playlist(world, PATHS[0])
            media = await playlist(world, f"/programs/film/{first.playlists[0].uri}")
            assert len(media.segments) == 6
            [listed] = first.iframe_playlists
            pictures = await playlist(world, f"/programs/film/{listed.uri}")
            assert pictures.is_i_frames_only
            assert [one.byterange for one in pictures.segments] == ["56400@376"] * 6
            [query] = {one.uri.partition("?")[2] for one in (*media.segments, *pictures.segments)}
            assert query == listed.uri.partition("?")[2]
            for one in (media.segments[0], pictures.segments[0]):
                assert (await ask(world, f"/programs/film/{one.uri}"))[0] == 302

        world.tell(story, FILM)


def test_without_its_key_pictures_a_program_plays():
    """Nobody has them at hand, or what somebody gives is something else."""
    with stage({2: ALL}) as world:
        world.engines[2].parts = {ATTACHED.sha256: OCTETS + b"more"}

        async def story():
            first = await playlist(world, PATHS[0])
            assert (len(first.playlists), len(first.iframe_playlists)) == (1, 0)
            assert (await ask(world, PATHS[2]))[0] == 404
            asked = len(world.engines[2].parts_asked)
            await playlist(world, PATHS[0])
            assert len(world.engines[2].parts_asked) == asked, "who has missed it does not ask for it at once"

        world.tell(story, FILM)


def test_what_was_fetched_once_is_there_when_nobody_else_is():
    with stage({2: ALL}) as world:
        with_pictures(world)

        async def story():
            await playlist(world, PATHS[0])
            world.engines[2].parts = {}
            world.director._playlists._attachments._at_hand.clear()
            assert len((await playlist(world, PATHS[2])).segments) == 6, "it is on the disk"
            assert (await playlist(world, PATHS[0])).iframe_playlists

        world.tell(story, FILM)


@pytest.mark.parametrize("path", PATHS)
def test_a_playlist_comes_in_gzip_where_that_is_taken(path):
    with stage({2: ALL}) as world:
        with_pictures(world)

        async def story():
            _, headers, plain = await ask(world, path)
            assert "Content-Encoding" not in headers
            _, headers, packed = await ask(world, path, **{"Accept-Encoding": "br;q=0.5, gzip"})
            assert headers["Content-Encoding"] == "gzip"
            assert headers["Vary"] == "Accept-Encoding"
            opened = gzip.decompress(packed)
            assert len(opened) == len(plain)
            assert opened.startswith(b"#EXTM3U\n")
            assert "Content-Encoding" not in (await ask(world, path, **{"Accept-Encoding": "gzip;q=0"}))[1]

        world.tell(story, FILM)


def test_a_long_playlist_is_whole_and_in_gzip_a_small_part_of_it():
    with stage({2: "0-2999"}) as world:

        async def story():
            _, _, plain = await ask(world, PATHS[1])
            _, _, packed = await ask(world, PATHS[1], **{"Accept-Encoding": "gzip"})
            assert gzip.decompress(packed) == plain
            assert len(m3u8.loads(plain.decode()).segments) == 3000
            assert len(packed) < len(plain) / 6

        world.tell(story, LONG)


@pytest.mark.parametrize("path", PATHS)
def test_head_is_the_same_without_a_body(path):
    with stage({2: ALL}) as world:
        with_pictures(world)

        async def story():
            status, headers, body = await ask(world, path, "HEAD")
            assert (status, body) == (200, b"")
            assert headers["Content-Type"] == "application/vnd.apple.mpegurl"
            assert headers["Cache-Control"] == "no-store"
            status, headers, body = await ask(world, path, "HEAD", **{"Accept-Encoding": "gzip"})
            assert (status, headers["Content-Encoding"], body) == (200, "gzip", b"")
            assert (await ask(world, path))[0] == 200, "the connection is good for the next"

        world.tell(story, FILM)


def test_a_page_of_another_origin_reads_it_all():
    with stage({2: ALL}) as world:

        async def story():
            for path, status in (
                (PATHS[0], 200),
                (f"/programs/film/0.ts?{SESSION}", 302),
                ("/programs/epic/playlist.m3u8", 404),
                ("/programs/film/x", 404),
                (f"/programs/film/9.ts?{SESSION}", 404),
                (f"/programs/film/picture/{'0' * 64}", 404),
            ):
                found, headers, _ = await ask(world, path, Origin="http://elsewhere")
                assert (found, headers["Access-Control-Allow-Origin"]) == (status, "*"), path
                if status != 404 or path.endswith("playlist.m3u8"):
                    found, headers, _ = await ask(world, path, "OPTIONS", Origin="http://elsewhere")
                    assert (found, headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD"), path
            assert (await ask(world, PATHS[0], "POST"))[:1] == (405,)

        world.tell(story, FILM)


@pytest.mark.parametrize("named", [False, True])
def test_nobody_gets_a_ticket_for_a_session_that_he_has_made_up(named):
    with stage({2: ALL}) as world:
        world.duty = replace(world.duty, playlists_name_engines=named)

        async def story():
            found = await playlist(world, f"/programs/film/media.m3u8?{SESSION}&ticket=made-up")
            tickets = {URL(segment.uri).query["ticket"] for segment in found.segments}
            holders = {world.director._term.tickets.holder(ticket, "film") for ticket in tickets}
            assert holders == ({f"at {ONLOOKER}"} if named else {None})

        world.tell(story, FILM)


def test_by_a_setting_playlists_name_the_engines():
    with stage({2: ALL, 3: ALL, 4: "0-2"}) as world:
        world.duty = replace(world.duty, playlists_name_engines=True)

        async def story():
            async def named(query=None):
                if query is None:
                    query = (await playlist(world, PATHS[0])).playlists[0].uri.partition("?")[2]
                found = await playlist(world, f"/programs/film/media.m3u8?{query}")
                return [one.uri for one in found.segments]

            def where(uris):
                return [uri.removeprefix("http://").partition("/")[0] for uri in uris]

            uris = await named()
            engines = {str(engine_media(slot)) for slot in (2, 3, 4)}
            assert set(where(uris)) == engines
            assert all(
                f"/segments/film/{FILM.header.table}/{number}.ts?ticket=" in uri for number, uri in enumerate(uris)
            )
            assert all(one != other for one, other in zip(where(uris[:3]), where(uris[1:4]), strict=True))
            firsts = Counter([where(await named())[0] for _ in range(60)])
            assert set(firsts) == engines
            assert min(firsts.values()) >= 10, "viewers are spread from the beginning"
            world.simulation.power_cut(world.engines[2].host)
            world.simulation.power_cut(world.engines[3].host)
            await asyncio.sleep(6.0)
            query = (await playlist(world, PATHS[0])).playlists[0].uri.partition("?")[2]
            uris = await named(query)
            assert where(uris[:3]) == [str(engine_media(4))] * 3
            assert uris[3:] == [f"{number}.ts?{query}" for number in (3, 4, 5)], "the director may know later"

        world.tell(story, FILM)


RANDOM_TEXT = "0123456789abcfilm.-_~%/?&=#:;,+ \u0661\u20ac\x7f"
NAMES = ["playlist.m3u8", "media.m3u8", "key-pictures.m3u8", "0.ts", "5.ts", "6.ts", "picture/" + "0" * 64, ""]


def hostile_path(rng):
    """Nearly right, mostly."""
    program = rng.choice([*["film"] * 8, "epic", "", "..", "FILM", "f" * 5000])
    name = rng.choice(NAMES)
    query = rng.choice(["", *[SESSION] * 4, "session=", "session=0&ticket=%00", "ticket=%ff", "session=" + "9" * 3000])
    path = f"/programs/{program}/{name}?{query}"
    for _ in range(rng.choice([0, 0, 0, 1, 2, 3])):
        at = rng.randrange(len(path) + 1)
        path = path[:at] + rng.choice(["", quote(rng.choice(RANDOM_TEXT)), rng.choice("abc0.?&=%2F")]) + path[at + 1 :]
    return path if path.startswith("/") else f"/{path}"


STATUSES = {200, 204, 302, 304, 400, 403, 404, 405}


def test_hostile_paths_and_headers_are_answered_with_what_they_deserve():
    rng = random.Random(8216)
    with stage({2: ALL}) as world:
        with_pictures(world)

        async def story():
            seen = Counter()
            for _ in range(600):
                path = hostile_path(rng)
                method = rng.choice(["GET", "GET", "HEAD", "OPTIONS", "PUT"])
                headers = {"Accept-Encoding": rng.choice(["gzip", "*;q=0", ",;,=", "gzip" * 900, "identity"])}
                if rng.random() < 0.3:
                    headers["Range"] = rng.choice(["bytes=0-1", "lines=1-2", "bytes=" + "0-1," * 900, "bytes=9-1", "="])
                status, answered, _ = await ask(world, path, method, **headers)
                seen[status] += 1
                assert status in STATUSES, (path, method)
                if status != 400 and URL(f"http://{DIRECTOR_MEDIA}{path}").path.startswith("/programs/"):
                    assert answered["Access-Control-Allow-Origin"] == "*", (path, method)
                if "epic" in path.split("?")[0] and method == "GET":
                    assert status == 404
            assert {200, 302, 404, 405, 204} <= set(seen), seen
            assert len(world.director._pulls) <= 40, "what is no session is none"

        world.tell(story, FILM)


def unpacked(answer):
    _, headers, body = answer
    return gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_what_is_answered_at_once_is_what_is_answered_in_the_ordinary_way(coding):
    with stage({2: ALL}) as world:
        with_pictures(world)

        async def story():
            multivariant = await playlist(world, PATHS[0])
            media = f"/programs/film/{multivariant.playlists[0].uri}"
            query = media.partition("?")[2]
            for path in (media, PATHS[1], f"/programs/film/3.ts?{query}", f"/programs/film/3.ts?{SESSION}"):
                at_once = await ask(world, path, **{"Accept-Encoding": coding})
                # Who is about to leave is answered in the ordinary way.
                ordinary = await ask(world, path, Connection="close", **{"Accept-Encoding": coding})
                assert ("Server" in ordinary[1], "Server" in at_once[1]) == (True, False)
                assert at_once[0] == ordinary[0]
                assert unpacked(at_once) == unpacked(ordinary)
                own = {"Server", "Date", "Content-Length", "Transfer-Encoding", "Connection"}
                kept = {name: value for name, value in ordinary[1].items() if name not in own}
                if not ordinary[2]:
                    kept.pop("Content-Type", None)  # of nothing
                assert {name: value for name, value in at_once[1].items() if name not in own} == kept

        world.tell(story, FILM)


@pytest.mark.parametrize(
    "path",
    [
        "/programs/film/9.ts?" + SESSION,
        "/programs/film/0.ts?session=made-up",
        "/programs/film/00.ts?" + SESSION,
        "/programs/none/0.ts?" + SESSION,
        "/programs/film/media.m3u8?session=made-up",
        "/programs/none/media.m3u8?" + SESSION,
    ],
)
def test_refusals_are_said_in_the_ordinary_way(path):
    with stage({2: ALL}) as world:

        async def story():
            await playlist(world, PATHS[0])
            status, headers, _ = await ask(world, path)
            assert status >= 400
            assert "Server" in headers

        world.tell(story, FILM)
