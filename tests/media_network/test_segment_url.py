"""A segment's URL is read as it was built, by the server that all parties share."""

import asyncio
import random
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from media_network.address import Address
from media_network.cut import Cut
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.segment_set import SEGMENTS_PER_PROGRAM_MAX
from media_network.segment_url import HELD_SEGMENT_PATH, AskedSegment, asked_segment, segment_target, segment_url

ANY_PORT = Address("127.0.0.1", 0)
FILM = Cut("film", "ab" * 32)


async def ask(*targets):
    """What a server takes these for; None where nothing is served."""
    asked = []

    async def note(request):
        asked.append(asked_segment(request.match_info, request.query))
        return web.Response()

    table = HandlerTable("Segments")
    table.resource(HELD_SEGMENT_PATH, note)
    async with serve(table, ANY_PORT) as peer, HttpClient(random.Random(1)) as http:
        for target in targets:
            async with http.read(peer, target) as response:
                if response.status == 404:
                    asked.append(None)
    return asked


def test_a_url_is_read_as_it_was_built():
    segments = [
        AskedSegment(FILM, 0, "copy-0.0123456789abcdef"),
        AskedSegment(Cut("a-film-of-2026", "0" * 64), SEGMENTS_PER_PROGRAM_MAX - 1, "a&b=c#d/e?f g\u00e9%41"),
        AskedSegment(FILM, 7, ""),
    ]
    assert asyncio.run(ask(*(segment_target(*each) for each in segments))) == segments


def test_a_url_is_its_target_at_whoever_holds_it():
    url = segment_url(Address("127.1.2.3", 8080), FILM, 7, "s.1")
    assert url == f"http://127.1.2.3:8080/segments/film/{FILM.table}/7.ts?ticket=s.1"
    assert urlsplit(url).netloc == "127.1.2.3:8080"
    assert url.endswith(segment_target(FILM, 7, "s.1"))


@pytest.mark.parametrize("number", ["00", "07", "-1", "x", "", str(SEGMENTS_PER_PROGRAM_MAX), "%D9%A3", "%2e%2e%2f1"])
def test_what_is_no_number_is_not_served(number):
    assert asyncio.run(ask(f"/segments/film/{FILM.table}/{number}.ts?ticket=s.1")) == [None]


def test_without_a_ticket_there_is_an_empty_one():
    assert asyncio.run(ask(f"/segments/film/{FILM.table}/7.ts")) == [AskedSegment(FILM, 7, "")]


@pytest.mark.parametrize("table", ["ab" * 31, "ab" * 33, "AB" * 32, "xy" * 32, "..", ""])
def test_what_is_no_table_is_not_served(table):
    assert asyncio.run(ask(f"/segments/film/{table}/7.ts?ticket=s.1")) == [None]
