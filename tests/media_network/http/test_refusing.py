"""Every refusal has its HTTP status, and is understood under whichever it comes."""

import asyncio
import random

import pytest
from msgspec import Struct

from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.refusing import STATUSES, refusing
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Caller, Done, Verb
from media_network.refusal import Reason, Refused

ANY_PORT = Address("127.0.0.1", 0)


class Ask(Struct, frozen=True):
    reason: Reason


REFUSE = Verb("test/refuse", Ask, Done, "Refuse for this reason.", callers=(Caller.ANYBODY,))


def test_every_reason_has_a_status():
    assert set(STATUSES) == set(Reason)
    assert {status.value for status in STATUSES.values()} <= {400, 401, 403, 404, 409, 413, 416, 429, 503, 507}


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_comes_under_its_status_and_is_a_value(reason):
    async def refuse(ask):
        return Refused(ask.reason, "so it is")

    async def talk():
        table = HandlerTable("Refuses")
        table.verb(REFUSE, refuse)
        async with serve(table, ANY_PORT) as peer, HttpClient(random.Random(1)) as http:
            assert await http.ask(peer, REFUSE, Ask(reason)) == Refused(reason, "so it is")
            async with http.session.post(f"http://{peer}/{REFUSE.path}", json={"reason": reason}) as answer:
                assert answer.status == STATUSES[reason]
                assert answer.headers.get("Retry-After") == ("1" if answer.status in (429, 503) else None)

    asyncio.run(talk())


def test_a_door_adds_its_own_headers():
    response = refusing(Refused(Reason.NO_ENGINE), {"Access-Control-Allow-Origin": "*"})
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.body == b'{"reason":"no_engine","detail":null,"state":null}'
