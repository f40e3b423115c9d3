"""Client and server talk to each other over loopback; what neither would do, a scripted end on a bare socket does."""

import asyncio
import json
import logging
import random
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest
from aiohttp import web
from msgspec import Struct

from media_network.address import Address
from media_network.http import endpoint
from media_network.http.client import IDEMPOTENCY_KEY, HttpClient
from media_network.http.errors import Unintelligible, Unreachable
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Caller, Done, Verb
from media_network.refusal import Reason, Refused


class Add(Struct, frozen=True, omit_defaults=True):
    amount: int
    note: str = ""


class Sum(Struct, frozen=True, omit_defaults=True):
    total: int
    note: str = ""


BYTES_MAX = 200_000
ADD = Verb(
    "test/add",
    Add,
    Sum,
    "Add to the sum.",
    callers=(Caller.ANYBODY,),
    request_bytes_max=BYTES_MAX,
    reply_bytes_max=BYTES_MAX,
)
ANY_PORT = Address("127.0.0.1", 0)


class Adder:
    """Sums what it is told, each time as long as `pause` says; what it did can be counted."""

    def __init__(self):
        self.total = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def add(self, request):
        self.begun.set()
        await self.may_end.wait()
        if request.amount < 0:
            return Refused(Reason.NO_SPACE, "it only grows")
        self.total += request.amount
        return Sum(self.total)


@asynccontextmanager
async def adder_and_client():
    adder = Adder()
    table = HandlerTable("Adder")
    table.verb(ADD, adder.add)
    async with serve(table, ANY_PORT) as peer, HttpClient(random.Random(1)) as http:
        yield adder, peer, http


@asynccontextmanager
async def scripted(answer):
    """A server on a bare socket: `answer(reader, writer)` is what it does with a connection."""

    async def connected(reader, writer):
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield Address(*server.sockets[0].getsockname())


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return head, await reader.readexactly(length)


def http_answer(body, status="200 OK", extra=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


async def post(peer, body, **headers):
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{peer}/{ADD.path}", data=body, headers=headers) as response,
    ):
        return response.status, await response.read()


def test_an_answer_and_a_refusal_are_values():
    async def talk():
        async with adder_and_client() as (_, peer, http):
            assert await http.ask(peer, ADD, Add(2)) == Sum(2)
            assert await http.ask(peer, ADD, Add(3)) == Sum(5)
            assert await http.ask(peer, ADD, Add(-1)) == Refused(Reason.NO_SPACE, "it only grows")
            assert await http.tell(peer, ADD, Add(1)) == Sum(6)
            assert await http.tell(peer, ADD, Add(-1)) is None
            refused = b'{"reason":"no_space","detail":"it only grows","state":null}'
            assert await post(peer, b'{"amount": -1}') == (507, refused)

    asyncio.run(talk())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.6.6.6"])
def test_an_answer_may_depend_on_the_host_that_asks(host):
    async def answer(request, asker):
        return Sum(total=request.amount, note=asker.host)

    async def story():
        table = HandlerTable("test")
        table.verb_by_asker(ADD, answer)
        async with serve(table, ANY_PORT) as address, HttpClient(random.Random(1), host) as client:
            assert await client.ask(address, ADD, Add(amount=1)) == Sum(total=1, note=host)

    asyncio.run(story())


def test_connections_are_kept():
    async def talk():
        connections = []

        async def keep_open(reader, writer):
            connections.append(writer)
            while not reader.at_eof():
                await read_request(reader)
                writer.write(http_answer(b'{"total": 1}'))

        async with scripted(keep_open) as peer, HttpClient(random.Random(1)) as http:
            for _ in range(5):
                assert await http.ask(peer, ADD, Add(1)) == Sum(1)
            assert len(connections) == 1
            # The server ends the connection between two messages: the client notices, and opens another.
            connections[0].close()
            assert await http.ask(peer, ADD, Add(1)) == Sum(1)
            assert len(connections) == 2

    asyncio.run(talk())


