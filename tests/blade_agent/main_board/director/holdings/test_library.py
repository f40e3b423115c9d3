"""Programs with their tables, from whoever is there and has them."""

import asyncio

import pytest

from media_network.messages.program_information import PUBLISH_PROGRAM, PublishProgram
from media_network.messages.streaming import Redirect
from media_network.messages.verb import Done
from media_network.refusal import Reason
from tests.blade_agent.main_board.director.scripted_center import CENTER_MEDIA, stage_with_center
from tests.blade_agent.main_board.director.stage import DIRECTOR_MEDIA, INTERVALS, engine_media, program_of, stage

FILM = program_of()
TABLE = FILM.header.table
ALL = "0-3"
SETTLED_S = INTERVALS.settle_ms / 1000


async def publish(world, program=FILM):
    """Say what a program is; its table is not said."""
    assert await world.ask(PUBLISH_PROGRAM, PublishProgram(program.header)) == Done()


def give(*engines, program=FILM):
    for engine in engines:
        engine.parts[program.header.table] = program.segments.octets


def test_what_is_known_in_service_and_at_hand_are_three_things():
    with stage({2: ALL}) as world:

        async def story():
            library = world.director._library

            def seen(name):
                return library.is_known(name), library.is_in_service(name), library.at_hand(name)

            assert (seen("film"), await library.get("film")) == ((False, False, None), None)
            await publish(world, program_of(published=False))
            assert seen("film") == (True, False, None)
            assert await world.as_director(lambda: library.get("film")) is None, "nobody has its table"
            await world.keep_table(FILM)
            assert (await library.get("film")).segments == FILM.segments
            assert await library.published("film") is None
            await publish(world, program_of(version=2))
            assert seen("film") == (True, True, program_of(version=2))
            assert await library.published("film") == program_of(version=2)

        world.tell(story)


def test_a_table_comes_from_an_engine_of_the_station_with_the_center_away():
    with stage({2: ALL, 3: ALL}) as world:
        give(world.engines[3])

        async def story():
            await publish(world)
            for _ in range(3):
                assert isinstance(await world.play(), Redirect)
            assert [engine.parts_asked for engine in world.engines.values()] == [[TABLE], [TABLE]]
            # From then on the director's blade has it, and gives it to others.
            async with world.http.read(DIRECTOR_MEDIA, f"/parts/{TABLE}") as response:
                assert await response.read() == FILM.segments.octets

        world.tell(story)


def test_a_table_that_no_engine_has_comes_from_the_center():
    with stage_with_center({2: ALL}, [FILM]) as (world, _):

        async def story():
            await asyncio.sleep(3.0)
            assert world.director._library.center_media == CENTER_MEDIA
            assert isinstance(await world.play(), Redirect)
            assert world.engines[2].parts_asked == [TABLE]

        world.tell(story)


def test_who_should_have_it_is_asked_first_and_who_is_silent_not_at_all():
    with stage({2: ALL, 3: ALL, 4: ALL}) as world:
        give(*world.engines.values())

        async def story():
            library = world.director._library
            assert await world.as_director(lambda: library.fetch(FILM.header, engine_media(4))) == FILM
            assert [len(engine.parts_asked) for engine in world.engines.values()] == [0, 0, 1]
            other = program_of(name="epic", first=100)
            give(world.engines[3], program=other)
            world.director._roster.suspect(world.engines[2].address)
            world.engines[2].reports = False
            assert await world.as_director(lambda: library.fetch(other.header)) == other
            assert [len(engine.parts_asked) for engine in world.engines.values()] == [0, 1, 1]

        world.tell(story)


def test_a_program_whose_table_nobody_gives_is_refused_and_played_as_soon_as_somebody_does():
    with stage({2: ALL}) as world:

        async def story():
            await publish(world)
            await asyncio.sleep(SETTLED_S)
            refused = await world.play()
            assert refused.reason is Reason.NO_ENGINE
            assert "film" in refused.detail
            async with world.http.read(DIRECTOR_MEDIA, "/programs/film/playlist.m3u8") as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "1")
            give(world.engines[2])
            redirect = await world.play()
            assert redirect.first == FILM.segments[0]

        world.tell(story)


@pytest.mark.parametrize("lacks", ["the program", "its table"])
@pytest.mark.parametrize("playlist", ["playlist.m3u8", f"media.m3u8?session={'0' * 24}"])
def test_who_asks_a_director_that_has_just_begun_waits_for_what_it_has_yet_to_hear(lacks, playlist):
    with stage({2: ALL}) as world:

        async def story():
            if lacks == "its table":
                await publish(world)
            asking = asyncio.create_task(status_of(world, f"film/{playlist}"))
            await asyncio.sleep(0.4)
            give(world.engines[2])
            if lacks == "the program":
                await publish(world)
            assert await asking == 200
            await asyncio.sleep(SETTLED_S)
            assert await status_of(world, "another/playlist.m3u8") == 404

        world.tell(story)


async def status_of(world, what):
    async with world.http.read(DIRECTOR_MEDIA, f"/programs/{what}") as response:
        return response.status
