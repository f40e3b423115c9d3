"""Where programs are: known from the feeds of their centers, with its age, while those are there and while not."""

import asyncio

import pytest

from distribution_center.content.segment_folder import segment_path
from media_network.messages.content import WITHDRAW, Withdraw
from media_network.messages.headquarters import ASK_WHERE, AskWhere
from media_network.messages.registry import ADD_LOCATIONS, REMOVE_LOCATIONS
from media_network.refusal import Reason
from tests.distribution_center.headquarters.headquarters_world import HOME
from tests.distribution_center.headquarters.scripted_center import HEADER, ScriptedCenter, comes, scripted
from tests.distribution_center.world import CONTENTS


async def where(world, program="film", center="east", **page):
    return await world.ask(ASK_WHERE, AskWhere(center=center, program=program, **page))


async def places(world, program="film", center="east"):
    """Segments by station, page by page; None: there is no such program."""
    found, page = {}, None
    while page is None or page.more:
        page = await where(world, program, center, after=max(found, default=""), limit=2)
        if not hasattr(page, "stations"):
            return None
        found |= {share.station: share.segments for share in page.stations}
    return found


def test_where_a_program_is_follows_page_by_page(simulated):
    async def story(world):
        async with world.mam(), scripted(world) as east:
            east.has("film", "song", version=1)
            east.holds("film", version=1, **{f"station-{number}": number + 1 for number in range(8)})
            await comes(lambda: places(world), {f"station-{number}": number + 1 for number in range(8)})
            assert [since for since in east.asked_shares if since < 8] == [0, 0, 3, 6], "a page after the other"
            assert await places(world, "song") == {}
            east.holds("film", version=9, **{"station-3": 0, "station-5": 2})
            left = {f"station-{number}": number + 1 for number in range(8) if number != 3} | {"station-5": 2}
            await comes(lambda: places(world), left)
            page = await where(world, limit=3)
            assert [share.station for share in page.stations] == ["station-0", "station-1", "station-2"]
            assert page.more
            assert {share.of for share in page.stations} == {HEADER.segments}
            assert not (await where(world, after="station-6")).more

    simulated(story)


def test_it_is_known_with_its_age_while_its_center_is_away(simulated):
    """Also by a headquarters that has been killed meanwhile."""

    async def story(world):
        async with world.mam():
            async with scripted(world) as east:
                east.has("film", version=1)
                east.holds("film", version=1, home=4, north=1)
                await comes(lambda: places(world), {"home": 4, "north": 1})
                now = await where(world)
                assert now.obstacle is None
                assert now.age_ms < 2500
                await asyncio.sleep(15.0)
            await asyncio.sleep(60.0)
            then = await where(world)
            assert then.stations == now.stations
            assert 60_000 <= then.age_ms < 65_000
            assert then.obstacle.startswith("east is away: ")
        async with world.mam():
            again = await where(world)
            assert again.stations == now.stations
            assert then.age_ms <= again.age_ms < then.age_ms + 15_000, "older than it is, by so much at most"
            assert again.obstacle.startswith("east is away: ")
            for center, program, reason in (
                ("east", "none", Reason.UNKNOWN_PROGRAM),
                ("west", "film", Reason.UNKNOWN_PROGRAM),
                ("nort", "film", Reason.UNKNOWN_CENTER),
            ):
                assert (await where(world, program, center)).reason is reason

    simulated(story)


def test_it_grows_old_while_its_center_answers_and_does_not_tell(simulated):
    async def story(world):
        async with world.mam(), scripted(world) as east:
            east.has("film", version=1)
            east.holds("film", version=1, home=4)
            await comes(lambda: places(world), {"home": 4})
            east.answers = 0
            await asyncio.sleep(30.0)
            stale = await where(world)
            assert stale.age_ms >= 28_000
            assert stale.obstacle == "east does not say what has changed: its disk is full"
            east.answers = None
            await asyncio.sleep(5.0)
            assert (await where(world)).obstacle is None

    simulated(story)


def test_before_all_has_come_it_says_so(simulated):
    async def story(world):
        east = ScriptedCenter()
        east.has(*(f"film-{number}" for number in range(9)), version=1)
        east.holds("film-0", version=1, home=4)
        east.answers = 1
        async with world.mam(), scripted(world, center=east):
            await asyncio.sleep(5.0)
            early = await where(world, "film-0")
            assert (early.age_ms, [share.station for share in early.stations]) == (None, ["home"])
            assert early.obstacle.startswith("east does not say what has changed")

    simulated(story)


@pytest.mark.parametrize("first", [1, 100])
def test_what_a_registry_that_was_lost_does_not_know_any_more_goes(simulated, first):
    async def story(world):
        async with world.mam(), scripted(world) as east:
            east.has("film", version=1)
            east.holds("film", version=10, home=4, north=1)
            await comes(lambda: places(world), {"home": 4, "north": 1})
            east.begin_anew()
            east.has("film", version=first)
            east.holds("film", version=first, home=3)
            await comes(lambda: places(world), {"home": 3})

    simulated(story)


def test_real_centers_are_followed_too(simulated, made):
    """What stations obtain, lose, and what is withdrawn."""

    async def story(world):
        async with world.everybody():
            await world.order("east")
            await comes(lambda: places(world), {HOME: len(CONTENTS)})
            east = world.centers["east"]
            async with east.station("north", port=9500) as north:
                await north.say(ADD_LOCATIONS, range(4))
                await comes(lambda: places(world), {HOME: len(CONTENTS), "north": len(CONTENTS)})
                await north.say(REMOVE_LOCATIONS, [0, 2])
                await comes(lambda: places(world), {HOME: len(CONTENTS), "north": len(CONTENTS) - 2})
            await east.ask(WITHDRAW, Withdraw("film"))
            await comes(lambda: places(world), None)
            assert not segment_path(east.folder / "spool" / "film", 0).exists()

    simulated(story)
