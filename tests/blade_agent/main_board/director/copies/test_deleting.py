"""Claim 23 from the director, in virtual time: when it asks, what it makes of the answer, what it says meanwhile."""

import asyncio
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.main_board.director.copies import eviction
from blade_agent.main_board.director.copies.eviction import excess
from blade_agent.main_board.director.copies.worth import Popularity, worth
from blade_agent.main_board.director.duty import WaterMarks
from media_network.messages.deletion import (
    DELETE_HERE,
    DELETE_SEGMENTS,
    MOVE_PROGRAM,
    REQUEST_DELETION,
    AskSurplus,
    DeleteHere,
    DeleteSegments,
    DeletionAnswer,
    DeletionDone,
    DeletionStanding,
    DeletionVerdict,
    MoveProgram,
    RequestDeletion,
    SurplusRow,
)
from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    OBTAIN,
    LocateSegment,
    Obstacle,
    ObtainStanding,
    SegmentLocation,
)
from media_network.messages.registry import ReportLocations
from media_network.messages.streaming import Redirect
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.scripted_center import GRANTED, stage_with_center
from tests.blade_agent.main_board.director.stage import EPOCH, order_of, program_of
from tests.patience import until

FILM = program_of(segments=3)
CUT = FILM.cut
WISH = DeleteHere(program="film", table=CUT.table)
HELD = DeletionAnswer(verdict=DeletionVerdict.HELD, reason="it is moved first", ask_again_ms=2000)
DENIED = DeletionAnswer(verdict=DeletionVerdict.DENIED, reason="nobody else has it")
BEGUN_S = 20.0
"""By then a director counts no player of the one before any more."""


@contextmanager
def standing_stage(inventories=None):
    """A station that has said what it holds."""
    with stage_with_center(inventories or {2: "0-2", 3: "0-1"}, [FILM]) as (world, center):
        yield world, center


async def begun(world, center):
    await asyncio.sleep(BEGUN_S)
    assert center.held == {"film": {0, 1, 2}}


async def passes(seconds):
    await asyncio.sleep(seconds)


def test_the_engines_delete_when_the_registry_approves_and_it_hears_of_it_then():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            await world.ask(DELETE_HERE, WISH)
            await passes(2)
            [request] = center.of(RequestDeletion)
            assert (request.station, request.epoch, request.generation) == ("north", EPOCH, center.generation)
            assert [len(engine.of(DeleteSegments)) for engine in world.engines.values()] == [1, 1]
            assert [engine.inventory for engine in world.engines.values()] == ["", ""]
            assert len(center.of(DeletionDone)) == 1
            assert await world.held() == {}
            assert await world.ask(DELETE_HERE, WISH) == DeletionStanding(gone=True)
            assert len(center.of(RequestDeletion)) == 1

        world.tell(story, FILM)


def test_it_asks_for_nothing_that_somebody_receives_and_nobody_begins_to_while_it_asks():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            redirect = await world.play()
            assert isinstance(redirect, Redirect)
            await world.ask(DELETE_HERE, WISH)
            await world.watch_for(redirect.session, 5)
            assert (await world.ask(DELETE_HERE, WISH)).waits == "1 console receives it"
            assert center.of(RequestDeletion) == []
            center.slow[REQUEST_DELETION] = 2.0
            await until(lambda: center.of(RequestDeletion))
            assert (await world.play()).reason is Reason.NOT_PUBLISHED
            assert (await world.ask(OBTAIN, order_of(FILM))).reason is Reason.BUSY
            question = LocateSegment(program="film", table=CUT.table, segment=0)
            assert (await world.ask(LOCATE_SEGMENT, question)).reason is Reason.NOT_HERE
            await passes(5)
            assert await world.held() == {}

        world.tell(story, FILM)


def test_it_asks_for_nothing_that_another_station_copies():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            for number in range(3):
                question = LocateSegment(program="film", table=CUT.table, segment=number)
                assert isinstance(await world.ask(LOCATE_SEGMENT, question), SegmentLocation)
                await world.ask(DELETE_HERE, WISH)
                await passes(3)
                assert (await world.ask(DELETE_HERE, WISH)).waits == "it is being copied"
            assert center.of(RequestDeletion) == []
            await passes(6)
            assert await world.held() == {}

        world.tell(story, FILM)


