"""What the registry hears of a station, whatever becomes of the center meanwhile."""

import asyncio

import pytest

from blade_agent.main_board.catalogue import Catalogue
from media_network.messages.holdings import ASK_ENGINE_HOLDINGS, Holdings
from media_network.messages.obtaining import COPY_DONE, CopyDone, CopyResult
from media_network.messages.program_information import AskChanges
from media_network.messages.registry import (
    ADD_LOCATIONS,
    REGISTER_STATION,
    REMOVE_LOCATIONS,
    REPORT_LOCATIONS,
    AddLocations,
    RegisterStation,
    RemoveLocations,
    ReportLocations,
)
from media_network.messages.streaming import PLAY, Play, Redirect
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.scripted_center import NOW_MS, stage_with_center
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    DIRECTOR,
    DIRECTOR_MEDIA,
    EPOCH,
    INTERVALS,
    RATE_BPS,
    STATE,
    engine_address,
    program_of,
    tombstone,
)
from tests.holdings import by_cut, holdings_of

FILM = program_of()


def told(story, inventories, up=True, published=None):
    with stage_with_center(inventories, [FILM], up) as (world, center):
        world.tell(lambda: story(world, center), published)


async def stored(world, slot, segment, result=CopyResult.STORED, cut=FILM.cut):
    message = CopyDone(
        engine=str(engine_address(slot)),
        boot=world.engines[slot].boot,
        program=cut.program,
        table=cut.table,
        segment=segment,
        result=result,
        copied_bytes=1,
    )
    assert await world.ask(COPY_DONE, message) == Done()


SETTLED_S = INTERVALS.settle_ms / 1000 + 1.0


def test_a_director_registers_reports_and_then_tells_each_change():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        assert center.of(RegisterStation)[-1] == RegisterStation(
            station="north",
            director=str(DIRECTOR),
            media=str(DIRECTOR_MEDIA),
            epoch=EPOCH,
            engines=2,
            staying=2,
            heard=1,
            free_bps=2 * 10**9,
            free_bytes=2 * 10**12,
            high_percent=90.0,
        )
        [report] = center.of(ReportLocations)
        assert (report.station, report.epoch, report.generation) == ("north", EPOCH, 1)
        assert by_cut(Holdings(holdings=report.holdings)) == {FILM.cut: "0-2"}
        assert (report.after, report.more) == (None, False)
        await stored(world, 2, 3)
        await stored(world, 2, 0, CopyResult.SOURCE_LOST)
        await asyncio.sleep(0.5)
        assert center.held == {"film": {0, 1, 2, 3}}
        world.simulation.power_cut(world.engines[3].host)
        await asyncio.sleep(6.0)
        assert center.held == {"film": {0, 1, 3}}
        [removed] = center.of(RemoveLocations)
        assert (removed.segments, removed.generation) == ("2", 1)
        world.simulation.restart(world.engines[3].host)
        await asyncio.sleep(1.0)
        assert center.held == {"film": {0, 1, 2, 3}}
        assert len(center.of(ReportLocations)) == 1

    told(story, {2: "0-1", 3: "1-2"})


def test_a_registration_says_what_the_station_can_give_at_that_moment():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        await world.streaming()
        await asyncio.sleep(2 * INTERVALS.registration_ms / 1000)
        before, *_, now = center.of(RegisterStation)
        assert (before.zone, before.lease_ms) == ("", 15_000)
        assert (now.free_bps, now.free_bytes) == (2 * 10**9 - RATE_BPS, 2 * 10**12)
        assert now.load == RATE_BPS / (2 * 10**9)
        world.simulation.power_cut(world.engines[3].host)
        await asyncio.sleep(6.0)
        now = center.of(RegisterStation)[-1]
        assert now.free_bytes == 10**12
        assert now.free_bps in (10**9, 10**9 - RATE_BPS)

    told(story, {2: "0-3", 3: "0-3"}, published=FILM)


