"""Segments that are open and in memory are sent at once: the same answers, counted alike, however slow the reader."""

import asyncio
import os
import random
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blade_agent.main_board.engine.director_link import DirectorLink, EngineDuty
from blade_agent.main_board.engine.doors import segment_resource
from blade_agent.main_board.engine.doors.segment_resource import SegmentResource
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store import kept_open
from blade_agent.main_board.engine.store.arriving import Arrivals
from blade_agent.main_board.engine.store.kept_open import is_in_memory
from blade_agent.main_board.engine.store.layout import SegmentKey
from blade_agent.main_board.engine.store.store import SegmentStore, nobody_knows
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http import connection
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.segment_url import HELD_SEGMENT_PATH, segment_target
from media_network.ticket import COPY_HOLDER
from tests.blade_agent.main_board.engine.station import CUT, KEY, PROGRAM, make_segments, path_of, put
from tests.patience import until

ANY_PORT = Address("127.0.0.1", 0)
(SMALL,) = make_segments(1, packets=2000)
(LARGE,) = make_segments(1, packets=70_000, seed=2)
"""More than the buffers of two sockets take."""
VIEWER, COPY = KEY.sign("a" * 24, PROGRAM), KEY.sign(f"{COPY_HOLDER}1", PROGRAM)


class Door:
    """An engine's door for segments, and who asks there."""

    def __init__(self, store, resource, counters, address):
        self.store, self.resource, self.counters, self.address = store, resource, counters, address
        self.segments = []

    async def connect(self):
        return await asyncio.open_connection(*self.address, limit=2**20)

    @staticmethod
    def request(number, ticket=VIEWER, **fields):
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        return f"GET {segment_target(CUT, number, ticket)} HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode()


@asynccontextmanager
async def door(folder):
    """One that holds two segments, of which nobody has read any."""
    store, counters = await SegmentStore.open(DiskFiles(), [folder]), EngineCounters()
    duty = EngineDuty(slot=2, address=ANY_PORT, media=ANY_PORT, director=ANY_PORT, epoch=1, capacity_bps=10**9)
    async with HttpClient(random.Random(1)) as http:
        director = DirectorLink(duty, "boot", http, store)
        director.take_ticket_key(KEY)
        resource = SegmentResource(store, Arrivals(), director, counters, nobody_knows)
        table = HandlerTable("door")
        table.resource(HELD_SEGMENT_PATH, resource.get, from_anywhere=True)
        table.at_once = resource.get_at_once
        async with serve(table, ANY_PORT) as address:
            opened = Door(store, resource, counters, address)
            opened.segments = [await put(store, CUT, number, data) for number, data in enumerate((SMALL, LARGE))]
            yield opened
    store.close()


