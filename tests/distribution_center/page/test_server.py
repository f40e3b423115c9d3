"""The page's server as other pages, other users and other programs find it: every verb, guarded."""

import json
import re
from contextlib import asynccontextmanager
from itertools import product

import aiohttp

from distribution_center.page.orders import TOKEN
from distribution_center.page.settings import PageSettings
from media_network.messages.verb import Caller
from tests.distribution_center.page.catalogue import add, png, program
from tests.distribution_center.world import HOME
from tests.golden_messages import as_json, example
from tests.verbs import VERBS

OPERATORS = [
    verb for verb in VERBS if Caller.OPERATOR in verb.callers and verb.path.startswith(("content/", "registry/"))
]
"""What operators say to a center: to directors and a headquarters they speak, too."""
UNKNOWN_IS_NO_FAULT = {
    "content/ingest": "who orders may choose the number",
    "content/ask-deletion": "what is not there is deleted",
}
ORDERS = [verb.path for verb in OPERATORS if not verb.reads] + ["uploads/begin"]
READS = [verb.path for verb in OPERATORS if verb.reads]


@asynccontextmanager
async def page_of(world, free_port, **settings):
    """A client that has the page's token and origin, as the page itself has them."""
    world.page = PageSettings(port=free_port(), **settings)
    url = f"http://{world.page.address}:{world.page.port}"
    async with world.center():
        async with aiohttp.ClientSession(url) as client, client.get("/") as page:
            token = re.search(r'name="page-token" content="([0-9a-f]{64})"', await page.text())[1]
        async with aiohttp.ClientSession(url, headers={TOKEN: token, "Origin": url}) as client:
            yield client


def test_the_page_and_all_its_parts_are_served_and_nothing_else_is_named(told, free_port):
    async def story(world):
        async with page_of(world, free_port) as client:
            seen, unread = {}, ["/"]
            while unread:
                async with client.get(path := unread.pop()) as part:
                    assert part.status == 200, path
                    assert "default-src 'none'" in part.headers["Content-Security-Policy"]
                    assert "unsafe" not in part.headers["Content-Security-Policy"]
                    seen[path] = await part.text()
                names = re.findall(r'(?:from|href=|src=) ?"\.?(/[\w/.-]+)"', seen[path])
                unread += [name for name in names if name not in {*seen, *unread}]
            assert {"/main.js", "/programs.css", "/uploads.js", "/shared/connection.js", "/icon.svg"} <= set(seen)
            for name, text in seen.items():
                assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("\n//", "").removeprefix(
                    "//"
                ).replace("  //", ""), name
            for path in ("/index.html", "/../server.py", "/%2e%2e/server.py", "/files/main.js"):
                async with client.get(path) as missing:
                    assert missing.status == 404

    told(story)


def test_the_description_has_every_verb_of_an_operator_and_the_upload(told, free_port):
    async def story(world):
        async with page_of(world, free_port) as client, client.get("/openapi.json") as answer:
            paths = (await answer.json())["paths"]
            posts = {path.removeprefix("/") for path, ways in paths.items() if "post" in ways}
            assert posts == {*ORDERS, *READS}
            assert [path for path, ways in paths.items() if "put" in ways] == ["/uploads/{upload}"]

    told(story)


ALIEN = [
    ({"Host": "evil.example:8082"}, "this machine's own names"),
    ({"Host": "127.0.0.1.evil.example"}, "this machine's own names"),
    ({"Origin": "http://evil.example"}, "only its own page"),
    ({"Origin": "null"}, "only its own page"),
    ({"Sec-Fetch-Site": "cross-site"}, "only its own page"),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "only its own page"),
]
NO_ORDER = [({TOKEN: "0" * 64}, "before the center's last start"), ({TOKEN: ""}, "before the center's last start")]


ALL_ORDERS = [("POST", f"/{path}", {"json": {}}) for path in ORDERS]
ALL_ORDERS.append(("PUT", f"/uploads/{'0' * 16}", {"data": b"film"}))


async def refused(client, method, path, headers, sentence, **more):
    async with client.request(method, path, headers=headers, **more) as answer:
        assert (answer.status, sentence in await answer.text()) == (403, True), (path, headers)


def test_other_pages_and_pages_of_before_are_refused(told, free_port):
    async def story(world):
        async with page_of(world, free_port) as client:
            for (method, path, body), (headers, sentence) in product(ALL_ORDERS, ALIEN + NO_ORDER):
                await refused(client, method, path, headers, sentence, **body)
            for path, (headers, sentence) in product(READS, ALIEN):
                await refused(client, "POST", f"/{path}", headers, sentence, json={})
            for path in ORDERS:
                await refused(client, "POST", f"/{path}", {"Content-Type": "text/plain"}, "has to be JSON", data=b"{}")

    told(story)


def test_an_order_comes_from_the_page_itself_and_from_a_user_who_may(told, free_port, monkeypatch):
    """Every order, and the bytes of an upload; who only asks needs to be no stranger's page."""

    async def story(world):
        async with page_of(world, free_port) as client:
            await add(world, program("big-buck-bunny-1f3a"))
            async with aiohttp.ClientSession(client._base_url, headers={TOKEN: client.headers[TOKEN]}) as nameless:
                for method, path, body in ALL_ORDERS:
                    await refused(nameless, method, path, {}, "name the page it comes from", **body)

            async def parts():
                yield b"film"

            await refused(client, "PUT", f"/uploads/{'0' * 16}", {}, "say its length", data=parts())
            monkeypatch.setattr("media_network.pages.order_guard._ROOT", 4321)
            monkeypatch.setattr("os.geteuid", lambda: 4321)
            for method, path, body in ALL_ORDERS:
                await refused(client, method, path, {}, "Only the user who runs the center", **body)
            async with client.post("/content/programs", json={}) as answer:
                assert answer.status == 200, "others may look"
            assert (await world.row("big-buck-bunny-1f3a")).publish_at_ms == 0

    told(story)