def test_what_is_held_is_asked_for_again_and_what_is_denied_is_not():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            center.leave = HELD
            await world.ask(DELETE_HERE, WISH)
            await passes(5)
            assert len(center.of(RequestDeletion)) == 3
            assert (await world.ask(DELETE_HERE, WISH)).waits == HELD.reason
            assert isinstance(await world.play(), Redirect), "it is in service meanwhile"

        world.tell(story, FILM)
    with standing_stage() as (world, center):

        async def denied():
            await begun(world, center)
            center.leave = DENIED
            await world.ask(DELETE_HERE, WISH)
            await passes(30)
            assert len(center.of(RequestDeletion)) == 1
            assert await world.held() == {"film": "0-2"}

        world.tell(denied, FILM)


def test_leave_that_comes_late_or_for_an_inventory_of_before_is_not_acted_on():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            center.leave = DeletionAnswer(verdict=DeletionVerdict.GRANTED, reason="", begin_within_ms=500)
            center.slow[REQUEST_DELETION] = 1.0
            await world.ask(DELETE_HERE, WISH)
            await passes(5)
            assert world.engines[2].of(DeleteSegments) == []
            center.leave = GRANTED
            await until(lambda: world.engines[2].of(DeleteSegments))

        world.tell(story, FILM)


def test_leave_that_was_perhaps_given_ends_with_the_inventory_it_was_given_for():
    """The registry says that its answer came too late: what it has decided nobody knows."""
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            reports = len(center.of(ReportLocations))
            center.refusals[REQUEST_DELETION] = Refused(Reason.OVERDUE, "the store is slow")
            await world.ask(DELETE_HERE, WISH)
            await until(lambda: len(center.of(ReportLocations)) > reports)
            assert center.generation > center.of(RequestDeletion)[0].generation
            assert (await world.ask(DELETE_HERE, WISH)).waits == "the registry refuses: the store is slow"
            center.refusals.clear()
            await passes(15)
            assert await world.held() == {}

        world.tell(story, FILM)


def test_leave_whose_answer_is_lost_ends_with_the_inventory_it_was_given_for():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            reports = len(center.of(ReportLocations))
            center.slow[REQUEST_DELETION] = 10.0
            await world.ask(DELETE_HERE, WISH)
            await until(lambda: len(center.of(ReportLocations)) > reports)
            asked = center.of(RequestDeletion)
            assert len({(request.epoch, request.generation) for request in asked}) == 1
            assert center.generation > asked[0].generation
            assert await world.held() != {}
            center.slow.clear()
            await passes(15)
            assert await world.held() == {}
            assert center.of(RequestDeletion)[-1].generation == center.generation

        world.tell(story, FILM)


def test_what_it_deletes_it_says_to_hold_no_more_while_the_engines_are_at_it():
    """Whatever it has to say of the station meanwhile: the leave was for the inventory of before."""
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            world.engines[3].deleted = Refused(Reason.BUSY, "it is being read")
            await world.ask(DELETE_HERE, WISH)
            await passes(3)
            assert (world.engines[2].inventory, world.engines[3].inventory) == ("", "0-1")
            assert center.of(DeletionDone) == []
            center.forget()
            await passes(5)
            assert center.of(ReportLocations)[-1].holdings == ()
            assert await world.held() == {}
            world.engines[3].deleted = Done()
            await passes(3)
            assert world.engines[3].inventory == ""
            assert len(center.of(DeletionDone)) == 1

        world.tell(story, FILM)


def test_an_engine_that_comes_back_with_it_deletes_it_too_and_one_that_is_lost_holds_up_nobody():
    with standing_stage() as (world, center):

        async def story():
            await begun(world, center)
            for engine in world.engines.values():
                engine.deaf_to.add(DELETE_SEGMENTS)
            await world.ask(DELETE_HERE, WISH)
            await passes(1)
            world.simulation.crash(world.engines[2].host)
            world.engines[3].deaf_to.clear()
            await passes(60)
            assert world.engines[3].inventory == ""
            assert len(center.of(DeletionDone)) == 1

        world.tell(story, FILM)


