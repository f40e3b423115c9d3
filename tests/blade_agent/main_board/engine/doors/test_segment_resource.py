"""Segments over HTTP, as caches and players ask for them (RFC 9110): conditions, ranges, other origins."""

import asyncio
import random
import resource

import pytest

from tests.blade_agent.main_board.engine.station import (
    CUT,
    PROGRAM,
    TABLE,
    TICKET,
    engine,
    engine_at,
    make_segments,
    media_of,
    put,
    scripted,
)

HOST = engine_at(2)
PATH = f"/segments/{PROGRAM}/{TABLE.sha256}/0.ts"
(DATA,) = make_segments(1, packets=600)
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def told(folder, story):
    """Tell a story to an engine that holds a segment; it asks with `ask(path, method, **headers)`."""

    async def tell():
        async with scripted() as director, engine(director, folder, HOST) as store:
            segment = await put(store, CUT, 0, DATA, indexed=True)

            async def ask(path=f"{PATH}?ticket={TICKET}", method="GET", **headers):
                url = f"http://{media_of(HOST)}{path}"
                async with director.client.session.request(method, url, headers=headers) as answer:
                    return answer.status, answer.headers, await answer.read()

            return await story(ask, f'"{segment.sha256}"')

    return asyncio.run(tell())


def test_a_segment_is_known_by_its_digest_for_ever(tmp_path):
    async def story(ask, tag):
        status, headers, body = await ask()
        assert (status, body) == (200, DATA)
        assert (headers["ETag"], headers["Accept-Ranges"]) == (tag, "bytes")
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            status, headers, body = await ask(**{"If-None-Match": known})
            assert (status, body) == (304, b""), known
            assert headers["ETag"] == tag
            assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        for other in ('"x"', "x", DATE):
            assert (await ask(**{"If-None-Match": other}))[0] == 200, other
        assert (await ask(method="HEAD", **{"If-None-Match": tag}))[0] == 304

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-187", (0, 188)),
        ("bytes=188-", (188, len(DATA))),
        ("bytes=-188", (len(DATA) - 188, len(DATA))),
        ("bytes=100-99999999999", (100, len(DATA))),
        ("seconds=0-1", None),
        ("bytes=0-1,3-4", None),
        ("bytes=5-2", None),
        ("nonsense", None),
    ],
)
def test_what_a_range_gets(tmp_path, asked, part):
    """A unit that is not known, and several ranges, get the whole (14.2): it is a segment, not a film."""

    async def story(ask, tag):
        status, headers, body = await ask(Range=asked)
        first, end = part or (0, len(DATA))
        assert body == DATA[first:end]
        assert status == (206 if part else 200)
        assert headers.get("Content-Range") == (f"bytes {first}-{end - 1}/{len(DATA)}" if part else None)
        assert headers["ETag"] == tag
        assert headers["Content-Length"] == str(end - first)

    told(tmp_path, story)


def test_a_range_is_of_the_bytes_that_who_asks_has_begun_with(tmp_path):
    async def story(ask, tag):
        assert (await ask(Range="bytes=0-9", **{"If-Range": tag}))[0] == 206
        for other in (f"W/{tag}", '"x"', DATE, "x"):
            status, _, body = await ask(Range="bytes=0-9", **{"If-Range": other})
            assert (status, body) == (200, DATA), other
        beyond = f"bytes={len(DATA)}-"
        status, headers, _ = await ask(Range=beyond)
        assert (status, headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")
        assert (await ask(Range=beyond, **{"If-Range": '"x"'}))[0] == 200
        assert (await ask(Range=beyond, **{"If-None-Match": tag}))[0] == 304

    told(tmp_path, story)


def test_head_knows_no_ranges(tmp_path):
    async def story(ask, tag):
        for asked in ("bytes=0-9", f"bytes={len(DATA)}-"):
            status, headers, body = await ask(method="HEAD", Range=asked)
            assert (status, headers["Content-Length"], body) == (200, str(len(DATA)), b"")
            assert headers["ETag"] == tag

    told(tmp_path, story)


def test_a_page_of_another_origin_reads_segments_and_errors_and_may_ask_beforehand(tmp_path):
    async def story(ask, _):
        good = f"{PATH}?ticket={TICKET}"
        for path, asked, status in (
            (good, {}, 200),
            (good, {"Range": "bytes=0-1"}, 206),
            (good, {"Range": f"bytes={len(DATA)}-"}, 416),
            (PATH, {}, 403),
            (good.replace("0.ts", "1.ts"), {}, 404),
            (good.replace("0.ts", "0.index"), {}, 200),
            ("/segments/nothing", {}, 404),
        ):
            found, headers, _ = await ask(path, Origin="http://elsewhere", **asked)
            assert (found, headers["Access-Control-Allow-Origin"]) == (status, "*"), path
            assert "Content-Range" in headers["Access-Control-Expose-Headers"]
        found, headers, _ = await ask(good, "OPTIONS", Origin="http://elsewhere")
        assert (found, headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
        assert (await ask(good, "DELETE"))[1]["Access-Control-Allow-Origin"] == "*"

    told(tmp_path, story)


def hostile_headers(rng):
    def made_up(letters):
        return "".join(rng.choices(letters, k=rng.choice([0, 3, 20, 4000])))

    ranges = [
        "bytes=0-187",
        f"bytes={len(DATA)}-",
        "bytes=" + "0-0," * 1500,
        "bytes=-0",
        made_up("0123456789-,= bytes"),
    ]
    tags = ['"x"', "*", "W/" * 1000, '"' * 3000, made_up('"W/*, abc')]
    headers = {"Range": rng.choice(ranges)}
    if rng.random() < 0.4:
        headers["If-None-Match"] = rng.choice(tags)
    if rng.random() < 0.4:
        headers["If-Range"] = rng.choice(tags)
    return headers


def test_hostile_headers_and_paths_are_answered_with_what_they_deserve(tmp_path):
    rng = random.Random(9110)

    async def story(ask, _):
        await ask()
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = set()
        for _ in range(400):
            path = rng.choice(
                [f"{PATH}?ticket={TICKET}"] * 4
                + [PATH, f"{PATH}?ticket=%ff%00", f"{PATH}{'a' * 3000}", "/segments/x%2F..%2F0.ts"]
            )
            status, headers, body = await ask(path, rng.choice(["GET", "HEAD", "OPTIONS"]), **hostile_headers(rng))
            seen.add(status)
            assert status in {200, 204, 206, 304, 403, 404, 416}
            assert len(body) <= len(DATA)
            assert headers["Access-Control-Allow-Origin"] == "*"
        assert {200, 204, 206, 304, 403, 404, 416} <= seen
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 32 * 1024

    told(tmp_path, story)
