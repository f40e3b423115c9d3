"""What a director and its engines know of programs: each comes to know what the other does."""

import asyncio
from functools import partial

import pytest

from blade_agent.main_board import catalogue as module
from blade_agent.main_board.catalogue import change_of
from media_network.message_pages import first_page
from media_network.messages.program_information import (
    ASK_ENGINE_CHANGES,
    KEEP_CHANGES,
    PUBLISH_PROGRAM,
    AskChanges,
    KeepChanges,
    PublishProgram,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import EPOCH, program_of, stage, tombstone


def told(version, name=None, **facts):
    """That this is what a program is."""
    return change_of(program_of(name=name or f"film-{version}", version=version, **facts).header)


def versions(changes):
    return [change.version for change in changes]


async def learn(world, *changes, until=0):
    """The director hears it of its center."""
    await world.as_director(lambda: world.director._catalogue.learn(changes, until=until))
    await asyncio.sleep(0.2)


async def come_again(world, slot, **facts):
    """An engine begins anew, and knows this."""
    engine = world.engines[slot]
    world.simulation.crash(engine.host)
    for name, value in facts.items():
        setattr(engine, name, value)
    engine.heard.clear()
    world.simulation.restart(engine.host)
    await asyncio.sleep(1.5)


def test_a_director_hears_all_pages_of_an_engine_that_knows_more_and_tells_the_others():
    with stage({2: "", 3: ""}) as world:
        engine = world.engines[3]
        engine.kept = [*(told(number) for number in range(1, 8)), tombstone(8), told(11)]
        engine.known_until, engine.page = 9, 2

        async def story():
            await asyncio.sleep(1.0)
            catalogue = world.director._catalogue
            assert list(catalogue.since(0).changes) == engine.kept
            assert (catalogue.heard, catalogue.newest) == (9, 11)
            asked = [question.since for question in engine.of(AskChanges)]
            assert asked == [0, 2, 4, 6, 8]
            assert world.engines[2].told() == engine.kept
            assert {message.epoch for message in world.engines[2].of(KeepChanges)} == {EPOCH}
            # Nobody is asked who knows no more, nor told what he knows.
            await come_again(world, 2, kept=engine.kept, known_until=9)
            assert world.engines[2].of(AskChanges) == []
            assert versions(world.engines[2].told()) == [11]

        world.tell(story)


def test_an_engine_is_told_what_it_has_not_heard():
    with stage({2: "", 3: ""}) as world:

        async def story():
            await learn(world, told(1), told(2), until=2)
            await learn(world, told(3), tombstone(4, "film-1"), until=5)
            for engine in world.engines.values():
                assert versions(engine.told()) == [1, 2, 3, 4], "each change once"
                assert engine.of(KeepChanges)[-1].changes.until == 5
            await come_again(world, 3, kept=[told(1), told(2)], known_until=2)
            assert versions(world.engines[3].told()) == [3, 4]
            assert world.engines[3].of(AskChanges) == []
            await come_again(world, 3, kept=(), known_until=5)
            assert world.engines[3].told() == []

        world.tell(story)


def test_what_is_published_before_its_turn_is_told_and_does_not_stand_for_what_came_before():
    with stage({2: ""}) as world:

        async def story():
            [engine] = world.director._roster
            scripted = world.engines[2]
            await learn(world, told(1), told(2), until=2)
            assert engine.knows_until == 2
            assert await world.ask(PUBLISH_PROGRAM, PublishProgram(program_of(version=9).header)) == Done()
            await asyncio.sleep(0.2)
            assert versions(scripted.told()) == [1, 2, 9]
            assert scripted.of(KeepChanges)[-1].changes.until == 2
            assert (engine.knows_until, world.director._catalogue.heard) == (2, 2)
            await learn(world, told(5), until=9)
            assert versions(scripted.told()) == [1, 2, 9, 5, 9]
            assert engine.knows_until == 9

        world.tell(story)


def test_what_an_engine_heard_before_its_turn_the_director_hears_too():
    with stage({2: ""}) as world:
        world.engines[2].kept, world.engines[2].known_until = [told(9)], 0

        async def story():
            await asyncio.sleep(0.5)
            catalogue = world.director._catalogue
            assert (catalogue.newest, catalogue.heard) == (9, 0)

        world.tell(story)


def test_a_long_catalogue_is_told_in_pages(monkeypatch):
    monkeypatch.setattr(module, "first_page", partial(first_page, bytes_max=2000))
    with stage({2: "", 3: ""}) as world:

        async def story():
            await learn(world, *(told(number) for number in range(1, 12)), until=10)
            await asyncio.sleep(0.5)
            for engine in world.engines.values():
                pages = [message.changes for message in engine.of(KeepChanges)]
                assert versions(engine.told()) == list(range(1, 12))
                assert len(pages) > 3
                assert [page.until for page in pages] == [min(10, page.changes[-1].version) for page in pages]
                assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]

        world.tell(story)


@pytest.mark.parametrize("cause", ["refuses", "deaf"])
def test_an_engine_that_did_not_take_it_is_told_again_with_the_next_change(cause):
    with stage({2: "", 3: ""}) as world:
        engine = world.engines[2]
        engine.kept_answer = Refused(Reason.NO_SPACE, "full")
        engine.deaf_to = {KEEP_CHANGES} if cause == "deaf" else set()

        async def story():
            await learn(world, told(1), until=1)
            await asyncio.sleep(4.0)
            assert versions(world.engines[3].told()) == [1]
            engine.kept_answer, engine.deaf_to = Done(), set()
            engine.heard.clear()
            await learn(world, told(2), until=2)
            assert versions(engine.told()) == [1, 2]
            assert versions(world.engines[3].told()) == [1, 2]

        world.tell(story)


@pytest.mark.parametrize("cause", ["refuses", "deaf"])
def test_an_engine_that_did_not_take_it_is_told_again_by_and_by_though_nothing_changes(cause):
    with stage({2: ""}) as world:
        engine = world.engines[2]
        engine.kept_answer = Refused(Reason.NO_SPACE, "full")
        engine.deaf_to = {KEEP_CHANGES} if cause == "deaf" else set()

        async def story():
            await learn(world, told(1), until=1)
            await asyncio.sleep(60.0)
            assert 6 <= len(engine.of(KeepChanges)) <= 14
            engine.kept_answer, engine.deaf_to = Done(), set()
            engine.heard.clear()
            await asyncio.sleep(9.0)
            assert versions(engine.told()) == [1]
            await asyncio.sleep(30.0)
            assert len(engine.of(KeepChanges)) == 1, "once it has taken it"

        world.tell(story)


def test_an_engine_that_does_not_say_what_it_knows_is_told_all_the_same():
    with stage({2: ""}) as world:
        engine = world.engines[2]
        engine.kept, engine.known_until, engine.deaf_to = [told(9)], 9, {ASK_ENGINE_CHANGES}

        async def story():
            await learn(world, told(1), until=1)
            await asyncio.sleep(5.0)
            assert 1 in versions(engine.told())

        world.tell(story)