def test_a_program_that_is_moved_here_comes_from_the_station_that_is_to_delete_it():
    with stage_with_center({2: "", 3: ""}, [FILM]) as (world, _):

        async def story():
            await passes(3)
            move = MoveProgram(
                header=FILM.header, parts="127.1.0.1:8080", leaving_station="south", leaving_director="127.1.2.1:8081"
            )
            assert isinstance(await world.ask(MOVE_PROGRAM, move), ObtainStanding)
            await passes(10)
            standing = await world.ask(MOVE_PROGRAM, move)
            assert "127.1.2.1:8081 does not say" in standing.detail

        world.tell(story, FILM)


def test_a_program_that_would_bring_the_station_to_its_high_water_mark_is_not_moved_here():
    length_bytes = FILM.header.length_bytes
    with stage_with_center({2: "", 3: ""}, [FILM]) as (world, _):

        async def story():
            move = MoveProgram(
                header=FILM.header, parts="127.1.0.1:8080", leaving_station="south", leaving_director="127.1.2.1:8081"
            )
            for free_bytes, obstacle in ((length_bytes // 4, Obstacle.NO_SPACE), (20 * length_bytes, None)):
                for engine in world.engines.values():
                    engine.free_bytes, engine.stored_bytes = free_bytes, 2 * length_bytes
                await passes(3)
                standing = await world.ask(MOVE_PROGRAM, move)
                assert standing.obstacle is obstacle
                assert bool(world.director._obtaining.standing(FILM.header)) is (obstacle is None)
            assert standing == ObtainStanding()

        world.tell(story, FILM)


def test_a_station_without_room_does_without_what_nobody_ordered(monkeypatch):
    monkeypatch.setattr(eviction, "_LOOK_S", 1.0)
    with standing_stage() as (world, center):

        async def story():
            for engine in world.engines.values():
                engine.free_bytes, engine.stored_bytes = 10**6, 10**6
            center.surplus = [SurplusRow(program="film", table=CUT.table)]
            await begun(world, center)
            assert center.of(RequestDeletion) == [], "there is room"
            for engine in world.engines.values():
                engine.free_bytes = 0
            await passes(8)
            assert await world.held() == {}
            assert len(center.of(RequestDeletion)) == 1

        world.tell(story, FILM)


def test_a_full_station_of_which_all_is_wanted_asks_less_and_less_often(monkeypatch):
    monkeypatch.setattr(eviction, "_LOOK_S", 1.0)
    monkeypatch.setattr(eviction, "_DENIED_S", 60.0)
    with standing_stage() as (world, center):

        async def story():
            for engine in world.engines.values():
                engine.free_bytes, engine.stored_bytes = 0, 10**6
            asked = []
            for _ in range(3):
                before = len(center.of(AskSurplus))
                await passes(120)
                asked.append(len(center.of(AskSurplus)) - before)
            assert 5 <= asked[0] <= 9
            assert asked[2] <= 3
            center.surplus = [SurplusRow(program="film", table=CUT.table)]
            await passes(70)
            assert await world.held() == {}

        world.tell(story, FILM)


def test_copies_beyond_the_ordered_ones_go_first_and_no_leave_is_asked_for(monkeypatch):
    monkeypatch.setattr(eviction, "_LOOK_S", 1.0)
    with standing_stage({2: "0-2", 3: "0-1", 4: "1-2"}) as (world, center):

        async def story():
            center.surplus = [SurplusRow(program="film", table=CUT.table, ordered=1)]
            for slot, engine in world.engines.items():
                engine.free_bytes, engine.stored_bytes = slot, 10**6
            await begun(world, center)
            await passes(5)
            assert [engine.inventory for engine in world.engines.values()] == ["", "0", "1-2"], "those with most room"
            assert center.of(RequestDeletion) == []
            assert center.held == {"film": {0, 1, 2}}

        world.tell(story, FILM)


@contextmanager
def two_copies(monkeypatch):
    """A station with two copies of what one was ordered of, and the engine in slot 3 has most room."""
    monkeypatch.setattr(eviction, "_LOOK_S", 0.5)
    with standing_stage({2: "0-2", 3: "0-2"}) as (world, center):
        center.surplus = [SurplusRow(program="film", table=CUT.table, ordered=1)]
        for engine in world.engines.values():
            engine.free_bytes, engine.stored_bytes = 10**6, 10**6
        yield world, center


def lack_room(world):
    world.engines[2].free_bytes, world.engines[2].stored_bytes = 0, 10**9


def test_no_copy_goes_while_the_other_is_at_an_engine_whose_death_nobody_has_noticed(monkeypatch):
    with two_copies(monkeypatch) as (world, center):

        async def story():
            await begun(world, center)
            world.simulation.power_cut(world.engines[3].host)
            lack_room(world)
            await passes(20)
            assert world.engines[2].of(DeleteSegments) == []
            assert world.engines[2].inventory == "0-2"
            assert center.held == {"film": {0, 1, 2}}

        world.tell(story, FILM)


def test_a_copy_stays_as_long_as_the_one_that_is_to_be_kept_is_not_known_to_be_good(monkeypatch):
    with two_copies(monkeypatch) as (world, center):

        async def story():
            await begun(world, center)
            world.engines[3].damaged = {1}
            lack_room(world)
            await passes(5)
            assert [engine.inventory for engine in world.engines.values()] == ["1", "0-2"]
            world.engines[3].damaged = frozenset()
            await passes(5)
            assert [engine.inventory for engine in world.engines.values()] == ["", "0-2"]

        world.tell(story, FILM)


def test_what_an_engine_is_to_let_go_of_it_has_to_begin_with_soon(monkeypatch):
    """Those that keep it have said so at that moment; by the director's clock, which engines know."""
    with two_copies(monkeypatch) as (world, center):

        async def story():
            await begun(world, center)
            lack_room(world)
            await until(lambda: world.engines[2].of(DeleteSegments))
            [order] = world.engines[2].of(DeleteSegments)
            now_us = asyncio.get_running_loop().time() * 1e6
            assert now_us < order.before_us < now_us + 10e6

        world.tell(story, FILM)


def test_a_copy_that_an_engine_cannot_let_go_of_now_counts_again(monkeypatch):
    """It is read: should the other engine be lost meanwhile, it is the last one."""
    monkeypatch.setattr(eviction, "_LOOK_S", 1.0)
    with standing_stage({2: "0-2", 3: "0-2"}) as (world, center):

        async def story():
            center.surplus = [SurplusRow(program="film", table=CUT.table, ordered=1)]
            for engine in world.engines.values():
                engine.free_bytes, engine.stored_bytes = 0, 10**6
                engine.deleted = Refused(Reason.BUSY, "it is being read")
            await begun(world, center)
            await passes(5)
            told = sum(len(engine.of(DeleteSegments)) for engine in world.engines.values())
            assert told > 1, "it is asked again with each look"
            lost, left = world.engines[2], world.engines[3]
            world.simulation.power_cut(lost.host)
            await passes(12)
            left.deleted = Done()
            await passes(5)
            assert left.inventory == "0-2"
            assert center.held == {"film": {0, 1, 2}}

        world.tell(story, FILM)


@given(st.floats(0, 1e6), st.floats(0, 1e9), st.integers(0, 100))
def test_what_is_played_is_new_or_is_nowhere_else_is_worth_more(plays, age_s, elsewhere):
    value = worth(plays, age_s, elsewhere)
    assert worth(plays + 1, age_s, elsewhere) > value
    assert worth(plays, age_s + 1e6, elsewhere) <= value
    assert worth(plays, age_s, elsewhere + 1) <= value


def test_plays_fade():
    popularity = Popularity()
    popularity.note("film", 0.0)
    popularity.note("film", 0.0)
    popularity.note("other", 0.0)
    assert popularity.plays("film", 86_400.0) == pytest.approx(1.0)
    popularity.note("film", 86_400.0)
    assert popularity.plays("film", 86_400.0) == pytest.approx(2.0)
    popularity.keep_only({"other"})
    assert (popularity.plays("film", 0.0), popularity.plays("other", 0.0)) == (0.0, 1.0)


def test_room_lacks_from_the_high_water_mark_on_until_the_low_one():
    water = WaterMarks(high_percent=90, low_percent=80)
    assert excess(water, 20, 80, short=False) == (0, False)
    assert excess(water, 5, 95, short=False) == (15, True)
    assert excess(water, 15, 85, short=True) == (5, True)
    assert excess(water, 20, 80, short=True) == (0, False)
    assert excess(water, 0, 0, short=False) == (0, False)
