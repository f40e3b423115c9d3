"""The panel's server as other pages, other users and slow readers find it."""

import asyncio
import json
import random
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest

from chassis_emulator.panel.model import (
    ClearFaults,
    IdentifySlot,
    Inject,
    Insert,
    PanelSeverity,
    Power,
    PowerOrder,
    Pull,
    Reset,
)
from chassis_emulator.panel.orders import TOKEN
from chassis_emulator.panel.server import serve_panel
from media_network.address import Address
from media_network.refusal import Reason, Refused
from tests.chassis_emulator.panel.in_memory import InMemoryNetwork, replace

HERE = Address("127.63.0.1", 0)
SEED = 7
IDENTIFY = {"action": {"act": "identify", "blade": "north/3"}}


@asynccontextmanager
async def panel(network=None, *, control=True):
    """The network, where its panel is, and a client that has the page's token and origin."""
    network = network or InMemoryNetwork()
    rng = random.Random(SEED)
    async with serve_panel(HERE, network, control=control, rng=rng) as address:
        headers = {TOKEN: f"{random.Random(SEED).getrandbits(256):064x}", "Origin": f"http://{address}"}
        async with aiohttp.ClientSession(f"http://{address}", headers=headers) as client:
            yield network, address, client


async def told(response):
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


def test_the_page_and_all_its_parts_are_served_and_nothing_else_is_named():
    async def look():
        async with panel() as (_, _, client):
            seen = {}
            async with client.get("/") as page:
                assert page.content_type == "text/html"
                html = await page.text()
            for path in ("/panel.css", "/chassis.css", "/main.js", "/icon.svg"):
                assert f'"{path}"' in html
                async with client.get(path) as part:
                    assert part.status == 200
                    seen[path] = await part.text()
            for name, text in seen.items():
                assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), name
                assert "https://" not in text, name
            for path in ("/index.html", "/../server.py", "/%2e%2e/server.py", "/page/main.js"):
                async with client.get(path) as missing:
                    assert missing.status == 404

    asyncio.run(look())


@pytest.mark.parametrize("path", ["/", "/main.js", "/picture", "/changes", "/no-such-thing", "/openapi.json"])
def test_every_answer_keeps_the_page_to_itself(path):
    async def look():
        async with panel() as (_, _, client), client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Access-Control-Allow-Origin" not in answer.headers

    asyncio.run(look())


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Host": "evil.example:8090"}, "this machine's own names"),
        ({"Host": "127.0.0.1.evil.example"}, "this machine's own names"),
        ({"Host": "localhost.evil.example"}, "this machine's own names"),
        ({"Host": "10.0.0.1"}, "this machine's own names"),
        ({"Host": ""}, "this machine's own names"),
        ({"Origin": "http://evil.example"}, "only its own page"),
        ({"Origin": "http://127.63.0.1:1"}, "only its own page"),
        ({"Origin": "null"}, "only its own page"),
        ({"Sec-Fetch-Site": "cross-site"}, "only its own page"),
        ({"Sec-Fetch-Site": "same-site"}, "only its own page"),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "only its own page"),
    ],
)
@pytest.mark.parametrize("path", ["/picture", "/changes", "/act"])
def test_what_comes_from_elsewhere_is_refused(path, headers, sentence):
    async def look():
        async with panel() as (network, _, client):
            call = (
                client.post(path, json=IDENTIFY, headers=headers)
                if path == "/act"
                else client.get(path, headers=headers)
            )
            async with call as answer:
                assert answer.status == 403
                assert sentence in await answer.text()
            assert (network.orders, network.looks) == ([], 0)

    asyncio.run(look())


def test_a_link_from_elsewhere_may_open_the_page_itself():
    async def look():
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        async with panel() as (_, _, client), client.get("/", headers=headers) as answer:
            assert answer.status == 200

    asyncio.run(look())


def test_through_a_tunnel_it_has_another_port_and_name():
    async def look():
        async with panel() as (_, _, client):
            for host in ("localhost:9000", "127.0.0.1:9000", "localhost"):
                async with client.get("/picture", headers={"Host": host, "Origin": f"http://{host}"}) as answer:
                    assert answer.status == 200, host

    asyncio.run(look())