def test_what_an_engine_holds_is_heard_page_by_page_and_reported_when_all_is_known():
    epic, song = (program_of(name=name, version=version) for name, version in (("gala", 2), ("song", 3)))

    async def story(world, center):
        center.page = 100
        for program in (epic, song):
            center.add(program)
        engine = world.engines[2]
        engine.later_pages = (holdings_of({epic.cut: "0-1"}, more=True), holdings_of({song.cut: "3"}))
        engine.deaf_to = {ASK_ENGINE_HOLDINGS}
        world.simulation.crash(engine.host)
        world.simulation.restart(engine.host)
        await asyncio.sleep(SETTLED_S + 2.0)
        assert center.of(ReportLocations) == [], "not all is known"
        assert (await world.ask(PLAY, Play(program="film", console=CONSOLE))).turn == 1, "what is known is served"
        engine.deaf_to = set()
        await asyncio.sleep(3.0)
        [report] = center.of(ReportLocations)
        assert by_cut(Holdings(holdings=report.holdings)) == {FILM.cut: "0-1", epic.cut: "0-1", song.cut: "3"}
        assert await world.held() == {"film": "0-1", "gala": "0-1", "song": "3"}

    told(story, {2: "0-1"}, published=FILM)


def test_what_an_engine_stores_while_it_is_asked_for_a_page_is_held_though_the_page_does_not_have_it():
    epic = program_of(name="gala", version=2)

    async def story(world, center):
        center.add(epic)
        engine = world.engines[2]
        engine.later_pages = (holdings_of({epic.cut: "0-1"}),)
        engine.before[ASK_ENGINE_HOLDINGS] = lambda: stored(world, 2, 3, cut=epic.cut)
        world.simulation.crash(engine.host)
        world.simulation.restart(engine.host)
        await asyncio.sleep(SETTLED_S)
        assert await world.held() == {"film": "0-1", "gala": "0-1,3"}

    told(story, {2: "0-1"}, published=FILM)


def test_an_engine_that_dies_between_two_pages_does_not_silence_its_station():
    epic = program_of(name="gala", version=2)

    async def story(world, center):
        center.add(epic)
        engine = world.engines[2]
        engine.later_pages = (holdings_of({epic.cut: "0-1"}),)
        engine.deaf_to = {ASK_ENGINE_HOLDINGS}
        world.simulation.crash(engine.host)
        world.simulation.restart(engine.host)
        await asyncio.sleep(3.0)
        world.simulation.power_cut(engine.host)
        await asyncio.sleep(SETTLED_S + 10.0)
        [report] = center.of(ReportLocations)
        assert by_cut(Holdings(holdings=report.holdings)) == {FILM.cut: "1-2"}

    told(story, {2: "0-1", 3: "1-2"}, published=FILM)


def test_what_an_engine_brings_that_others_hold_too_is_no_news():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        world.simulation.crash(world.engines[3].host)
        world.simulation.restart(world.engines[3].host)
        await asyncio.sleep(3.0)
        assert center.of(AddLocations) == center.of(RemoveLocations) == []

    told(story, {2: "0-3", 3: "0-3"})


def test_a_center_that_was_away_hears_everything_when_it_is_there():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        await stored(world, 2, 2)
        await asyncio.sleep(60.0)
        world.simulation.start(center.host, center.run)
        await asyncio.sleep(10.0)
        assert center.held == {"film": {0, 1, 2}}
        world.simulation.power_cut(center.host)
        await stored(world, 2, 3)
        await asyncio.sleep(60.0)
        world.simulation.restart(center.host)
        await asyncio.sleep(10.0)
        assert center.held == {"film": {0, 1, 2, 3}}

    told(story, {2: "0-1"}, up=False)


@pytest.mark.parametrize("verb", [REPORT_LOCATIONS, ADD_LOCATIONS, REMOVE_LOCATIONS], ids=lambda verb: verb.path)
def test_what_changes_while_something_is_said_is_said_next(verb):
    async def story(world, center):
        center.slow = {verb: 1.0}
        await asyncio.sleep(INTERVALS.settle_ms / 1000 - 0.6)
        await stored(world, 2, 2)
        await asyncio.sleep(0.3)
        if verb is REMOVE_LOCATIONS:
            world.simulation.power_cut(world.engines[3].host)
            await asyncio.sleep(4.0)
        elif verb is ADD_LOCATIONS:
            await asyncio.sleep(SETTLED_S)
            await stored(world, 2, 1)
            await asyncio.sleep(0.5)
        await stored(world, 2, 3)
        await asyncio.sleep(10.0)
        expected = {0, 1, 2, 3} if verb is not REMOVE_LOCATIONS else {0, 2, 3}
        assert center.held == {"film": expected}

    told(story, {2: "0", 3: "1"})


