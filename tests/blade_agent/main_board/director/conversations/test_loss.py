"""How much of a stream is lost with its sender, and how soon it goes on: as the engines' reports narrow it down."""

import asyncio

import pytest
from msgspec.structs import replace

from media_network.messages.enlisting import REPORT, Reported
from tests.blade_agent.main_board.director.stage import INTERVALS, PACKETS_PER_S, cursor_of, program_of, stage

FILM = program_of()
THREE = {2: "0-3", 3: "0-3", 4: "0-3"}


async def keep_reporting(world, session, slot, first_s):
    """Report the cursor of a stream that goes on at its rate, every so often, as an engine does."""
    engine, loop = world.engines[slot], asyncio.get_running_loop()
    engine.cursors = ()
    engine.reports = False
    clock_us, answered_s = None, 0.0
    while True:
        packet = round((loop.time() - first_s) * PACKETS_PER_S)
        cursor = replace(cursor_of(session, 1, 0, packet), reach=packet + 50)
        since_us = None if clock_us is None else round((loop.time() - answered_s) * 1e6)
        report = replace(engine.report(), streams=(cursor,), clock_us=clock_us, since_us=since_us)
        answer = await engine.ask(REPORT, report)
        if isinstance(answer, Reported):
            clock_us, answered_s = answer.clock_us, loop.time()
        await asyncio.sleep(INTERVALS.cursor_ms / 1000)


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_process_that_dies_costs_a_tick_a_report_and_its_way(seed):
    with stage(THREE, seed=seed) as world:

        async def story():
            session, slot = await world.streaming()
            first_s = asyncio.get_running_loop().time()
            reporting = asyncio.create_task(keep_reporting(world, session, slot, first_s))
            await world.watch_for(session, 3.0 + seed * 0.017)
            reporting.cancel()
            died_s = asyncio.get_running_loop().time()
            world.simulation.crash(world.engines[slot].host)
            while not world.starts():  # noqa: ASYNC110 -- what other parties do sets no event here
                await asyncio.sleep(0.005)
            resumed_after_s = asyncio.get_running_loop().time() - died_s
            [started] = world.starts()
            assert started.slot != slot
            lost_packets = started.packet - (died_s - first_s) * PACKETS_PER_S
            assert resumed_after_s < 0.1
            assert started.segment == 0
            assert 0 < lost_packets < 0.25 * PACKETS_PER_S

        world.tell(story, FILM)


def test_a_director_that_was_held_up_takes_nobody_for_lost():
    """Its own watch is late then, and what the engines said waits to be read."""
    with stage(THREE) as world:

        async def story():
            session, _ = await world.streaming()
            await world.watch_for(session, 1.0)
            heal = world.simulation.links.partition(
                [world.director_host], [engine.host for engine in world.engines.values()]
            )
            await world.watch_for(session, 1.0)
            heal()
            await world.watch_for(session, 1.0)
            assert not world.starts()
            assert (await world.view(session)).present.turn == 1

        world.tell(story, FILM)


def test_a_session_with_which_nobody_goes_on_is_lost_and_one_that_its_console_leaves_is_not():
    with stage({2: "0-3"}) as world:

        async def story():
            left, slot = await world.streaming()
            lost, _ = await world.streaming()
            [first, second] = world.director.work().sessions
            assert {first.session, second.session} == {left, lost}
            assert (first.program, first.state, first.engine_slot, first.turns) == ("film", "streaming", slot, 1)
            await world.watch_for(lost, 20.0)
            ended = world.director.figures().counted
            assert (ended.sessions_begun, ended.sessions_ended, ended.sessions_lost) == (2, 1, 0)
            world.simulation.crash(world.engines[slot].host)
            await world.watch_for(lost, 5.0)
            await asyncio.sleep(30.0)
            assert world.director.work().sessions == ()
            [gone] = world.director.work().lost
            assert (gone.session, gone.program, gone.segment) == (lost, "film", 0)
            ended = world.director.figures().counted
            assert (ended.sessions_ended, ended.sessions_lost) == (1, 1)

        world.tell(story, FILM)