@pytest.mark.parametrize(
    ("headers", "data", "sentence"),
    [
        ({TOKEN: ""}, None, "from before the emulator's last start"),
        ({TOKEN: "0" * 64}, None, "from before the emulator's last start"),
        ({TOKEN: "\u00e9"}, None, "from before the emulator's last start"),
        ({"Content-Type": "text/plain"}, None, "has to be JSON"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, None, "has to be JSON"),
        ({}, b"{" + b" " * 20_000, "at most 16384 bytes"),
    ],
)
def test_an_order_without_the_page_behind_it_is_refused(headers, data, sentence):
    async def order():
        async with panel() as (network, _, client):
            headers_of_order = {"Content-Type": "application/json", **headers}
            body = data or json.dumps(IDENTIFY).encode()
            async with client.post("/act", data=body, headers=headers_of_order) as answer:
                assert answer.status == 403
                assert sentence in await answer.text()
            assert network.orders == []

    asyncio.run(order())


def test_an_order_that_names_no_page_or_no_length_is_refused():
    async def order():
        async with panel() as (network, address, client):
            token = client.headers[TOKEN]
            async with (
                aiohttp.ClientSession(headers={TOKEN: token}) as other,
                other.post(f"http://{address}/act", json=IDENTIFY) as answer,
            ):
                assert (answer.status, "has to name the page" in await answer.text()) == (403, True)

            async def chunks():
                yield json.dumps(IDENTIFY).encode()

            async with client.post("/act", data=chunks(), headers={"Content-Type": "application/json"}) as answer:
                assert (answer.status, "its length" in await answer.text()) == (403, True)
            assert network.orders == []

    asyncio.run(order())


def test_another_user_of_this_machine_may_look_and_not_order(monkeypatch):
    """Who asks is read from the kernel's table; here only who we are is another."""

    async def order():
        async with panel() as (network, _, client):
            monkeypatch.setattr("media_network.pages.order_guard._ROOT", 4321)
            monkeypatch.setattr("os.geteuid", lambda: 4321)
            async with client.get("/picture") as answer:
                assert answer.status == 200
            async with client.post("/act", json=IDENTIFY) as answer:
                assert answer.status == 403
                assert "Only the user who started the network" in await answer.text()
            assert network.orders == []

    asyncio.run(order())


def test_read_only_says_so_and_gives_no_token_away():
    async def order():
        async with panel(control=False) as (network, _, client):
            async with client.get("/") as page:
                html = await page.text()
                assert client.headers[TOKEN] not in html
                assert 'name="panel-control" content="off"' in html
            for path in ("/act", "/picture", "/openapi.json"):
                for method in ("POST", "PUT", "DELETE", "PATCH"):
                    async with client.request(method, path, json=IDENTIFY) as answer:
                        assert answer.status == 403
                        assert "read-only" in await answer.text()
            assert network.orders == []

    asyncio.run(order())


