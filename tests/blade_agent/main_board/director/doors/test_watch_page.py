"""The page to watch in a real browser: its list, its search, its keys; what a stranger is answered.

That it plays, and shows which blade sends what, is in tests/end_to_end/test_watching.py.
"""

import asyncio
import json

import aiohttp
import pytest
from playwright.async_api import expect

from blade_agent.main_board.director.doors import watch_page
from media_network.time_of_day import now_ms
from tests.blade_agent.main_board.director.doors.page_world import MEDIA, attached, directing, film, looking
from tests.browser import CHECKS, PAIRS, PHONE, chromium
from tests.distribution_center.page.catalogue import png

chromium_needed = pytest.mark.peer("chromium")

EVIL = "<img src=x onerror=document.title='owned'>\u202e"
BLUE, RED = png(30, 90, 200), png(200, 60, 40)


def many(count):
    return [film(f"film-{number:04}", f"Film number {number}", number + 1) for number in range(count)]


def told(folder, story, films, pictures=()):
    async def tell():
        async with directing(folder, films, pictures) as director:
            return await story(director)

    return asyncio.run(tell())


def looked_at(folder, story, films, pictures=(), **context):
    async def look(_):
        async with chromium() as browser, looking(browser, **context) as looks:
            await story(looks)

    told(folder, look, films, pictures)


async def ask(path, method="GET", **headers):
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, f"http://{MEDIA}{path}", headers=headers) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


async def titles(**question):
    query = "&".join(f"{name}={value}" for name, value in question.items())
    status, _, body = await ask(f"/titles?{query}")
    assert status == 200
    return json.loads(body)


def names(page):
    return [one["program"] for one in page["titles"]]


def test_titles_come_in_pages(tmp_path):
    async def story(_):
        first = await titles(limit=10)
        assert names(first) == [f"film-{number:04}" for number in range(10)]
        assert first["titles"][3] == {
            "program": "film-0003",
            "title": "Film number 3",
            "duration_ms": 300_000,
            "picture": None,
        }
        second = await titles(limit=10, after=first["after"])
        assert names(second)[0] == "film-0010"
        assert len(names(await titles())) == 24
        assert len(names(await titles(limit=9999))) == 96
        assert len(names(await titles(limit="nonsense"))) == 24
        last = await titles(after="film-0115", limit=50)
        assert (names(last), last["after"]) == ([f"film-{number:04}" for number in range(116, 120)], None)
        assert names(await titles(search="NUMBER 11")) == ["film-0011", *(f"film-{n:04}" for n in range(110, 120))]
        assert await titles(search="no such thing") == {"titles": [], "after": None}

    told(tmp_path, story, many(120))


def test_only_what_is_in_service_is_listed(tmp_path):
    later, over = now_ms() + 3_600_000, now_ms() - 1000
    films = [
        film("a-later", "Later", 1, publish_at_ms=later),
        film("b-never", "Never", 2, publish_at_ms=None),
        film("c-over", "Over", 3, window_ends_ms=over),
        film("d-now", "Now", 4),
    ]

    async def story(director):
        assert names(await titles()) == ["d-now"]
        for name, status in (("a-later", 403), ("c-over", 403), ("nothing", 404), ("d-now", 404)):
            assert (await ask(f"/programs/{name}/picture/{'0' * 64}"))[0] == status
        director._library.closed.add("d-now")
        assert names(await titles()) == [], "what is being deleted is not offered"

    told(tmp_path, story, films)


def test_an_answer_takes_no_more_than_its_part_of_a_large_catalogue(tmp_path, monkeypatch):
    monkeypatch.setattr(watch_page, "_LOOKED_THROUGH", 50)
    monkeypatch.setattr(watch_page, "_HEADERS_READ", 20)

    async def story(_):
        nothing = await titles(search="number 199")
        assert nothing == {"titles": [], "after": "film-0049"}
        found, after = [], ""
        for _ in range(4):
            page = await titles(search="number 199", after=after)
            found, after = found + names(page), page["after"]
        assert (found, after) == (["film-0199"], None)
        assert (await titles(search="film", limit=96))["after"] == "film-0019"

    told(tmp_path, story, many(200))


def test_the_page_keeps_to_itself_and_changes_nothing_for_who_has_it(tmp_path):
    async def story(_):
        for path in ("/", "/page/main.js", "/shared/page.css", "/titles", "/engines"):
            status, headers, _ = await ask(path, Origin="http://elsewhere")
            assert status == 200, path
            assert "Access-Control-Allow-Origin" not in headers, path
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            if tag := headers.get("ETag"):
                assert (await ask(path, **{"If-None-Match": tag}))[::2] == (304, b""), path
            assert (await ask(path, "HEAD"))[::2] == (200, b""), path
            assert (await ask(path, "POST"))[0] == 405, path
        for path in ("/page/nothing.js", "/page/..%2f..%2fsettings.py", "/page/%00", "/shared/", "/page/main.js/x"):
            assert (await ask(path))[0] == 404, path

    told(tmp_path, story, many(1))