def test_a_registry_that_forgot_the_station_gets_a_new_full_report():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        center.forget()
        await asyncio.sleep(INTERVALS.registration_ms / 1000 + 1.0)  # nothing changed: it is noticed all the same
        assert center.held == {"film": {0, 1}}
        center.refusals = {ADD_LOCATIONS: Refused(Reason.UNKNOWN_STATION)}
        await stored(world, 2, 2)
        await asyncio.sleep(5.0)
        center.refusals = {}
        await asyncio.sleep(5.0)
        assert center.held == {"film": {0, 1, 2}}
        generations = [report.generation for report in center.of(ReportLocations)]
        assert generations == sorted(set(generations))

    told(story, {2: "0-1"})


def test_a_director_that_was_superseded_goes_on_serving():
    async def story(world, center):
        center.refusals = dict.fromkeys((REGISTER_STATION, REPORT_LOCATIONS), Refused(Reason.STALE_EPOCH))
        await asyncio.sleep(10.0)
        assert center.held == {}
        assert isinstance(await world.play(), Redirect)
        center.refusals = {}
        await asyncio.sleep(10.0)
        assert center.held == {"film": {0, 1}}

    told(story, {2: "0-1"}, published=FILM)


def test_a_publication_that_was_not_heard_is_caught_up_with():
    async def story(world, center):
        center.add(program_of(published=False, version=2))
        await asyncio.sleep(3.0)
        assert (await world.play()).reason is Reason.NOT_PUBLISHED
        center.add(program_of(version=3))
        await asyncio.sleep(3.0)
        assert isinstance(await world.ask(PLAY, Play(program="film", console=CONSOLE)), Redirect)
        assert center.of(RegisterStation)[-1].heard == 3
        asked = len(center.of(AskChanges))
        await asyncio.sleep(20.0)
        assert len(center.of(AskChanges)) == asked

    told(story, {2: "0-3"})


def test_a_long_feed_comes_in_pages():
    async def story(world, center):
        center.page = 2
        for number in range(3, 10):
            center.add(program_of(name=f"film-{number}", version=number))
        center.say(tombstone(10, "film-4"))
        await asyncio.sleep(3.0)
        catalogue = world.director._catalogue
        assert catalogue.heard == 10
        assert set(catalogue) == {
            "film",
            *(f"film-{number}" for number in (3, 5, 6, 7, 8, 9)),
        }
        asked = [question.since for question in center.of(AskChanges)]
        assert asked == [0, *asked[1:]] == sorted(set(asked))
        assert len(asked) >= 4

    told(story, {2: "0-3"})


def test_the_center_hears_who_has_let_go_of_what_was_withdrawn():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        center.say(tombstone(2, "film"))
        await asyncio.sleep(3.0)
        assert await world.held() == {}
        removed = center.of(RemoveLocations)
        assert [(each.program, each.table, each.segments) for each in removed] == [(*FILM.cut, "0-3")]

    told(story, {2: "0-3", 3: "0-1"})


def test_a_director_takes_the_time_from_its_center_and_a_program_into_service_when_it_is_due():
    async def story(world, center):
        center.add(program_of(version=2, publish_at_ms=NOW_MS + 60_000, window_ends_ms=NOW_MS + 120_000))
        await asyncio.sleep(3.0)
        clock = world.director._catalogue.clock
        assert NOW_MS <= clock.now_ms() <= NOW_MS + 10_000
        assert (await world.play()).reason is Reason.NOT_PUBLISHED
        center.now_ms = NOW_MS + 60_000
        await asyncio.sleep(3.0)
        assert isinstance(await world.play(), Redirect)
        again = Catalogue(world.disk, STATE / "catalogue")
        await again.load()
        assert again.clock.now_ms() >= NOW_MS + 60_000, "though nothing has changed since"
        await asyncio.sleep(60.0)
        assert (await world.play()).reason is Reason.NOT_PUBLISHED

    told(story, {2: "0-3"})


def test_a_stray_segment_on_a_disk_does_not_spoil_the_report():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S + 3.0)
        assert center.held == {"film": {0, 1}}

    told(story, {2: "0-1,99"})


def test_a_full_disk_does_not_end_a_term():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        world.disk.capacity_bytes = 0
        center.add(program_of(name="epic", version=2))
        await asyncio.sleep(5.0)
        assert isinstance(await world.play(), Redirect)
        assert center.of(RegisterStation)[-1].heard == 1
        world.disk.capacity_bytes = 1 << 30
        await asyncio.sleep(5.0)
        assert (await world.play("epic")).reason is Reason.NO_ENGINE
        assert center.of(RegisterStation)[-1].heard == 2

    told(story, {2: "0-1"})