@pytest.mark.parametrize(
    ("action", "meant"),
    [
        ({"act": "pull", "blade": "north/3"}, Pull(blade="north/3")),
        ({"act": "pull", "blade": "east.north/3"}, Pull(blade="east.north/3")),
        ({"act": "pull", "blade": "north/3", "surprise": True}, Pull(blade="north/3", surprise=True)),
        ({"act": "insert", "blade": "north/3"}, Insert(blade="north/3")),
        ({"act": "power", "blade": "north/3", "order": "cycle"}, Power(blade="north/3", order=PowerOrder.CYCLE)),
        ({"act": "reset", "blade": "north/3"}, Reset(blade="north/3")),
        ({"act": "identify", "blade": "north/3", "seconds": 0}, IdentifySlot(blade="north/3", seconds=0)),
        (
            {"act": "inject", "kind": "line-noise", "target": "north/3", "parameters": {"bit_error_rate": 1e-3}},
            Inject(kind="line-noise", target="north/3", parameters={"bit_error_rate": 1e-3}),
        ),
        (
            {"act": "inject", "kind": "supply", "target": "north/supply-1"},
            Inject(kind="supply", target="north/supply-1"),
        ),
        ({"act": "clear", "faults": ["fan:north/3"]}, ClearFaults(faults=("fan:north/3",))),
    ],
)
def test_an_order_arrives_as_it_was_meant(action, meant):
    async def order():
        async with panel() as (network, _, client):
            async with client.post("/act", json={"action": action}) as answer:
                assert (answer.status, await answer.json()) == (200, {})
            assert network.orders == [meant]

    asyncio.run(order())


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"act": "explode", "blade": "north/3"},
        {"act": "pull"},
        {"act": "pull", "blade": "../3"},
        {"act": "pull", "blade": "north/3", "surprise": 1},
        {"act": "pull", "blade": "north/3", "at": "once"},
        {"act": "power", "blade": "north/3", "order": "explode"},
        {"act": "identify", "blade": "north/3", "seconds": 256},
        {"act": "inject", "kind": "Fan", "target": "north/3"},
        {"act": "inject", "kind": "fan", "target": "north/3", "parameters": {"a": "b"}},
        {"act": "clear", "faults": ["x"] * 257},
        None,
        [],
        "pull",
    ],
)
def test_an_order_that_is_none_is_refused_with_the_reason(action):
    async def order():
        async with panel() as (network, _, client):
            for body in ({"action": action}, action):
                headers = {"Content-Type": "application/json"}
                async with client.post("/act", data=json.dumps(body), headers=headers) as answer:
                    assert answer.status == 400
                    assert (await answer.json())["reason"] == "bad_message"
            assert network.orders == []

    asyncio.run(order())


def test_a_refusal_of_the_network_is_handed_on():
    async def order():
        async with panel() as (network, _, client):
            network.refusal = Refused(Reason.BUSY, "north/3 is leaving already.")
            async with client.post("/act", json=IDENTIFY) as answer:
                assert answer.status == 429
                assert await answer.json() == {"reason": "busy", "detail": "north/3 is leaving already.", "state": None}

    asyncio.run(order())


def test_the_changes_are_a_picture_then_patches_then_quiet():
    async def look():
        async with panel() as (network, _, client), client.get("/changes") as response:
            events = told(response)
            picture = await next_of(events, "picture")
            assert picture["stations"][1]["slots"][2]["temperature_c"] == 48.5
            assert [event["text"] for event in await next_of(events, "log")] == ["Network is up"]
            network.change("north/3", lambda slot: replace(slot, temperature_c=50.25))
            patch = await next_of(events, "patch")
            assert patch == {"stations": {"1": {"slots": {"2": {"temperature_c": [50.25]}}}}}
            network.note(PanelSeverity.WARNING, "Warm", "north/3")
            (event,) = await next_of(events, "log")
            assert (event["id"], event["text"], event["slot"]) == (2, "Warm", 3)
            assert await next_of(events, "quiet") is None

    asyncio.run(look())


def test_a_network_that_was_started_again_is_told_whole():
    async def look():
        async with panel() as (network, _, client), client.get("/changes") as response:
            events = told(response)
            await next_of(events, "log")
            network.shown = replace(network.shown, boot="another")
            network.log.clear()
            network.note(PanelSeverity.INFO, "Up again")
            assert (await next_of(events, "picture"))["boot"] == "another"
            assert [event["text"] for event in await next_of(events, "log")] == ["Up again"]

    asyncio.run(look())


def test_nobody_looks_when_nobody_asks_and_all_look_together():
    async def look():
        loop = asyncio.get_running_loop()
        async with panel() as (network, _, client):
            assert network.looks == 0
            begun = loop.time()

            async def watch():
                async with client.get("/changes") as response:
                    await next_of(told(response), "quiet")

            await asyncio.gather(*(watch() for _ in range(8)))
            duration_s = loop.time() - begun
            assert 1 <= network.looks <= duration_s / 0.5 + 1, "eight readers, one look for all, twice a second"

    asyncio.run(look())


