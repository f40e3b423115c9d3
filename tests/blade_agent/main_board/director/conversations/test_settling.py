"""The conversation by which a turn is ended: an answer counts at once, silence when nothing can be sent any more."""

import asyncio
import random
from types import SimpleNamespace

import pytest

from blade_agent.main_board.director.conversations.settling import Settling
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.sessions.events import Silence, Superseded
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from chassis_emulator.simulation.simulation import Simulation
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.enlisting import Enlist
from media_network.messages.holdings import Holdings
from media_network.messages.streaming import CEASE, Cease, Ceased, StopCause
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import EPOCH, LEASE_S, cursor_of, engine_address, engine_media

ENGINE = engine_address(2)
MEDIA = engine_media(2)
ENLISTED = Enlist(
    slot=2,
    engine=str(ENGINE),
    media=str(MEDIA),
    boot="boot",
    epoch=EPOCH,
    capacity_bps=1,
    holdings=Holdings(holdings=()),
)


def settled(answer, *, process_lives=True, heard_s_ago=0.0):
    """Settle turn 1; `answer` None is no answer. Returns how, how long it took, what was heard, and the roster."""
    heard, roster = [], Roster()

    async def be_engine():
        async def cease(order):
            heard.append(order)
            if answer is None:
                await asyncio.Event().wait()
            return answer

        table = HandlerTable("engine")
        table.verb(CEASE, cease)
        if process_lives:
            async with serve(table, ENGINE):
                await asyncio.Event().wait()

    async def ask():
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        roster.enlist(ENLISTED, ENGINE, MEDIA, began_s - heard_s_ago)
        turn = GivenTurn(number=1, engine=ENGINE, boot="boot", segment=1, packet=0, given_at=began_s)
        async with HttpClient(random.Random(1)) as http:
            term = SimpleNamespace(http=http, epoch=EPOCH, lease_s=LEASE_S)
            result = await Settling(term, roster).settle("s", turn)
        return result, loop.time() - began_s

    with Simulation(1) as simulation:
        simulation.start(simulation.host(ENGINE.host), be_engine)
        simulation.run(until_s=5.0)
        return *simulation.run_until_complete(ask()), heard, roster


@pytest.mark.parametrize("ceased", [Ceased("boot", cursor_of("s", 1, 1, 1234)), Ceased("later boot", None)])
def test_an_answer_counts_at_once(ceased):
    result, took_s, heard, roster = settled(ceased)
    assert result == ceased
    assert took_s < 0.5
    assert heard == [Cease(session="s", turn=1, cause=StopCause.FAILED, epoch=EPOCH)]
    assert roster.answers(ENGINE, "boot")


def test_a_refused_connection_is_a_dead_engine():
    result, took_s, _, roster = settled(Ceased("boot", None), process_lives=False)
    assert result == Silence()
    assert took_s < 1.0
    assert not roster.answers(ENGINE, "boot")


def test_where_no_engine_is_on_duty_nothing_is_sent_any_more():
    result, took_s, _, _ = settled(Refused(Reason.WRONG_ROLE))
    assert result == Silence()
    assert took_s < 0.5


def test_an_engine_of_another_director_ends_the_term():
    result, took_s, _, _ = settled(Refused(Reason.STALE_EPOCH))
    assert result == Superseded()
    assert took_s < 0.5


@pytest.mark.parametrize("answer", [None, Refused(Reason.BUSY)], ids=["silence", "refusal"])
def test_without_an_answer_the_lease_is_waited_out(answer):
    result, took_s, _, _ = settled(answer)
    assert result == Silence()
    assert LEASE_S <= took_s < LEASE_S + 0.1


def test_the_lease_counts_from_the_last_report_that_was_heard():
    result, took_s, _, _ = settled(None, heard_s_ago=LEASE_S - 1.0)
    assert result == Silence()
    assert 1.0 <= took_s < 1.1