async def answer_of(reader):
    """Status, header fields and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in head[1:-2])
    body = await reader.readexactly(int(fields.get("Content-Length", 0)))
    return int(head[0].split()[1]), fields, body


async def asked(there, number, ticket=VIEWER, **fields):
    reader, writer = await there.connect()
    writer.write(there.request(number, ticket, **fields))
    try:
        return await answer_of(reader)
    finally:
        writer.close()


def was_at_once(fields):
    return "Server" not in fields


@pytest.mark.parametrize("asks", [{}, {"Range": "bytes=188-"}, {"Range": "bytes=-10"}, {"Range": "nonsense"}])
def test_the_answer_is_the_same(tmp_path, asks):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            status, fields, body = await asked(there, 0, **asks)
            assert was_at_once(fields)
            ordinary_status, ordinary_fields, ordinary_body = await asked(there, 0, Connection="close", **asks)
            assert not was_at_once(ordinary_fields)
            assert (status, body) == (ordinary_status, ordinary_body)
            own = {"Server", "Date", "Connection"}
            assert fields.items() - {("Date", fields["Date"])} == {
                (name, value) for name, value in ordinary_fields.items() if name not in own
            }

    asyncio.run(story())


def test_it_is_counted_alike(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            for _ in range(3):
                await asked(there, 0)
            assert there.counters.pull_requests == 3
            assert there.counters.pull_bytes == 3 * len(SMALL)
            (channel,) = there.store.channels
            assert channel.counters.read_bytes == 3 * len(SMALL)
            assert (there.resource.under_way, +there.resource.reading) == (0, {})

    asyncio.run(story())


@pytest.mark.parametrize(
    ("ticket", "fields", "status"),
    [
        (VIEWER, {"If_None_Match": '"x"'}, 200),
        (VIEWER, {"If_Range": '"x"', "Range": "bytes=0-1"}, 200),
        (VIEWER, {"Range": "bytes=99999999999-"}, 416),
        (COPY, {}, 200),
        ("", {}, 403),
        (KEY.sign("a" * 24, "another"), {}, 403),
    ],
)
def test_what_needs_more_thought_is_answered_in_the_ordinary_way(tmp_path, ticket, fields, status):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            found, answered, _ = await asked(there, 0, ticket, **fields)
            assert (found, was_at_once(answered)) == (status, False)

    asyncio.run(story())


def test_a_slow_reader_gets_all_of_it_and_what_he_asks_for_next(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 1)
            reader, writer = await there.connect()
            transport = writer.transport
            for _ in range(3):
                transport.pause_reading()
                writer.write(there.request(1))
                await until(lambda: there.resource.under_way == 1)
                writer.write(there.request(0))
                transport.resume_reading()
                status, fields, body = await answer_of(reader)
                assert (status, body == LARGE) == (200, True)
                assert was_at_once(fields)
                status, _, body = await answer_of(reader)
                assert (status, body == SMALL) == (200, True)
            writer.close()
            assert there.resource.under_way == 0

    asyncio.run(story())


@pytest.fixture
def transports(monkeypatch):
    """Of all connections that are made, at the side of the server."""
    made, connection_made = [], connection.Connection.connection_made

    def noting(self, transport):
        made.append(transport)
        connection_made(self, transport)

    monkeypatch.setattr(connection.Connection, "connection_made", noting)
    return made


def test_no_later_answer_waits_where_one_found_no_room(tmp_path, transports, monkeypatch):
    def finds_none(*_):
        raise BlockingIOError

    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            reader, writer = await there.connect()
            with monkeypatch.context() as patched:
                patched.setattr(connection, "_send_some", finds_none)
                writer.write(there.request(0))
                assert (await answer_of(reader))[2] == SMALL
            corked = transports[-1].get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK)
            assert not corked
            writer.write(there.request(0))
            assert (await answer_of(reader))[2] == SMALL
            writer.close()

    asyncio.run(story())


def test_who_leaves_before_the_rest_is_begun_leaves_nothing_behind(tmp_path, transports, monkeypatch):
    def leaves(*_):
        transports[-1].abort()
        raise BlockingIOError

    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            monkeypatch.setattr(connection, "_send_some", leaves)
            reader, writer = await there.connect()
            writer.write(there.request(0))
            await reader.read()
            await until(lambda: there.resource.under_way == 0)
            assert +there.resource.reading == {}
            writer.close()

    asyncio.run(story())


def test_who_leaves_in_the_middle_leaves_nothing_behind(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 1)
            for _ in range(20):
                reader, writer = await there.connect()
                writer.transport.pause_reading()
                writer.write(there.request(1))
                await until(lambda: there.resource.under_way == 1)
                writer.transport.abort()
                del reader
                await until(lambda: there.resource.under_way == 0)
            assert +there.resource.reading == {}
            assert (await asked(there, 1))[2] == LARGE

    asyncio.run(story())


def test_a_server_that_ends_in_the_middle_leaves_nothing_behind(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 1)
            reader, writer = await there.connect()
            writer.transport.pause_reading()
            writer.write(there.request(1))
            await until(lambda: there.resource.under_way == 1)
        await until(lambda: there.resource.under_way == 0)
        assert open_files(tmp_path) == 0
        writer.transport.abort()
        del reader

    asyncio.run(story())


def test_what_is_let_go_is_given_to_nobody_and_takes_no_room(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            for _ in range(3):
                await asked(there, 0)
                assert open_files(tmp_path) == 1
            await there.store.let_go(CUT, [0])
            assert open_files(tmp_path) == 0
            assert (await asked(there, 0))[0] == 404

    asyncio.run(story())


def test_a_file_that_has_become_shorter_is_lost_and_not_given(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            os.truncate(path_of(tmp_path, there.segments[0]), 188)
            assert (await asked(there, 0))[0] == 404
            assert not there.store.holds(CUT, there.segments[0])

    asyncio.run(story())


def test_a_file_that_becomes_shorter_while_it_is_sent_breaks_the_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_resource, "is_in_memory", lambda *_: True)

    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            os.truncate(path_of(tmp_path, there.segments[0]), 188)
            with pytest.raises(asyncio.IncompleteReadError):
                await asked(there, 0)
            assert not there.store.holds(CUT, there.segments[0])
            assert there.resource.under_way == 0

    asyncio.run(story())


def test_so_many_files_stay_open_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_open, "KEPT_MAX", 1)

    async def story():
        async with door(tmp_path) as there:
            for number in (0, 1, 0, 1, 1):
                assert (await asked(there, number))[2] == (SMALL, LARGE)[number]
                assert open_files(tmp_path) == 1
            there.store.kept_open.close()
            assert open_files(tmp_path) == 0

    asyncio.run(story())


def test_one_that_is_read_stays_open_when_it_is_dropped(tmp_path):
    async def story():
        async with door(tmp_path) as there:
            await asked(there, 0)
            kept = there.store.kept_open.find(SegmentKey(CUT, 0))
            with kept:
                there.store.kept_open.drop(SegmentKey(CUT, 0))
                assert os.pread(kept.descriptor, 188, 0) == SMALL[:188]
            assert kept.file.closed

    asyncio.run(story())


def test_what_is_not_in_memory_is_not(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(1_000_000))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.pread(descriptor, 1_000_000, 0)
        assert is_in_memory(descriptor, 0, 1_000_000)
        assert not is_in_memory(descriptor, 0, 1_000_001)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        assert not is_in_memory(descriptor, 0, 1_000_000)
    finally:
        os.close(descriptor)


def open_files(folder):
    """How many files below a folder this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(os.path.realpath(link).startswith(f"{folder.resolve()}/") for link in links)
