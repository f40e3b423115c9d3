"""Who gets an answer of a page's server, and what every answer bears."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest
from aiohttp import web

from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.pages.guard import PageGuard
from media_network.pages.headers import HEADERS

HERE = Address("127.0.0.1", 0)
NAMES = {"127.0.0.1", "pages.example", "::1"}


@asynccontextmanager
async def guarded(*, proxied=False):
    """A page, a picture behind it, and something that is not found."""
    guard = PageGuard(
        NAMES.__contains__,
        token="5eed",
        misnamed=partial(web.HTTPMisdirectedRequest, text="another host"),
        foreign=partial(web.HTTPForbidden, text="another page"),
        proxied=proxied,
    )

    async def answer(http):
        return web.Response(text=str(guard.is_token(http.headers.get("Token", ""))))

    table = HandlerTable("guarded", guards=[guard.check])
    table.resource("/", answer)
    table.resource("/picture", answer)
    async with serve(table, HERE) as address, aiohttp.ClientSession(f"http://{address}") as client:
        yield client, address


def statuses(headers_of_each, *, path="/picture", proxied=False):
    async def ask():
        found = []
        async with guarded(proxied=proxied) as (client, _):
            for headers in headers_of_each:
                async with client.get(path, headers=headers) as answer:
                    assert HEADERS.items() <= dict(answer.headers).items()
                    found.append(answer.status)
        return found

    return asyncio.run(ask())


def test_its_own_names_are_answered_with_any_port_in_any_case():
    hosts = ("pages.example", "Pages.Example:8070", "127.0.0.1:1", "[::1]:80")
    assert statuses([{"Host": host} for host in hosts]) == [200] * 4


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "pages.example.evil.example", "a@pages.example", "pages.example/x", "[::1", "::1", "é"],
)
def test_another_host_is_not_answered(host):
    assert statuses([{"Host": host}]) == [421]


def test_a_missing_page_is_kept_to_itself_as_well():
    assert statuses([{}], path="/no-such-thing") == [404]


def test_only_its_own_origin_is_answered():
    def from_origin(origin):
        return {"Host": "pages.example:80", "Origin": origin}

    origins = ("http://pages.example:80", "http://pages.example:81", "https://pages.example", "http://evil.example")
    given = [from_origin(origin) for origin in (*origins, "null", "pages.example", "ftp://pages.example", "")]
    assert statuses(given) == [200, *[403] * 7]
    assert statuses(given, proxied=True) == [200, 200, 200, *[403] * 5]


@pytest.mark.parametrize("site", ["same-site", "cross-site", "unheard-of"])
def test_what_a_browser_says_comes_from_another_site_may_only_open_the_page(site):
    asks = [{"Sec-Fetch-Site": site}, {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}]
    for proxied in (False, True):
        assert statuses(asks, proxied=proxied) == [403, 403]
        assert statuses(asks, path="/", proxied=proxied) == [403, 200]


def test_its_own_page_a_person_and_a_program_are_answered():
    assert statuses([{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}]) == [200] * 3


def test_the_token_is_known_whatever_bytes_are_given():
    async def ask():
        async with guarded() as (_, address):
            for given, known in ((b"5eed", b"True"), (b"5eee", b"False"), (b"", b"False"), (b"\xff\xfe", b"False")):
                reader, writer = await asyncio.open_connection(*address)
                head = b"GET / HTTP/1.1\r\nHost: pages.example\r\nConnection: close\r\nToken: " + given
                writer.write(head + b"\r\n\r\n")
                assert (await reader.read()).endswith(known)
                writer.close()

    asyncio.run(ask())
