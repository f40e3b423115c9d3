"""Connections over which some requests are answered at once: who answers may change, but not what, nor the order."""

import asyncio
import random
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from aiohttp import web

from media_network.address import Address
from media_network.http import connection
from media_network.http.at_once import answer
from media_network.http.gate import ConnectionGate
from media_network.http.server import HandlerTable, serve

ANY_PORT = Address("127.0.0.1", 0)
HALF = b"GET /soon HTTP/1.1\r\nHost: a\r\nX: "


def request(path, method="GET", fields="", body=""):
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}".encode()


class Party:
    """Answers /now at once, /later when it is told to, /soon without waiting, in the ordinary way."""

    def __init__(self):
        self.seen = []
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()

    def table(self):
        table = HandlerTable("party")
        table.resource("/soon", self.soon)
        table.resource("/now", self.now)
        table.resource("/later", self.later)
        table.upload("/put", self.put, "", Address)
        table.at_once = self.at_once
        return table

    def at_once(self, head):
        if head.path != "/now":
            return None
        self.seen.append("at once")
        return answer(HTTPStatus.OK, {}, b"now")

    async def now(self, _):
        self.seen.append("framework")
        return web.Response(body=b"now")

    async def soon(self, _):
        self.seen.append("soon")
        return web.Response(body=b"soon")

    async def later(self, _):
        self.asked.set()
        await self.may_answer.wait()
        self.seen.append("later")
        return web.Response(body=b"later")

    async def put(self, request):
        body = await request.read()
        self.seen.append(body.decode())
        return web.Response(body=b"put")


@asynccontextmanager
async def connected(party=None, gate=None):
    """A party, and a connection to it."""
    party = party or Party()
    async with serve(party.table(), ANY_PORT, gate) as address:
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield party, reader, writer
        finally:
            writer.close()


