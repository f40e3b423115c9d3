"""Programs that the center withdrew: nothing of them stays at any engine, whoever was away when it was said."""

import asyncio

from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    OBTAIN,
    CopyResult,
    Fetch,
    LocateSegment,
    ObtainStanding,
    SegmentLocation,
)
from media_network.messages.program_information import PUBLISH_PROGRAM, KeepChanges, PublishProgram
from media_network.messages.registry import RegisterStation
from media_network.messages.streaming import Redirect
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.scripted_center import stage_with_center
from tests.blade_agent.main_board.director.stage import EPOCH, INTERVALS, order_of, program_of, tombstone

FILM = program_of(segments=3, published=False)
OTHER_FILM = program_of(segments=3, first=100, version=12)
LOCATION = SegmentLocation(media="127.1.2.2:8080", ticket="far")
ROUND_S = 2 * INTERVALS.registration_ms / 1000


def locate_of(program, number):
    return LocateSegment(program=program.name, table=program.header.table, segment=number)


def times_told(engine, change):
    return engine.told().count(change)


def test_engines_are_told_once_each_and_the_registry_that_nothing_is_held():
    with stage_with_center({2: "0-1", 3: "1-2"}, [FILM]) as (world, center):

        async def story():
            await asyncio.sleep(3 * ROUND_S)
            assert await world.held() == {"film": "0-2"}
            assert center.held == {"film": {0, 1, 2}}
            center.say(tombstone(5))
            await asyncio.sleep(3 * ROUND_S)
            assert await world.held() == {}
            assert center.held == {}
            assert world.director._catalogue.get("film") is None
            assert [times_told(engine, tombstone(5)) for engine in world.engines.values()] == [1, 1]
            assert {message.epoch for message in world.engines[2].of(KeepChanges)} == {EPOCH}
            assert (await world.play()).reason is Reason.UNKNOWN_PROGRAM
            assert center.of(RegisterStation)[-1].heard == 5

        world.tell(story)


def test_the_copy_that_is_being_made_is_given_up():
    with stage_with_center({2: "0", 3: ""}, [FILM]) as (world, center):
        world.engines[3].copies = None

        async def story():
            await asyncio.sleep(ROUND_S)
            assert await world.ask(OBTAIN, order_of(FILM, copies=2)) == ObtainStanding()
            await asyncio.sleep(0.5)
            [fetch] = world.engines[3].of(Fetch)
            obtaining = world.director._obtaining
            assert world.director._copies._copies
            center.say(tombstone(5))
            await asyncio.sleep(ROUND_S)
            assert (world.director._copies._copies, obtaining._running, obtaining._standings._standings) == ({}, {}, {})
            world.engines[3].copies = CopyResult.STORED
            await asyncio.sleep(200.0)
            assert world.engines[3].of(Fetch) == [fetch]

        world.tell(story)


def test_an_engine_that_was_away_and_one_that_could_not_are_told_later():
    with stage_with_center({2: "0-1", 3: "1-2"}, [FILM]) as (world, center):

        async def story():
            await asyncio.sleep(ROUND_S)
            world.engines[3].kept_answer = Refused(Reason.BUSY, "the disk is stuck")
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(6.0)
            center.say(tombstone(5))
            await asyncio.sleep(ROUND_S)
            assert await world.held() == {"film": "1-2"}
            world.engines[3].kept_answer = Done()
            world.simulation.restart(world.engines[2].host)
            world.simulation.crash(world.engines[3].host)
            world.simulation.restart(world.engines[3].host)
            await asyncio.sleep(2 * ROUND_S)
            assert await world.held() == {}
            assert times_told(world.engines[2], tombstone(5)) == 1

        world.tell(story)


def test_what_an_engine_brings_back_of_a_former_program_is_not_the_new_ones():
    """A disk of it was away. It lets go of that itself; until then nobody counts it."""
    with stage_with_center({2: "0-1"}, [FILM]) as (world, center):

        async def story():
            center.say(tombstone(5))
            await asyncio.sleep(2 * ROUND_S)
            center.add(OTHER_FILM)
            await asyncio.sleep(2 * ROUND_S)
            engine = world.engines[2]
            engine.known_until = 12
            world.simulation.crash(engine.host)
            world.simulation.restart(engine.host)
            await asyncio.sleep(2 * ROUND_S)
            assert await world.held() == {}, "though it has not let go of it"
            assert center.held.get("film", set()) == set()
            assert (await world.play()).reason is Reason.NO_ENGINE
            refused = await world.ask(LOCATE_SEGMENT, locate_of(OTHER_FILM, 0))
            assert refused.reason is Reason.NOT_HERE

        world.tell(story)


def test_an_order_that_is_older_than_the_withdrawal_is_refused_and_so_is_a_publication():
    with stage_with_center({2: "", 3: ""}, [FILM]) as (world, center):

        async def story():
            center.say(tombstone(5))
            await asyncio.sleep(ROUND_S)
            refused = await world.ask(OBTAIN, order_of(program_of(segments=3, version=4)))
            assert refused.reason is Reason.UNKNOWN_PROGRAM
            assert await world.ask(PUBLISH_PROGRAM, PublishProgram(program_of(version=4).header)) == Done()
            assert (await world.play()).reason is Reason.UNKNOWN_PROGRAM
            await asyncio.sleep(1.0)
            assert not any(engine.of(Fetch) for engine in world.engines.values())

        world.tell(story)


def test_a_name_is_used_again_after_a_withdrawal_whatever_was_said_of_it_before():
    with stage_with_center({2: "0-2"}, [FILM]) as (world, center):

        async def story():
            center.say(tombstone(5))
            await asyncio.sleep(ROUND_S)
            assert await world.held() == {}
            center.add(OTHER_FILM)
            await asyncio.sleep(ROUND_S)
            assert (await world.play()).reason is Reason.NO_ENGINE
            for segment in OTHER_FILM.segments:
                await world.engines[2].stored(segment, table=OTHER_FILM.header.table)
            redirect = await world.play()
            assert isinstance(redirect, Redirect)
            assert redirect.first == OTHER_FILM.segments[0]

        world.tell(story)


def test_of_another_film_under_the_same_name_the_former_is_obtained_no_more():
    with stage_with_center({2: "", 3: ""}, [FILM]) as (world, center):
        for engine in world.engines.values():
            engine.copies = None

        async def story():
            await asyncio.sleep(ROUND_S)
            for program in (FILM, OTHER_FILM):
                await world.keep_table(program)
            world.director._locating.locate = locate
            await world.ask(OBTAIN, order_of(FILM))
            await asyncio.sleep(0.5)
            assert fetched() == set(FILM.segments)
            center.add(OTHER_FILM)
            for engine in world.engines.values():
                engine.copies = CopyResult.STORED
            await asyncio.sleep(ROUND_S)
            assert fetched() == set(FILM.segments), "nobody has ordered it"
            await world.ask(OBTAIN, order_of(FILM))  # an order of before
            await asyncio.sleep(1.0)
            assert fetched() == {*FILM.segments, *OTHER_FILM.segments}
            assert await world.held() == {"film": "0-2"}

        def fetched():
            return {order.segment for engine in world.engines.values() for order in engine.of(Fetch)}

        async def locate(*_):
            return LOCATION

        world.tell(story)
