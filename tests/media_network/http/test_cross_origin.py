"""What pages of other origins may read: whatever is answered below an open folder, and nothing else."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from media_network.address import Address
from media_network.http.server import HandlerTable, serve


async def fail(_):
    raise ZeroDivisionError


async def whole(_):
    return web.Response(text="it")


def answered(method, path, **headers):
    """Status and headers."""

    async def story():
        table = HandlerTable("films")
        table.resource("/films/{name}", whole, from_anywhere=True)
        table.resource("/films/{name}/broken", fail, from_anywhere=True)
        table.resource("/closed/{name}", whole)
        async with (
            serve(table, Address("127.0.0.1", 0)) as at,
            aiohttp.ClientSession() as session,
            session.request(method, f"http://{at}{path}", headers={"Origin": "http://elsewhere", **headers}) as answer,
        ):
            return answer.status, answer.headers

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/films/one", 200),
        ("HEAD", "/films/one", 200),
        ("GET", "/films/one/two/three", 404),
        ("GET", "/films/", 404),
        ("POST", "/films/one", 405),
        ("DELETE", "/films/one", 405),
        ("GET", "/films/one/broken", 500),
    ],
)
def test_a_page_of_another_origin_reads_answers_and_errors(method, path, status):
    found, headers = answered(method, path)
    assert found == status
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Range" in headers["Access-Control-Expose-Headers"]


def test_a_browser_that_asks_beforehand_is_told_what_it_may():
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization, if-range"}
    status, headers = answered("OPTIONS", "/films/one", **asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert headers["Access-Control-Allow-Headers"] == "Authorization, *"
    assert headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("OPTIONS", 405), ("POST", 405)])
def test_what_is_not_open_stays_closed(method, status):
    found, headers = answered(method, "/closed/one")
    assert found == status
    assert not [name for name in headers if name.startswith("Access-Control")]