def test_a_picture_is_given_as_what_it_is_and_for_ever(tmp_path):
    markup = b"<html><script>alert(1)</script>"
    films = [film("good", "Good", 1, picture=BLUE), film("bad", "Bad", 2, picture=markup)]

    async def story(_):
        sha256 = attached(BLUE)[0].sha256
        path = f"/programs/good/picture/{sha256}"
        status, headers, body = await ask(path)
        assert (status, headers["Content-Type"], body) == (200, "image/png", BLUE)
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert headers["ETag"] == f'"{sha256}"'
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert (await ask(path, **{"If-None-Match": headers["ETag"]}))[::2] == (304, b"")
        assert (await ask(f"/programs/good/picture/{attached(markup)[0].sha256}"))[0] == 404
        assert (await ask(f"/programs/bad/picture/{attached(markup)[0].sha256}"))[0] == 404, "no markup from strangers"

    told(tmp_path, story, films, [BLUE, markup])


async def until_shown(image, width):
    """Until a picture has come, as wide as it is."""
    while await image.evaluate("(image) => image.naturalWidth") != width:  # noqa: ASYNC110 -- a browser sets no event
        await asyncio.sleep(0.02)


@chromium_needed
def test_of_many_programs_a_person_sees_as_many_as_he_asks_for(tmp_path):
    async def story(looks):
        await expect(looks.page).to_have_title("Watch – north")
        await expect(looks.cards).to_have_count(24)
        await expect(looks.cards.first).to_contain_text("Film number 0")
        await expect(looks.cards.first).to_contain_text("5:00")
        await looks.page.get_by_role("button", name="Show more").click()
        await expect(looks.cards).to_have_count(48)
        await expect(looks.cards.nth(24).locator("a")).to_be_focused()
        asked = len(looks.asked)
        await asyncio.sleep(1.0)
        assert len(looks.asked) == asked, "nothing is asked for of itself"
        await looks.page.locator("#search").press_sequentially("number 31", delay=20)
        await expect(looks.cards).to_have_count(13)
        assert len([path for path in looks.asked[asked:] if path.startswith("/titles")]) < 4
        await expect(looks.page.get_by_role("button", name="Show more")).to_be_hidden()
        await looks.page.locator("#search").fill("nothing of the kind")
        await expect(looks.page.locator("#none")).to_have_text("Nothing here is called “nothing of the kind”.")
        await looks.page.locator("#search").fill("")
        await expect(looks.cards).to_have_count(24)

    looked_at(tmp_path, story, many(320))


@chromium_needed
def test_pictures_are_shown_and_hostile_titles_are_text(tmp_path):
    films = [film("blue", "Blue", 1, picture=BLUE), film("evil", EVIL, 2, picture=RED), film("none", "None", 3)]

    async def story(looks):
        await expect(looks.cards).to_have_count(3)
        assert await looks.cards.nth(1).locator(".name").text_content() == EVIL
        for number, count in enumerate((1, 1, 0)):
            await expect(looks.cards.nth(number).locator("img")).to_have_count(count)
        await until_shown(looks.cards.first.locator("img"), 192)
        await looks.cards.nth(1).locator("a").click()
        await expect(looks.page.locator("#watch-name")).to_have_text(EVIL)
        assert await looks.page.title() == f"{EVIL} – north"
        looks.complaints.clear()  # it cannot be played: there is no engine

    looked_at(tmp_path, story, films, [BLUE, RED])


@chromium_needed
def test_all_of_it_by_keyboard(tmp_path):
    async def story(looks):
        page = looks.page
        await expect(looks.cards).to_have_count(24)
        await page.keyboard.press("/")
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.type("number 2")
        await expect(looks.cards).to_have_count(12)
        await page.keyboard.press("Escape")
        await page.keyboard.press("ArrowRight")
        await expect(looks.cards.first.locator("a")).to_be_focused()
        await page.keyboard.press("ArrowRight")
        await expect(looks.cards.nth(1).locator("a")).to_be_focused()
        await page.keyboard.press("ArrowDown")
        below = await page.evaluate("document.activeElement.offsetTop > document.querySelector('#titles a').offsetTop")
        assert below
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("Enter")
        await expect(page.locator("#watch-name")).to_be_focused()
        await expect(page.locator("#watch-name")).to_have_text("Film number 12")
        await page.keyboard.press("Escape")
        await expect(page.locator("#list")).to_be_visible()
        await expect(looks.cards.nth(1).locator("a")).to_be_focused()
        looks.complaints.clear()  # it cannot be played: there is no engine

    looked_at(tmp_path, story, many(30))


@chromium_needed
@pytest.mark.parametrize("context", [{}, PHONE, {"color_scheme": "dark"}], ids=["desk", "phone", "dark"])
def test_a_checker_of_accessibility_finds_nothing(tmp_path, context):
    async def story(looks):
        await expect(looks.cards).to_have_count(24)
        for view in ("list", "watch"):
            if view == "watch":
                await looks.cards.first.locator("a").click()
                await expect(looks.page.locator("#watch-name")).to_be_visible()
            found = await looks.page.evaluate(CHECKS, [*PAIRS, ["--warning", "--warning-back"]])
            assert found["duplicates"] == [], view
            assert found["small"] == [], view
            assert found["faint"] == [], view
            assert found["wide"] == 0, view
            assert found["levels"][0] == 1, view
            assert all(
                later <= earlier + 1 for earlier, later in zip(found["levels"], found["levels"][1:], strict=False)
            )
        looks.complaints.clear()  # it cannot be played: there is no engine

    looked_at(tmp_path, story, many(30), **context)


@chromium_needed
def test_without_the_player_the_page_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(watch_page, "_PLAYER", "nothing.js")

    async def story(looks):
        await expect(looks.page.locator("#missing")).to_contain_text("“make player” gets it")
        await expect(looks.cards).to_have_count(3)

    looked_at(tmp_path, story, many(3))