def test_the_same_key_is_done_once():
    async def talk():
        async with adder_and_client() as (adder, peer, _):
            for _ in range(3):
                assert await post(peer, b'{"amount": 4}', **{IDEMPOTENCY_KEY: "k"}) == (200, b'{"total":4}')
            assert adder.total == 4
            await post(peer, b'{"amount": 4}', **{IDEMPOTENCY_KEY: "another"})
            await post(peer, b'{"amount": 4}')
            await post(peer, b'{"amount": 4}')
            assert adder.total == 16

    asyncio.run(talk())


def test_the_same_key_at_once_is_done_once():
    async def talk():
        async with adder_and_client() as (adder, peer, _):
            adder.may_end.clear()
            twice = [asyncio.create_task(post(peer, b'{"amount": 4}', **{IDEMPOTENCY_KEY: "k"})) for _ in range(2)]
            await adder.begun.wait()
            adder.may_end.set()
            assert await asyncio.gather(*twice) == [(200, b'{"total":4}')] * 2
            assert adder.total == 4

    asyncio.run(talk())


def test_what_the_first_caller_gave_up_is_done_once_for_its_repetition():
    async def talk():
        async with adder_and_client() as (adder, peer, _):
            adder.may_end.clear()
            status, body = await post(peer, b'{"amount": 4}', **{IDEMPOTENCY_KEY: "k", "Deadline-Ms": "40"})
            assert (status, json.loads(body)["reason"]) == (503, "overdue")
            impatient = asyncio.create_task(post(peer, b'{"amount": 4}', **{IDEMPOTENCY_KEY: "k"}))
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.gather(impatient, return_exceptions=True)
            adder.may_end.set()
            assert await post(peer, b'{"amount": 4}', **{IDEMPOTENCY_KEY: "k"}) == (200, b'{"total":4}')
            assert adder.total == 4

    asyncio.run(talk())


def test_a_lost_answer_is_asked_for_again_under_the_same_key():
    async def talk():
        requests = []

        async def drop_the_first(reader, writer):
            requests.append(await read_request(reader))
            if len(requests) > 1:
                writer.write(http_answer(b'{"total": 9}'))
                await writer.drain()

        async with scripted(drop_the_first) as peer, HttpClient(random.Random(1)) as http:
            assert await http.ask(peer, ADD, Add(9)) == Sum(9)

        def key(request):
            return next(line for line in request[0].split(b"\r\n") if line.startswith(IDEMPOTENCY_KEY.encode()))

        assert len(requests) == 2
        assert key(requests[0]) == key(requests[1])
        assert requests[0][1] == requests[1][1] == b'{"amount":9}'

    asyncio.run(talk())


@pytest.mark.parametrize("deadline", ["0", "1", "30"])
def test_a_deadline_that_passes_is_a_refusal(deadline):
    async def talk():
        async with adder_and_client() as (adder, peer, _):
            adder.may_end.clear()
            status, body = await post(peer, b'{"amount": 1}', **{"Deadline-Ms": deadline})
            assert (status, json.loads(body)["reason"]) == (503, "overdue")
            assert ADD.path in json.loads(body)["detail"]

    asyncio.run(talk())


@pytest.mark.parametrize("deadline", ["", "soon", "-1", "1e3", "9" * 400, "٣"])
def test_an_odd_deadline_is_the_longest(deadline):
    async def talk():
        async with adder_and_client() as (_, peer, _):
            assert (await post(peer, b'{"amount": 1}', **{"Deadline-Ms": deadline}))[0] == 200

    asyncio.run(talk())


def test_a_party_further_on_that_is_lost_is_a_refusal():
    async def talk():
        async def pass_on(_):
            raise Unreachable(Address("127.9.9.9", 9), "test/add", "connection refused", received=False)

        table = HandlerTable("Between")
        table.verb(ADD, pass_on)
        async with serve(table, ANY_PORT) as peer, HttpClient(random.Random(1)) as http:
            answer = await http.ask(peer, ADD, Add(1))
        assert answer.reason is Reason.OVERDUE
        assert "127.9.9.9:9" in answer.detail

    asyncio.run(talk())


