"""Whoever is no blade of the station is not heard as one, by the director or by its engines."""

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from blade_agent.backplane.role import Role, RoleAssignment
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.main_board import Equipment, RunningMainBoard
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.enlisting import ATTEND, ENLIST, REPORT
from media_network.messages.obtaining import COPY_DONE, FETCH
from media_network.messages.program_information import KEEP_CHANGES
from media_network.messages.streaming import ASSUMED, NEXT_SEGMENT, PRELOAD, START, STOPPED
from media_network.refusal import Reason, Refused
from tests.addresses import network_number
from tests.golden_messages import example
from tests.patience import until

NETWORK = network_number()
DIRECTOR, ENGINE, OTHER, STRANGER = (f"127.{NETWORK}.0.{number}" for number in (1, 2, 3, 66))
EPOCH = 5
OF_ENGINES = (ENLIST, REPORT, COPY_DONE, NEXT_SEGMENT, ASSUMED, STOPPED)
OF_THE_DIRECTOR = (FETCH, ATTEND, KEEP_CHANGES)
OF_BOTH = (PRELOAD, START)


def at(host):
    return Address(host, 8081)


@asynccontextmanager
async def powered(folder, host, role, told):
    """A main board of a role; `told` are the blades that the chassis manager tells it of."""
    store = await SegmentStore.open(DiskFiles(), [folder / host])
    board = Equipment(
        slot=int(host[-1]),
        address=at(host),
        media=Address(host, 8080),
        capacity_bps=10**9,
        state=folder / f"{host}-state",
        store=store,
        files=DiskFiles(),
    )
    main_board = RunningMainBoard(board, random.Random(host))
    main_board.assign(RoleAssignment(role=role, epoch=EPOCH, station="north", director=at(DIRECTOR)))
    if told is not None:
        main_board.know_blades({int(blade[-1]): at(blade) for blade in told})
    running = asyncio.create_task(main_board.run())
    try:
        yield main_board
    finally:
        running.cancel()
        await asyncio.wait([running])
        store.close()


def station(folder, story, *, told=(DIRECTOR, ENGINE, OTHER)):
    """A director and an engine, and who speaks to them."""

    async def run():
        async with AsyncExitStack() as stack:
            director = await stack.enter_async_context(powered(folder, DIRECTOR, Role.DIRECTOR, told))
            await stack.enter_async_context(powered(folder, ENGINE, Role.ENGINE, None))
            await until(lambda: (work := director.work().director) and (told is None or work.engines))
            voices = {
                host: await stack.enter_async_context(HttpClient(random.Random(1), host))
                for host in (DIRECTOR, OTHER, STRANGER)
            }

            async def reason(host, to, verb):
                """Why the example of a message is refused that `host` says; None: it is taken, or waited with."""
                try:
                    answer = await voices[host].ask(at(to), verb, example(verb.request), deadline_s=0.5)
                except NetworkError:
                    return None
                return answer.reason if isinstance(answer, Refused) else None

            return await story(reason, director)

    return asyncio.run(run())


@pytest.mark.parametrize("verb", [*OF_ENGINES], ids=lambda verb: verb.path)
def test_a_director_hears_blades_of_its_station_only(tmp_path, verb):
    async def story(reason, _):
        return [await reason(host, DIRECTOR, verb) for host in (STRANGER, OTHER)]

    stranger, blade = station(tmp_path, story)
    assert (stranger, blade is Reason.NOT_ALLOWED) == (Reason.NOT_ALLOWED, False)


@pytest.mark.parametrize("verb", [*OF_THE_DIRECTOR, *OF_BOTH], ids=lambda verb: verb.path)
def test_an_engine_hears_its_director_and_blades_only_what_blades_say(tmp_path, verb):
    async def story(reason, _):
        return [await reason(host, ENGINE, verb) is Reason.NOT_ALLOWED for host in (STRANGER, OTHER, DIRECTOR)]

    assert station(tmp_path, story) == [True, verb in OF_THE_DIRECTOR, False]


def test_until_the_chassis_manager_has_told_nobody_is_heard_as_an_engine(tmp_path):
    async def story(reason, director):
        before = await reason(OTHER, DIRECTOR, ENLIST)
        director.know_blades({2: at(ENGINE), 3: at(OTHER)})
        return before, await reason(OTHER, DIRECTOR, ENLIST)

    before, after = station(tmp_path, story, told=None)
    assert before is Reason.OVERDUE
    assert after is not Reason.OVERDUE


def test_a_blade_that_comes_later_is_heard_by_engines_once_their_director_knows_it(tmp_path):
    refused = []

    async def story(reason, director):
        before = await reason(OTHER, ENGINE, START)
        director.know_blades({2: at(ENGINE), 3: at(OTHER)})
        while (after := await reason(OTHER, ENGINE, START)) is Reason.NOT_ALLOWED:
            refused.append(after)
        return before, after

    before, after = station(tmp_path, story, told=(DIRECTOR, ENGINE))
    assert before is Reason.NOT_ALLOWED
    assert after is not Reason.NOT_ALLOWED