def test_a_user_whom_the_settings_name_may_order(told, free_port, monkeypatch):
    monkeypatch.setattr("media_network.pages.order_guard.user_of", lambda *_: 0)
    monkeypatch.setattr("media_network.pages.order_guard._ROOT", 4321)
    monkeypatch.setattr("os.geteuid", lambda: 4322)

    async def story(world, users, status):
        async with (
            page_of(world, free_port, users=users) as client,
            client.post("/content/withdraw", json={"program": "none"}) as answer,
        ):
            assert answer.status == status

    told(lambda world: story(world, ("root",), 404))
    told(lambda world: story(world, (), 403))


def test_only_pictures_are_given_to_a_browser(told, free_port):
    async def story(world):
        async with page_of(world, free_port) as client:
            picture, page = png(1, 2, 3), b"<html><script>1</script>"
            shown, hidden = program("shown", picture=picture), program("hidden", picture=page)
            await add(world, shown, picture=picture)
            await add(world, hidden, picture=page)
            for one, status in ((shown, 200), (hidden, 404)):
                async with client.get(f"/pictures/{one.header.attachments[0].sha256}") as answer:
                    assert answer.status == status
            async with client.get(f"/pictures/{shown.header.attachments[0].sha256}") as answer:
                assert (answer.content_type, await answer.read()) == ("image/png", picture)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
            for other in (shown.header.table, "0" * 64, "x"):
                async with client.get(f"/pictures/{other}") as answer:
                    assert answer.status == 404

    told(story)


async def events_of(response):
    """The server-sent events, one by one."""
    unread = b""
    async for chunk in response.content.iter_any():
        *events, unread = (unread + chunk).split(b"\n\n")
        for event in events:
            name, data = event.split(b"\n")
            yield name.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: "))


async def next_of(events, wanted):
    async for name, data in events:
        if name == wanted:
            return data
    raise AssertionError(f"the server ended without {wanted}")


def test_what_changes_is_told_and_nothing_else(told, free_port):
    async def story(world):
        async with page_of(world, free_port) as client, client.get("/changes") as changes:
            events = events_of(changes)
            assert await next_of(events, "catalogue") == {"version": 0, "programs": None}
            await add(world, program("film"))
            assert await next_of(events, "catalogue") == {"version": 1, "programs": ["film"]}
            async with world.station(HOME):
                seen = [await anext(events)]
                while seen[-2:] != [("quiet", None)] * 2:  # one look may have seen all of it, or several some of it
                    seen.append(await anext(events))
                newest = dict(seen)
                assert newest.keys() == {"moved", "fleet", "quiet"}, "nothing of what has not changed"
                assert newest["fleet"] == {"stations": 1, "silent": 0, "home": HOME, "home_engines": 3}

    told(story)


def test_a_message_of_every_verb_is_refused_with_its_field(told):
    """What is no message, what is too long, and what is asked in another way: of every verb of an operator."""

    async def story(world):
        async with world.center(), aiohttp.ClientSession(f"http://{world.address}") as client:
            for verb in OPERATORS:
                whole = as_json(example(verb.request))
                for key in whole:
                    async with client.post(f"/{verb.path}", json=whole | {key: {"a": [1]}}) as answer:
                        refused = await answer.json()
                        assert (answer.status, refused["reason"]) == (400, "bad_message"), (verb.path, key)
                        assert refused["detail"].startswith(key), (verb.path, key, refused)
                for body in (b"", b"{", b"\xff", b'{"a' + b"a" * 9_000):
                    async with client.post(f"/{verb.path}", data=body) as answer:
                        assert (answer.status, "JSON" in (await answer.json())["detail"]) == (400, True), verb.path
                async with client.post(f"/{verb.path}", data=b" " * (verb.request_bytes_max + 1)) as answer:
                    assert (answer.status, (await answer.json())["reason"]) == (413, "too_large")
                for method in ("GET", "PUT", "DELETE", "PATCH"):
                    async with client.request(method, f"/{verb.path}") as answer:
                        assert (answer.status, answer.headers["Allow"]) == (405, "POST"), verb.path

    told(story)


def test_what_is_unknown_is_404_and_what_is_in_the_way_409_with_the_state(told):
    async def story(world):
        async with world.center(), aiohttp.ClientSession(f"http://{world.address}") as client:
            naming = 0
            for verb in OPERATORS:
                whole = as_json(example(verb.request))
                named = {"program", "ingest"} & set(whole)
                if named and verb.path not in UNKNOWN_IS_NO_FAULT:
                    naming += 1
                    async with client.post(f"/{verb.path}", json=whole | dict.fromkeys(named, "unknown")) as answer:
                        assert (answer.status, "unknown" in (await answer.json())["detail"]) == (404, True), verb.path
            assert naming >= 7
            await add(world, program("film", published=False))
            async with client.post("/content/publish", json={"program": "film"}) as answer:
                assert (answer.status, (await answer.json())["state"]) == (409, "stored")
            async with client.post("/content/distribute", json={"program": "film", "stations": ["none"]}) as answer:
                assert (answer.status, (await answer.json())["reason"]) == (404, "unknown_station")

    told(story)