def test_a_refused_connection_has_certainly_not_received(free_port):
    async def talk():
        nobody = Address("127.0.0.1", free_port())
        async with HttpClient(random.Random(1)) as http:
            with pytest.raises(Unreachable) as caught:
                await http.ask(nobody, ADD, Add(1), deadline_s=0.15)
            assert await http.tell(nobody, ADD, Add(1), deadline_s=0.05) is None
            assert (caught.value.peer, caught.value.received) == (nobody, False)
            assert str(caught.value) == f"{nobody} did not answer 'test/add': connection refused"
            with pytest.raises(Unreachable) as caught:
                async with http.read(nobody, "/segments/film/0.ts"):
                    pass
            assert caught.value.received is False

    asyncio.run(talk())


async def hang(reader, writer):
    await reader.read()


async def hang_up(reader, writer):
    await read_request(reader)


async def break_off(reader, writer):
    await read_request(reader)
    writer.write(http_answer(b'{"total": 1}')[:-3])


async def babble(reader, writer):
    await read_request(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


@pytest.mark.parametrize("answer", [hang, hang_up, break_off, babble])
def test_a_peer_that_breaks_may_have_received(answer):
    async def talk():
        async with scripted(answer) as peer, HttpClient(random.Random(1)) as http:
            with pytest.raises(Unreachable) as caught:
                await http.ask(peer, ADD, Add(1), deadline_s=0.15)
            assert caught.value.received is True

    asyncio.run(talk())


def test_once_perhaps_received_stays_perhaps_received():
    async def talk():
        async with HttpClient(random.Random(1)) as http:
            async with scripted(hang_up) as peer:
                asking = asyncio.create_task(http.ask(peer, ADD, Add(1), deadline_s=0.3))
                await asyncio.sleep(0.05)
            # The server is gone: from now on connections are refused.
            with pytest.raises(Unreachable) as caught:
                await asking
            assert (caught.value.cause, caught.value.received) == ("connection refused", True)

    asyncio.run(talk())


DEEP = b'{"amount": 1, "more": ' + b"[" * 100_000


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b""),
        http_answer(b"<html>"),
        http_answer(b'{"total": "many"}'),
        http_answer(b'{"total": 1, "note": "\xff"}'),
        http_answer(b'{"sum": 1}'),
        http_answer(DEEP.replace(b"amount", b"total")),
        http_answer(b'{"reason": 7}', "409 Conflict"),
        http_answer(b"\xff" * 300, "500 Internal Server Error"),
        http_answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"),
        http_answer(b'{"total": 1}', "201 Created"),
    ],
)
def test_an_answer_in_another_language(answer):
    async def talk():
        async def say(reader, writer):
            await read_request(reader)
            writer.write(answer)
            await writer.drain()

        async with scripted(say) as peer, HttpClient(random.Random(1)) as http:
            with pytest.raises(Unintelligible) as caught:
                await http.ask(peer, ADD, Add(1))
            assert len(str(caught.value)) < 600
            assert await http.tell(peer, ADD, Add(1)) is None

    asyncio.run(talk())


@pytest.mark.parametrize("status", ["400 Bad Request", "409 Conflict", "418 I'm a Teapot", "503 Service Unavailable"])
def test_a_refusal_is_understood_under_whatever_status_it_comes(status):
    async def talk():
        async def say(reader, writer):
            await read_request(reader)
            writer.write(http_answer(b'{"reason": "busy"}', status))
            await writer.drain()

        async with scripted(say) as peer, HttpClient(random.Random(1)) as http:
            assert await http.ask(peer, ADD, Add(1)) == Refused(Reason.BUSY)

    asyncio.run(talk())


def test_a_refusal_for_a_reason_that_is_not_known_is_a_refusal():
    async def talk():
        async def say(reader, writer):
            await read_request(reader)
            writer.write(http_answer(b'{"reason": "bad mood", "detail": "not today"}', "409 Conflict"))
            await writer.drain()

        async with scripted(say) as peer, HttpClient(random.Random(1)) as http:
            assert await http.ask(peer, ADD, Add(1)) == Refused(Reason.UNKNOWN, "not today")

    asyncio.run(talk())


