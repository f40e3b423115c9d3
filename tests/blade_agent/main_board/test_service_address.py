"""A blade serves at its station's service address while it directs, and no longer."""

import asyncio
import random
import sys

import pytest

from blade_agent.main_board import service_address
from blade_agent.main_board.service_address import ServiceAddress, serving_at
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import Unreachable
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Caller, Done, Verb
from tests.patience import PATIENCE_S, until

VERB = Verb("test/ask", Done, Done, "Ask.", callers=(Caller.CONSOLE,))


def answers():
    async def answer(_):
        return Done()

    table = HandlerTable("director")
    table.verb(VERB, answer)
    return table


def noting(path, word):
    return (sys.executable, "-c", f"open({str(path)!r}, 'a').write({word!r})")


@pytest.mark.parametrize("occupied", [False, True])
def test_it_is_taken_with_the_role_and_left_with_it(tmp_path, free_port, monkeypatch, occupied):
    """The one before may have it still: it is tried for until it is free."""
    monkeypatch.setattr(service_address, "_TRY_AGAIN_S", 0.05)
    notes = tmp_path / "notes"
    service = ServiceAddress(
        address=Address("127.0.0.1", free_port()),
        take_command=noting(notes, "take "),
        leave_command=noting(notes, "leave"),
        listen=True,
    )

    async def story():
        async with HttpClient(random.Random(1)) as http:
            if occupied:
                async with serve(HandlerTable("the one before"), service.address), serving_at(service, answers()):
                    await until(lambda: notes.exists() and notes.read_text().count("take") > 1)
            async with serving_at(service, answers()):
                assert await http.ask(service.address, VERB, Done(), deadline_s=PATIENCE_S) == Done()
            with pytest.raises(Unreachable):
                await http.ask(service.address, VERB, Done(), while_refused=False)

    asyncio.run(story())
    assert notes.read_text().startswith("take ")
    assert notes.read_text().endswith("leave")


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(3)")])
def test_a_command_that_fails_is_said_and_the_blade_serves_all_the_same(free_port, caplog, command):
    service = ServiceAddress(address=Address("127.0.0.1", free_port()), take_command=command, listen=True)

    async def story():
        async with HttpClient(random.Random(1)) as http, serving_at(service, answers()):
            return await http.ask(service.address, VERB, Done(), deadline_s=PATIENCE_S)

    assert asyncio.run(story()) == Done()
    assert command[0] in caplog.text


def test_where_the_network_leads_players_to_the_director_the_blade_does_not_listen(free_port):
    service = ServiceAddress(address=Address("127.0.0.1", free_port()))

    async def story():
        async with HttpClient(random.Random(1)) as http, serving_at(service, answers()):
            await http.ask(service.address, VERB, Done(), while_refused=False)

    with pytest.raises(Unreachable):
        asyncio.run(story())


def test_a_command_that_is_slow_to_take_the_address_does_not_take_it_after_it_was_left(tmp_path, free_port):
    notes, begun = tmp_path / "notes", tmp_path / "begun"
    slow = f"import time; open({str(begun)!r}, 'w'); time.sleep(30); open({str(notes)!r}, 'a').write('take ')"
    service = ServiceAddress(
        address=Address("127.0.0.1", free_port()),
        take_command=(sys.executable, "-c", slow),
        leave_command=noting(notes, "leave"),
        listen=True,
    )

    async def story():
        async with serving_at(service, answers()):
            await until(begun.exists)

    asyncio.run(story())
    assert notes.read_text() == "leave"