async def answered(reader):
    """The body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return (await reader.readexactly(length)).decode()


def test_it_is_answered_at_once_before_and_after_the_framework_had_its_turn():
    async def story():
        async with connected() as (party, reader, writer):
            for path in ("/now", "/now", "/soon", "/now", "/soon", "/soon", "/now"):
                writer.write(request(path))
                assert await answered(reader) == path.removeprefix("/")
            assert party.seen == ["at once", "at once", "soon", "at once", "soon", "soon", "at once"]

    asyncio.run(story())


@pytest.mark.parametrize("apart", [True, False])
def test_answers_come_in_the_order_of_the_requests(apart):
    async def story():
        async with connected() as (party, reader, writer):
            writer.write(request("/later") + (b"" if apart else request("/now")))
            await party.asked.wait()
            if apart:
                writer.write(request("/now"))
                await asyncio.sleep(0.05)
            assert party.seen == []
            party.may_answer.set()
            assert [await answered(reader), await answered(reader)] == ["later", "now"]
            assert party.seen == ["later", "framework"]
            writer.write(request("/now"))
            assert await answered(reader) == "now"

    asyncio.run(story())


def test_what_is_inside_of_another_request_is_none():
    async def story():
        async with connected() as (party, reader, writer):
            inside = request("/now")
            writer.write(request("/put", "PUT", f"Content-Length: {len(inside)}\r\n"))
            await asyncio.sleep(0.05)
            writer.write(inside)
            assert await answered(reader) == "put"
            assert party.seen == [inside.decode()]

    asyncio.run(story())


def test_the_second_half_of_a_head_is_no_head():
    async def story():
        async with connected() as (party, reader, writer):
            writer.write(HALF)
            await asyncio.sleep(0.05)
            writer.write(request("/now"))
            head = await reader.readuntil(b"\r\n\r\n")
            # It has two hosts: one request, and a bad one.
            assert head.split()[1] == b"400"
            assert party.seen == []

    asyncio.run(story())


def test_half_a_head_may_come_while_another_request_is_answered():
    async def story():
        async with connected() as (party, reader, writer):
            writer.write(request("/later"))
            await party.asked.wait()
            writer.write(HALF)
            await asyncio.sleep(0.05)
            party.may_answer.set()
            assert await answered(reader) == "later"
            writer.write(request("/now"))
            assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"400"
            assert party.seen == ["later"]

    asyncio.run(story())


def test_half_a_head_may_come_with_another_request():
    async def story():
        async with connected() as (party, reader, writer):
            writer.write(request("/soon") + HALF)
            assert await answered(reader) == "soon"
            writer.write(request("/now"))
            assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"400"
            assert party.seen == ["soon"]

    asyncio.run(story())


def test_random_requests_in_random_pieces_are_answered_in_order():
    async def story(seed):
        rng = random.Random(seed)
        paths = [rng.choice(["/now", "/soon"]) for _ in range(40)]
        octets = b"".join(
            request(path, fields=rng.choice(["", "X: y\r\n", "Connection: keep-alive\r\n"])) for path in paths
        )
        async with connected() as (party, reader, writer):

            async def say():
                left = octets
                while left:
                    length = rng.choice([rng.randint(1, 200), len(request("/now")), len(request("/soon"))])
                    writer.write(left[:length])
                    left = left[length:]
                    await asyncio.sleep(rng.choice([0, 0, 0.001]))

            saying = asyncio.create_task(say())
            assert [await answered(reader) for _ in paths] == [path.removeprefix("/") for path in paths]
            await saying
            assert [{"soon": "/soon"}.get(one, "/now") for one in party.seen] == paths

    for seed in range(20):
        asyncio.run(story(seed))


def test_an_answer_that_sends_a_file_is_sent_once(tmp_path):
    (tmp_path / "file").write_bytes(b"in a file")

    async def get(_):
        return web.FileResponse(tmp_path / "file")

    async def story():
        party = Party()
        table = party.table()
        table.resource("/file", get)
        async with serve(table, ANY_PORT) as address:
            reader, writer = await asyncio.open_connection(*address)
            for path, body in (("/file", "in a file"), ("/now", "now"), ("/file", "in a file"), ("/soon", "soon")):
                writer.write(request(path))
                assert await answered(reader) == body
            writer.close()

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/soon", "/file-that-nobody-has"])
def test_who_wants_to_leave_after_an_answer_is_let_go(path):
    async def story():
        async with connected() as (_, reader, writer):
            writer.write(request(path, fields="Connection: close\r\n"))
            assert (await reader.read()).partition(b"\r\n")[0] in (b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found")

    asyncio.run(story())


def test_a_guard_sees_every_request():
    @web.middleware
    async def refuse(request, handler):
        return web.Response(status=403)

    async def story():
        party = Party()
        table = party.table()
        table.guards = (refuse,)
        async with serve(table, ANY_PORT) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(request("/now"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 403")
            assert party.seen == []
            writer.close()

    asyncio.run(story())


def test_a_connection_over_which_nothing_is_said_ends(monkeypatch):
    monkeypatch.setattr(connection, "KEEP_ALIVE_S", 0.3)

    async def story():
        async with connected() as (party, reader, writer):
            loop = asyncio.get_running_loop()
            for path in ("/now", "/soon", "/now"):
                await asyncio.sleep(0.15)
                writer.write(request(path))
                assert await answered(reader) == path.removeprefix("/")
            writer.write(request("/later"))
            await asyncio.sleep(0.6)  # it is being answered
            party.may_answer.set()
            assert await answered(reader) == "later"
            began_s = loop.time()
            assert await reader.read() == b""
            assert loop.time() - began_s > 0.25

    asyncio.run(story())


def test_who_was_answered_last_is_the_last_to_be_shed():
    async def story():
        gate = ConnectionGate(2)
        async with serve(Party().table(), ANY_PORT, gate) as address:
            first, second = [await asyncio.open_connection(*address) for _ in range(2)]
            for reader, writer in (second, first):
                writer.write(request("/now"))
                assert await answered(reader) == "now"
            third = await asyncio.open_connection(*address)
            assert await second[0].read() == b""
            for reader, writer in (first, third):
                writer.write(request("/now"))
                assert await answered(reader) == "now"
                writer.close()
            second[1].close()
            assert gate.shed == 1

    asyncio.run(story())


def test_an_answer_to_who_has_left_before_his_turn_is_not_written(tmp_path):
    """The framework would find a file's answer half prepared, and log that with a traceback."""
    file = web.FileResponse(tmp_path / "segment.ts")

    async def handle(request):
        return file

    server = SimpleNamespace(request_handler=handle)
    connection.Answering(server, None, None)
    left = SimpleNamespace(protocol=object(), transport=None)
    written = asyncio.run(server.request_handler(left))
    assert (type(written), written.body) == (web.Response, None)


@pytest.mark.parametrize("error", [RuntimeError("Transport is closing"), AssertionError()])
def test_an_answer_to_who_leaves_while_it_is_written_is_no_fault_of_ours(error):
    """A fault of ours is one, though, whoever asked."""

    class Answer(web.Response):
        async def prepare(self, request):
            raise error

    async def handle(request):
        return Answer()

    async def asked(*, leaves):
        server = SimpleNamespace(request_handler=handle)
        gate = SimpleNamespace(busy=lambda _: None, idle=lambda _: None)
        answering = connection.Answering(server, None, gate)
        transport = SimpleNamespace(is_closing=lambda: leaves, abort=lambda: None)
        one = SimpleNamespace(framework=object(), begins=lambda: None, ends=lambda: None)
        answering._of[one.framework] = one
        return await server.request_handler(SimpleNamespace(protocol=one.framework, transport=transport))

    assert type(asyncio.run(asked(leaves=True))) is web.Response
    with pytest.raises(type(error)):
        asyncio.run(asked(leaves=False))
