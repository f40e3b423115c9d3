"""What those who read server-sent events are told, and how they are let go."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp

from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.pages.events import Readers, ServerSentEvent
from tests.patience import PATIENCE_S, until

HERE = Address("127.0.0.1", 0)
MOST = 2
QUIET = "event: quiet\ndata: null\n\n"


class Source:
    """Gives what is put into it, to one reader."""

    def __init__(self):
        self.events = asyncio.Queue()
        self.asked = 0
        self.closed = 0

    async def news(self):
        try:
            while True:
                self.asked += 1
                yield [await self.events.get()]
        finally:
            self.closed += 1


@asynccontextmanager
async def reading():
    """Readers of a source, and a client to read with."""
    readers, source = Readers(MOST), Source()

    async def changes(http):
        return await readers.tell(http, source.news())

    table = HandlerTable("events")
    table.resource("/changes", changes)
    async with asyncio.timeout(PATIENCE_S), serve(table, HERE) as address:
        async with aiohttp.ClientSession(f"http://{address}") as client:
            yield readers, source, client
        readers.close()


async def next_of(answer):
    return (await answer.content.readuntil(b"\n\n")).decode()


async def next_news(answer):
    while (event := await next_of(answer)) == QUIET:
        pass
    return event


def test_what_comes_is_told_and_quiet_is_told_too():
    async def read():
        async with reading() as (_, source, client), client.get("/changes") as answer:
            assert answer.content_type == "text/event-stream"
            assert answer.headers["Cache-Control"] == "no-store"
            source.events.put_nowait(ServerSentEvent("picture", b"[1]"))
            assert await next_news(answer) == "event: picture\ndata: [1]\n\n"
            assert await next_of(answer) == QUIET
            source.events.put_nowait(ServerSentEvent("patch", b"[2]"))
            assert await next_news(answer) == "event: patch\ndata: [2]\n\n"
            await until(lambda: source.asked == 3, why=lambda: "a quiet moment loses nothing and asks for nothing")

    asyncio.run(read())


def test_all_are_let_go_in_good_order():
    async def read():
        async with reading() as (readers, source, client), client.get("/changes") as answer:
            source.events.put_nowait(ServerSentEvent("picture", b"[1]"))
            await next_news(answer)
            readers.close()
            assert (await answer.content.read()).replace(QUIET.encode(), b"") == b""
            await until(lambda: source.closed == 1)

    asyncio.run(read())


def test_who_leaves_makes_room():
    async def read():
        async with reading() as (readers, source, client):
            first = await client.get("/changes")
            assert not readers.full
            second = await client.get("/changes")
            assert readers.full
            first.close()
            second.close()
            await until(lambda: not readers.full)
            await until(lambda: source.closed == MOST)

    asyncio.run(read())


def test_nothing_but_get_is_answered():
    async def ask():
        async with reading() as (_, source, client), client.head("/changes") as answer:
            assert answer.status == 405
            assert source.asked == 0

    asyncio.run(ask())
