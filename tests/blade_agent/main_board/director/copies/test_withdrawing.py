"""Programs that the center gave up: nothing of them stays at any engine, whoever was away when it was said."""

import asyncio

from media_network.http.server import HandlerTable, serve
from media_network.messages.obtaining import OBTAIN, Discard, Obtain
from media_network.messages.registry import (
    ADD_LOCATIONS,
    LIST_CATALOGUE,
    REGISTER_STATION,
    REMOVE_LOCATIONS,
    REPORT_LOCATIONS,
    CatalogueListing,
    StationRegistered,
)
from media_network.messages.verb import Done
from media_network.messages.watching import ASK_STATION, AskStation
from media_network.program import ProgramState
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import CENTER, EPOCH, INTERVALS, program_of, stage

FILM = program_of(segments=3, state=ProgramState.INACTIVE)
ROUND_S = 2 * INTERVALS.registration_ms / 1000


def start_center(world, *withdrawn):
    """A center that has given these up; returns their names, to be changed, and what it hears of locations."""
    names, removed = list(withdrawn), []

    async def register(_):
        return StationRegistered(catalogue_version=1, generation=0, withdrawn=tuple(names))

    async def run():
        table = HandlerTable("scripted center")
        table.verb(REGISTER_STATION, register)
        table.verb(LIST_CATALOGUE, lambda _: answer(CatalogueListing(version=1, programs=())))
        for verb in (REPORT_LOCATIONS, ADD_LOCATIONS):
            table.verb(verb, lambda _: answer(Done()))
        table.verb(REMOVE_LOCATIONS, lambda message: answer(removed.append(message.segments) or Done()))
        async with serve(table, CENTER):
            await asyncio.Event().wait()

    async def answer(what):
        return what

    world.simulation.start(world.simulation.host(CENTER.host), run)
    return names, removed


async def held(world):
    return (await world.ask(ASK_STATION, AskStation())).programs


def discarded(engine):
    return [order.programs for order in engine.of(Discard)]


def test_engines_discard_what_was_given_up_once_each_and_the_registry_is_told():
    with stage({2: "0-1", 3: "1-2"}, center=CENTER) as world:
        names, removed = start_center(world)

        async def story():
            await asyncio.sleep(ROUND_S)
            assert await held(world) == {"film": "0-2"}
            assert not discarded(world.engines[2])
            names.append("film")
            await asyncio.sleep(3 * ROUND_S)
            assert await held(world) == {}
            assert world.director._catalogue.get("film") is None
            assert [discarded(engine) for engine in world.engines.values()] == [[("film",)], [("film",)]]
            assert world.engines[2].of(Discard)[0].epoch == EPOCH
            assert set("".join(removed)) >= set("02")

        world.tell(story, FILM)


def test_an_engine_that_was_away_and_one_that_could_not_are_told_later():
    with stage({2: "0-1", 3: "1-2"}, center=CENTER) as world:
        names, _ = start_center(world)

        async def story():
            world.engines[3].discarded = Refused(Reason.BUSY, "the disk is stuck")
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(6.0)
            names.append("film")
            await asyncio.sleep(ROUND_S)
            assert await held(world) == {"film": "1-2"}
            world.engines[3].discarded = Done()
            world.simulation.restart(world.engines[2].host)
            await asyncio.sleep(2 * ROUND_S)
            assert await held(world) == {}
            assert discarded(world.engines[2]) == [("film",)]

        world.tell(story, FILM)


def test_what_is_in_service_stays_whatever_the_center_says():
    with stage({2: "0-2"}, center=CENTER) as world:
        names, _ = start_center(world)

        async def story():
            names.append("film")
            await asyncio.sleep(2 * ROUND_S)
            assert await held(world) == {"film": "0-2"}
            assert not discarded(world.engines[2])

        world.tell(story, program_of(segments=3))


def test_a_program_that_is_ordered_again_is_not_discarded_on_an_older_word():
    with stage({2: "0-2"}, center=CENTER) as world:
        names, _ = start_center(world)

        async def story():
            await asyncio.sleep(ROUND_S)
            loop = asyncio.get_running_loop()
            asked_at = loop.time()
            await world.ask(OBTAIN, Obtain(program=FILM, source_station="home", source_director=str(CENTER), copies=1))
            await world.director._withdrawing.hear(["film"], asked_at)
            await asyncio.sleep(0.5)
            assert await held(world) == {"film": "0-2"}
            names.append("film")
            await asyncio.sleep(ROUND_S)
            assert await held(world) == {}

        world.tell(story, FILM)