def test_an_endless_answer_is_cut_off():
    async def talk():
        async def say(reader, writer):
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
            blanks = b" " * (1 << 20)
            while not writer.transport.is_closing():
                writer.write(blanks)
                await writer.drain()

        async with scripted(say) as peer, HttpClient(random.Random(1)) as http:
            with pytest.raises(Unintelligible):
                await http.ask(peer, ADD, Add(1), deadline_s=30)

    asyncio.run(talk())


def test_a_request_weighs_what_its_verb_says_and_no_more():
    async def talk():
        async with adder_and_client() as (adder, peer, http):
            whole = b'{"amount": 1}'.ljust(ADD.request_bytes_max)
            assert await post(peer, whole) == (200, b'{"total":1}')
            status, answer = await post(peer, whole + b" ", **{IDEMPOTENCY_KEY: "k"})
            assert status == 413
            assert msgspec.json.decode(answer, type=Refused).reason is Reason.TOO_LARGE
            assert await http.ask(peer, ADD, Add(1, "x" * ADD.request_bytes_max)) == Refused(
                Reason.TOO_LARGE, "test/add takes at most 200000 bytes"
            )
            assert adder.total == 1

    asyncio.run(talk())


def test_an_answer_weighs_what_its_verb_says_and_no_more():
    async def talk():
        async def say(reader, writer):
            for answer in (b'{"total": 1}', b'{"total": 1} '):
                await read_request(reader)
                writer.write(http_answer(answer.ljust(ADD.reply_bytes_max + answer.endswith(b" "))))
                await writer.drain()

        async with scripted(say) as peer, HttpClient(random.Random(1)) as http:
            assert await http.ask(peer, ADD, Add(1)) == Sum(1)
            with pytest.raises(Unintelligible, match="more than 200000 bytes"):
                await http.ask(peer, ADD, Add(1))

    asyncio.run(talk())


def test_who_says_what_is_noted_for_whoever_looks_for_a_defect(caplog):
    async def talk():
        async with adder_and_client() as (_, peer, http):
            await http.ask(peer, ADD, Add(1))

    with caplog.at_level(logging.DEBUG, "media_network"):
        asyncio.run(talk())
    assert "127.0.0.1 says test/add, which is for: anybody" in caplog.messages


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"amount=1", b"\xff\xfe", b"null", b"[]", b'{"amount": "1"}', b'{"amount": 1e999}', b"{}",
     b'{"amount": 1, "note": "\xff"}', b'{"amount": 1, "note": "\\ud800"}', DEEP, b"\x00" * 1000, b"[" * 100_000],
)  # fmt: skip
def test_a_body_that_is_not_the_message_is_a_bad_message(body, caplog):
    async def talk():
        async with adder_and_client() as (_, peer, _):
            status, answer = await post(peer, body, **{IDEMPOTENCY_KEY: "k"})
            assert status == 400
            assert msgspec.json.decode(answer, type=Refused).reason is Reason.BAD_MESSAGE
            assert len(answer) < 500
            # Nothing was done under that key.
            assert await post(peer, b'{"amount": 1}', **{IDEMPOTENCY_KEY: "k"}) == (200, b'{"total":1}')

    with caplog.at_level(logging.WARNING):
        asyncio.run(talk())
    assert not caplog.records


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /test/add HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\n\r\n" + b" " * 67108865, b"413"),
        (b"POST /test/add HTTP/1.1\r\nHost: x\r\nContent-Length: 200001\r\n\r\n", b"413"),
        (b"POST /test/add HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n" + b" " * 0x40000, b"413"),
        (b"POST /test/add HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST /test/subtract HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"GET /test/add HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"POST /test/add HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"400"),
        (b"POST /test/add HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"\xa0\x20\x18\xc8\x81\x00\x01\x7e\xa5\r\n\r\n", b"400"),
    ],
)
def test_hostile_http_is_an_http_error_without_a_traceback(request_bytes, status, caplog):
    async def talk():
        async with adder_and_client() as (_, peer, http):
            reader, writer = await asyncio.open_connection(*peer)
            writer.write(request_bytes)
            answer = await reader.read(2000)
            writer.close()
            assert answer.split(b" ")[1] == status
            assert b"Traceback" not in answer
            assert await http.ask(peer, ADD, Add(1)) == Sum(1)

    asyncio.run(talk())
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_defect_in_a_handler_shows_the_peer_no_inside(caplog):
    async def talk():
        async def stumble(_):
            raise ZeroDivisionError("secret")

        table = HandlerTable("Defect")
        table.verb(ADD, stumble)
        async with serve(table, ANY_PORT) as peer:
            status, body = await post(peer, b'{"amount": 1}')
            assert status == 500
            assert b"secret" not in body
            assert b"Traceback" not in body

    asyncio.run(talk())
    assert any(record.exc_info for record in caplog.records)