def test_a_reader_that_reads_nothing_holds_nobody_up():
    async def look():
        async with panel() as (network, address, client), client.get("/changes") as response:
            events = told(response)
            await next_of(events, "picture")
            with socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                slow.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(slow, address)
                await loop.sock_sendall(slow, f"GET /changes HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
                # Far more than its buffers and the kernel's take.
                for number in range(4):
                    network.change("north/3", lambda slot, n=number: replace(slot, health_text=f"{n}" * 4_000_000))
                    patch = await next_of(events, "patch")
                    text = patch["stations"]["1"]["slots"]["2"]["health_text"][0]
                    assert text[:2] == f"{number}" * 2

    asyncio.run(look())


def test_too_many_pages_are_refused_and_room_is_made_again():
    async def look():
        async with panel() as (_, _, client):
            responses = [await client.get("/changes") for _ in range(32)]
            async with client.get("/changes") as refused:
                assert refused.status == 503
                assert "32 pages" in (await refused.json())["detail"]
            for response in responses:
                response.close()
            while True:
                async with client.get("/changes") as again:
                    if again.status == 200:
                        return

    asyncio.run(look())


def test_closing_ends_those_who_look():
    async def look():
        async with aiohttp.ClientSession() as client:
            async with serve_panel(HERE, InMemoryNetwork(), control=False) as address:
                response = await client.get(f"http://{address}/changes")
                events = told(response)
                await next_of(events, "log")
            assert [name async for name, _ in events if name != "quiet"] == []

    asyncio.run(look())


def test_consoles_and_events_can_be_asked_for():
    async def look():
        async with panel() as (network, _, client):
            network.printed["north/1"] = [f"line {number}" for number in range(5000)]
            async with client.get("/console", params={"name": "north/1", "lines": "2"}) as answer:
                assert await answer.json() == {"name": "north/1", "lines": ["line 4998", "line 4999"]}
            async with client.get("/console", params={"name": "north/1", "lines": "99999"}) as answer:
                assert len((await answer.json())["lines"]) == 2000
            async with client.get("/console", params={"name": "../etc/passwd"}) as answer:
                assert answer.status == 404
            for lines in ("-1", "x", "1" * 10, "1.5"):
                async with client.get("/console", params={"name": "north/1", "lines": lines}) as answer:
                    assert answer.status == 400
            network.note(PanelSeverity.CRITICAL, "Hot", "north/3")
            async with client.get("/events", params={"after": "1"}) as answer:
                assert [event["text"] for event in await answer.json()] == ["Hot"]
            async with client.get("/faults") as answer:
                assert [kind["kind"] for kind in await answer.json()][:2] == ["line-noise", "stuck-line"]
            async with client.get("/openapi.json") as answer:
                assert "/act" in (await answer.json())["paths"]

    asyncio.run(look())


def test_any_bytes_get_an_answer_and_give_no_order():
    rng = random.Random(5)
    order = json.dumps(
        {"action": {"act": "inject", "kind": "fan", "target": "north/3", "parameters": {"a": 1}}}
    ).encode()

    def damaged():
        octets = bytearray(order)
        for _ in range(rng.randint(1, 3)):
            where = rng.randrange(len(octets))
            octets[where : where + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 3))
        return bytes(octets)

    async def look():
        async with panel() as (network, address, client):
            for _ in range(300):
                body = damaged() if rng.random() < 0.8 else rng.randbytes(rng.randrange(200))
                headers = {"Content-Type": "application/json"}
                async with client.post("/act", data=body, headers=headers) as answer:
                    assert answer.status in {200, 400}
                    if answer.status == 400:
                        assert (await answer.json())["reason"] == "bad_message"
            given = len(network.orders)
            for garbage in (
                b"\0\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n",
                b"POST /act HTTP/1.1\r\nHost: \xff\r\n\r\n",
                b"\r\n",
            ):
                reader, writer = await asyncio.open_connection(*address)
                writer.write(garbage)
                writer.write_eof()
                assert b" 200 " not in await reader.read()
                writer.close()
            async with client.head("/changes") as answer:
                assert answer.status == 405
            async with client.get("/picture") as answer:
                assert answer.status == 200
            assert len(network.orders) == given

    asyncio.run(look())


def test_only_a_loopback_address_is_served():
    async def serve_elsewhere():
        async with serve_panel(Address("0.0.0.0", 0), InMemoryNetwork(), control=True):
            pass

    with pytest.raises(ValueError, match="not a loopback address"):
        asyncio.run(serve_elsewhere())
