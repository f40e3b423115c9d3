"""Orders over a UNIX socket: answered, refused, and bounded by what their verb may weigh."""

import asyncio

import pytest
from msgspec import Struct

from media_network.local_orders import NobodyListens, OrderLost, order, send_order, take_orders
from media_network.messages.verb import Caller, Verb
from media_network.refusal import Reason, Refused


class Say(Struct, frozen=True):
    text: str


SAY = Verb("say", Say, Say, "Say it again.", callers=(Caller.OPERATOR,), request_bytes_max=100, reply_bytes_max=200)
SHOUT = Verb("shout", Say, Say, "Say it loudly.", callers=(Caller.OPERATOR,), request_bytes_max=5000)
LONG = "x" * 100


async def repeat(said):
    return Say(said.text * 2)


async def talk(path, verb, text):
    async with take_orders(path, {SAY: repeat, SHOUT: repeat}):
        of_the_loop = await send_order(path, verb, Say(text))
        of_a_thread = await asyncio.to_thread(order, path, verb, Say(text))
    assert of_the_loop == of_a_thread
    return of_the_loop


def test_an_order_is_answered(tmp_path):
    assert asyncio.run(talk(tmp_path / "orders", SAY, "so")) == Say("soso")


def test_an_order_weighs_what_its_verb_says_and_no_more(tmp_path):
    assert asyncio.run(talk(tmp_path / "orders", SHOUT, LONG)) == Say(LONG * 2)
    refused = Refused(Reason.TOO_LARGE, "say takes at most 100 bytes")
    assert asyncio.run(talk(tmp_path / "orders", SAY, LONG)) == refused


def test_a_line_beyond_all_bounds_is_not_read(tmp_path):
    """It is refused with a word where the word still arrives: who speaks on meanwhile may find the line cut."""
    try:
        answer = asyncio.run(talk(tmp_path / "orders", SHOUT, LONG * 100))
    except OrderLost:
        return
    assert answer.reason is Reason.TOO_LARGE


def test_an_answer_weighs_what_its_verb_says_and_no_more(tmp_path):
    async def chatter(_):
        return Say(LONG * 20)

    async def listen(give):
        path = tmp_path / "orders"
        async with take_orders(path, {SAY: chatter}):
            return await give(path, SAY, Say("so"))

    for give in (send_order, lambda *said: asyncio.to_thread(order, *said)):
        with pytest.raises(OrderLost):
            asyncio.run(listen(give))


def test_nobody_listens(tmp_path):
    with pytest.raises(NobodyListens):
        order(tmp_path / "orders", SAY, Say("so"))