def test_what_is_unfinished_ends_with_the_server():
    async def talk():
        async with adder_and_client() as (adder, peer, _):
            adder.may_end.clear()
            await post(peer, b'{"amount": 1}', **{IDEMPOTENCY_KEY: "k", "Deadline-Ms": "10"})
        assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("answer")] == []
        adder.may_end.set()
        await asyncio.sleep(0)
        assert adder.total == 0

    asyncio.run(talk())


def test_openapi_is_served_from_the_table():
    async def talk():
        async with adder_and_client() as (_, peer, http), http.read(peer, "/openapi.json") as response:
            assert response.status == 200
            description = await response.json()
        assert description["info"]["title"] == "Adder"
        assert set(description["paths"]) == {"/test/add"}
        assert description["components"]["schemas"]["Sum"]["properties"]["total"] == {"type": "integer"}

    asyncio.run(talk())


def test_resources_are_read_from_a_byte_on_and_redirects_are_not_followed():
    async def talk():
        async def ranged(http):
            first = http.http_range.start or 0
            return web.Response(body=b"0123456789"[first:], status=206 if first else 200)

        async def elsewhere(_):
            raise web.HTTPFound("/ranged")

        table = HandlerTable("Resources")
        table.resource("/ranged", ranged)
        table.resource("/elsewhere", elsewhere, "Somewhere else.")
        async with serve(table, ANY_PORT) as peer, HttpClient(random.Random(1)) as http:
            async with http.read(peer, "/ranged") as response:
                assert (response.status, await response.read()) == (200, b"0123456789")
            async with http.read(peer, "/ranged", first_byte=7) as response:
                assert (response.status, await response.read()) == (206, b"789")
            async with http.read(peer, "/elsewhere") as response:
                assert (response.status, response.headers["Location"]) == (302, "/ranged")
            async with http.read(peer, "/openapi.json") as response:
                paths = (await response.json())["paths"]
            assert set(paths) == {"/ranged", "/elsewhere"}
            assert paths["/elsewhere"]["get"]["summary"] == "Somewhere else."

    asyncio.run(talk())


