"""What the registry hears of a station, whatever becomes of the center meanwhile."""

import asyncio

import pytest

from media_network.http.server import HandlerTable, serve
from media_network.messages.obtaining import COPY_DONE, CopyDone, CopyResult
from media_network.messages.registry import (
    ADD_LOCATIONS,
    LIST_CATALOGUE,
    REGISTER_STATION,
    REMOVE_LOCATIONS,
    REPORT_LOCATIONS,
    AddLocations,
    CatalogueListing,
    RegisterStation,
    RemoveLocations,
    ReportLocations,
    StationRegistered,
)
from media_network.messages.streaming import PLAY, Play, Redirect
from media_network.messages.verb import Done
from media_network.program import ProgramState
from media_network.refusal import Reason, Refused
from media_network.segment_set import parse_segments
from tests.blade_agent.main_board.director.stage import (
    CENTER,
    CONSOLE,
    DIRECTOR,
    DIRECTOR_MEDIA,
    EPOCH,
    INTERVALS,
    engine_address,
    program_of,
    stage,
)

FILM = program_of()


class ScriptedCenter:
    """Keeps what it is told as the registry does, and everything it heard."""

    def __init__(self, world):
        self.host = world.simulation.host(CENTER.host)
        self.heard = []
        self.generation = 0
        self.held = {}
        self.programs = (FILM,)
        self.version = 1
        self.refusals = {}
        """By verb: what it is refused with."""
        self.slow = {}
        """By verb: how long its answer takes."""

    async def run(self):
        table = HandlerTable("scripted center")
        for verb, answer in {
            REGISTER_STATION: self._register,
            REPORT_LOCATIONS: self._replace,
            ADD_LOCATIONS: self._add,
            REMOVE_LOCATIONS: self._remove,
            LIST_CATALOGUE: self._catalogue,
        }.items():
            table.verb(verb, self._answer(verb, answer))
        async with serve(table, CENTER):
            await asyncio.Event().wait()

    def _answer(self, verb, answer):
        async def hear(message):
            self.heard.append(message)
            await asyncio.sleep(self.slow.get(verb, 0.0))
            return self.refusals.get(verb) or answer(message)

        return hear

    def _register(self, _):
        return StationRegistered(catalogue_version=self.version, generation=self.generation)

    def _replace(self, message):
        self.generation = message.generation
        self.held = {program: set(parse_segments(text)) for program, text in message.locations.items()}
        return Done()

    def _add(self, message):
        return self._change(message, set.update)

    def _remove(self, message):
        return self._change(message, set.difference_update)

    def _change(self, message, apply):
        if message.generation != self.generation:
            return Refused(Reason.UNKNOWN_STATION)
        apply(self.held.setdefault(message.program, set()), parse_segments(message.segments))
        return Done()

    def _catalogue(self, _):
        return CatalogueListing(version=self.version, programs=self.programs)

    def forget(self):
        """Lose what it knew, as with a new disk."""
        self.generation, self.held = 0, {}

    def of(self, kind):
        return [message for message in self.heard if isinstance(message, kind)]


def told(story, inventories, up=True, within_s=600.0):
    with stage(inventories, center=CENTER) as world:
        center = ScriptedCenter(world)
        if up:
            world.simulation.start(center.host, center.run)
        world.tell(lambda: story(world, center), within_s=within_s)


async def stored(world, slot, segment, result=CopyResult.STORED):
    message = CopyDone(
        engine=str(engine_address(slot)),
        boot=world.engines[slot].boot,
        program="film",
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
            station="north", director=str(DIRECTOR), media=str(DIRECTOR_MEDIA), epoch=EPOCH, engines=2
        )
        [report] = center.of(ReportLocations)
        assert (report.station, report.epoch, report.generation) == ("north", EPOCH, 1)
        assert report.locations == {"film": "0-2"}
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

    with stage({2: "0-1"}, center=CENTER) as world:
        center = ScriptedCenter(world)
        world.simulation.start(center.host, center.run)
        world.tell(lambda: story(world, center), FILM)


def test_a_publication_that_was_not_heard_is_caught_up_with():
    async def story(world, center):
        center.programs = (program_of(state=ProgramState.INACTIVE),)
        center.version = 2
        await asyncio.sleep(3.0)
        assert (await world.play()).reason is Reason.NOT_PUBLISHED
        center.programs, center.version = (FILM,), 3
        await asyncio.sleep(3.0)
        assert isinstance(await world.ask(PLAY, Play(program="film", console=CONSOLE)), Redirect)
        asked = sum(type(message).__name__ == "ListCatalogue" for message in center.heard)
        await asyncio.sleep(20.0)
        assert sum(type(message).__name__ == "ListCatalogue" for message in center.heard) == asked

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
        center.programs = (FILM, program_of(name="epic"))
        center.version = 2
        await asyncio.sleep(5.0)
        assert isinstance(await world.play(), Redirect)
        world.disk.capacity_bytes = 1 << 30
        await asyncio.sleep(5.0)
        assert (await world.play("epic")).reason is Reason.NO_ENGINE

    told(story, {2: "0-1"})
