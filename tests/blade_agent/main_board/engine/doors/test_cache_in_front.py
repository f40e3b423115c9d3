"""A cache of somebody else's in front of an engine (docs/protocols/hls.md): its key is the path, without the ticket."""

import asyncio
from contextlib import ExitStack
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.blade_agent.main_board.engine.station import (
    CUT,
    KEY,
    PROGRAM,
    TABLE,
    engine,
    engine_at,
    make_segments,
    media_of,
    put,
    scripted,
)
from tests.patience import PATIENCE_S, wait_until
from tests.traffic_server import proxying

HOST = engine_at(2)
(DATA,) = make_segments(1, packets=2000)
PATH = f"/segments/{PROGRAM}/{TABLE.sha256}/0.ts"


def get(at, ticket, **headers):
    """Status and body."""
    try:
        with urlopen(Request(f"http://{at}{PATH}?ticket={ticket}", headers=headers), timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, b""


def answers(at):
    """Whether the cache, and the engine behind it, are there: nothing is given without a ticket, nor kept."""
    try:
        return get(at, "") == (403, b"")
    except OSError:
        return False


def is_kept(at):
    """Whether the cache answers out of itself: it says how old that is. It has kept it a little after it gave it."""
    with urlopen(f"http://{at}{PATH}?ticket={KEY.sign('c' * 24, PROGRAM)}", timeout=PATIENCE_S) as answer:
        return answer.headers["Age"] is not None and answer.read() == DATA


@pytest.mark.peer("traffic_server")
def test_one_viewer_fetches_it_for_all_and_what_is_refused_is_not_kept(tmp_path):
    async def story(stack):
        async with scripted() as director, engine(director, tmp_path / "channel", HOST) as store:
            segment = await put(store, CUT, 0, DATA)
            (tmp_path / "ats").mkdir()
            by_path = "@plugin=cachekey.so @pparam=--remove-all-params=true"
            proxy = proxying(tmp_path / "ats", str(media_of(HOST)), by_path, answers, caches=True)
            at = await asyncio.to_thread(stack.enter_context, proxy)
            assert await asyncio.to_thread(get, at, KEY.sign("a" * 24, PROGRAM)) == (200, DATA)
            await asyncio.to_thread(wait_until, lambda: is_kept(at))
        # The engine is gone, and another viewer comes with another ticket.
        another = KEY.sign("b" * 24, PROGRAM)
        assert await asyncio.to_thread(get, at, another) == (200, DATA)
        assert await asyncio.to_thread(lambda: get(at, another, Range="bytes=188-375")) == (206, DATA[188:376])
        tag = f'"{segment.sha256}"'
        assert await asyncio.to_thread(lambda: get(at, another, **{"If-None-Match": tag})) == (304, b"")

    (tmp_path / "channel").mkdir()
    with ExitStack() as stack:
        asyncio.run(story(stack))