@pytest.mark.parametrize("ending", ["broken", "silent"])
def test_a_resource_that_breaks_while_it_is_read_is_unreachable(ending):
    async def talk():
        async def half(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(http_answer(b"0123456789")[:-5])
            await writer.drain()
            if ending == "silent":
                await reader.read()

        async with scripted(half) as peer, HttpClient(random.Random(1)) as http:
            received = bytearray()

            async def read():
                async with http.read(peer, "/segments/film/0.ts", sock_read_s=0.1) as response:
                    async for chunk in response.content.iter_any():
                        received.extend(chunk)

            with pytest.raises(Unreachable) as caught:
                await read()
            assert received == b"01234"
            assert caught.value.verb == "/segments/film/0.ts"

    asyncio.run(talk())


def test_a_second_server_at_an_address_says_so():
    async def talk():
        async with serve(HandlerTable("First"), ANY_PORT) as address:
            with pytest.raises(OSError, match=r"Address already in use: .127.0.0.1:"):
                async with serve(HandlerTable("Second"), address):
                    pass

    asyncio.run(talk())


def test_the_client_speaks_from_its_own_address():
    async def talk():
        seen = []

        async def note(reader, writer):
            seen.append(writer.get_extra_info("peername")[0])
            await read_request(reader)
            writer.write(http_answer(b"{}"))
            await writer.drain()

        verb = Verb("test/done", Add, Done, "Do.", callers=(Caller.ANYBODY,))
        async with scripted(note) as peer, HttpClient(random.Random(1), local_host="127.7.7.7") as http:
            assert await http.ask(peer, verb, Add(1)) == Done()
        assert seen == ["127.7.7.7"]

    asyncio.run(talk())


def test_a_client_speaks_inside_its_context():
    async def talk():
        async with adder_and_client() as (adder, peer, http):
            early = HttpClient(random.Random(1))
            with pytest.raises(RuntimeError, match="before its 'async with'"):
                await early.ask(peer, ADD, Add(1))
            await http.__aexit__(None, None, None)
            begun = asyncio.get_running_loop().time()
            with pytest.raises(Unreachable, match="who asks has left"):
                await http.ask(peer, ADD, Add(1), deadline_s=60.0)
            with pytest.raises(Unreachable, match="who asks has left"):
                async with http.read(peer, "/"):
                    pass
            assert asyncio.get_running_loop().time() - begun < 30.0
            assert adder.total == 0

    asyncio.run(talk())


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_cut_off_leaves_no_traceback(caplog, chunked):
    head = b"Transfer-Encoding: chunked\r\n\r\n40\r\n{" if chunked else b"Content-Length: 64\r\n\r\n{"

    async def talk():
        async with adder_and_client() as (adder, peer, http):
            for _ in range(3):
                _, writer = await asyncio.open_connection(*peer)
                writer.write(b"POST /test/add HTTP/1.1\r\nHost: a\r\n" + head)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
            assert await http.ask(peer, ADD, Add(1)) == Sum(1)
            assert adder.total == 1

    with caplog.at_level(logging.INFO):
        asyncio.run(talk())
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("begun", [True, False])
def test_an_answer_whose_reader_has_left_leaves_no_traceback(caplog, begun):
    """As when a process stood still while its readers lost patience."""
    left = asyncio.Event()

    async def answer(request):
        response = web.StreamResponse()
        if begun:
            await response.prepare(request)
        await left.wait()
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))

    async def talk():
        table = HandlerTable("big")
        table.resource("/big", answer)
        async with serve(table, ANY_PORT) as peer:
            _, writer = await asyncio.open_connection(*peer)
            writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.transport.abort()
            await asyncio.sleep(0.1)
            left.set()
            # Nobody tells when the answer is over, but who asks next comes after it.
            _, writer = await asyncio.open_connection(*peer)
            writer.write(b"GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await _.read()
            writer.close()

    with caplog.at_level(logging.INFO):
        asyncio.run(talk())
    assert [record for record in caplog.records if record.exc_info] == []


def test_an_answer_that_must_not_be_taken_for_the_whole_is_cut_off_without_a_traceback(caplog):
    async def answer(request):
        response = web.StreamResponse()
        response.content_length = 10
        await response.prepare(request)
        await response.write(b"half")
        raise ConnectionResetError("the disk has failed")

    async def talk():
        table = HandlerTable("half")
        table.resource("/half", answer)
        async with serve(table, ANY_PORT) as peer, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                async with session.get(f"http://{peer}/half") as response:
                    await response.read()

    with caplog.at_level(logging.INFO):
        asyncio.run(talk())
    assert [record for record in caplog.records if record.exc_info] == []


def test_who_is_slow_to_send_a_message_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(endpoint, "BODY_WITHIN_S", 0.2)

    async def talk():
        async with adder_and_client() as (adder, peer, _):
            reader, writer = await asyncio.open_connection(*peer)
            writer.write(b"POST /test/add HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert adder.total == 0
            writer.close()

    asyncio.run(talk())


def test_what_is_too_large_need_not_be_sent():
    async def talk():
        async with adder_and_client() as (adder, peer, _):
            for length, status in ((10**9, b"413"), (13, b"100")):
                reader, writer = await asyncio.open_connection(*peer)
                head = f"POST /test/add HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
                writer.write(head.encode())
                assert (await reader.readline()).split()[1] == status
                writer.close()
            assert adder.total == 0

    asyncio.run(talk())
