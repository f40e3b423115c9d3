"""Deletions at the center, with directors that a test scripts: what is wished is said until it ends, and what is to be
saved is moved to a station with room, or to another one if that does not take it."""

import asyncio
from contextlib import asynccontextmanager

from media_network.address import Address
from media_network.http.server import serve
from media_network.messages.content import PUBLISH, Publish
from media_network.messages.deletion import (
    ASK_DELETION,
    ASK_SURPLUS,
    DELETE_HERE,
    DELETE_PROGRAM,
    DELETION_DONE,
    DISMISS_DELETION,
    LIST_DELETIONS,
    MOVE_PROGRAM,
    REQUEST_DELETION,
    AskDeletion,
    AskSurplus,
    DeleteProgram,
    DeletionDone,
    DeletionStage,
    DeletionStanding,
    DeletionVerdict,
    DismissDeletion,
    ListDeletions,
    RequestDeletion,
)
from media_network.messages.obtaining import Obstacle, ObtainStanding
from media_network.messages.registry import ADD_LOCATIONS
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.distribution_center.world import HOME, ScriptedDirector, film

FILM = film(published=True)
WHOLE = range(4)
ROOM = 10**12


class Director(ScriptedDirector):
    """One that keeps what it has until it is told to say that it has deleted it."""

    def __init__(self, *args):
        super().__init__(*args)
        self.wishes, self.moves = [], []
        self.says = DeletionStanding(waits="1 console receives it")
        self.takes_in = ObtainStanding()
        """What it answers to a move."""

    def table(self):
        table = super().table()
        table.verb(DELETE_HERE, self._wish)
        table.verb(MOVE_PROGRAM, self._move)
        return table

    async def _wish(self, wish):
        self.wishes.append(wish)
        return self.says

    async def _move(self, move):
        self.moves.append(move)
        return self.takes_in

    def stamped(self, kind):
        stamp = {"station": self.station, "epoch": self.epoch, "generation": self.generation}
        return kind(**stamp, program="film", table=FILM.header.table)

    async def request(self):
        return await self.http.ask(self.center, REQUEST_DELETION, self.stamped(RequestDeletion))

    async def confirm(self):
        return await self.http.ask(self.center, DELETION_DONE, self.stamped(DeletionDone))


@asynccontextmanager
async def stations(world, **holding):
    """A center and its stations, by the segments that they hold."""
    world.folder.mkdir()
    await world.put_in_spool(FILM)
    async with world.center():
        directors, servers = {}, []
        for name, segments in holding.items():
            director = directors[name] = Director(name, world.address, world.http)
            server = serve(director.table(), Address("127.0.0.1", 9000 + len(servers)))
            director.address = await server.__aenter__()
            servers.append(server)
            await director.begin()
            await director.register(free_bytes=ROOM, stored_bytes=0)
            if segments:
                await director.say(ADD_LOCATIONS, segments)
        try:
            yield directors
        finally:
            for server in servers:
                await server.__aexit__(None, None, None)


async def row(world):
    rows = (await world.ask(LIST_DELETIONS, ListDeletions())).deletions
    return rows[0] if rows else None


def wish(station):
    return DeleteProgram(program="film", station=station)


def test_a_wish_is_said_until_it_ends_and_says_what_it_waits_for(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=WHOLE, south=WHOLE) as directors:
            north = directors["north"]
            assert (await world.ask(DELETE_PROGRAM, wish("north"))).stage is DeletionStage.WAITING
            await asyncio.sleep(5)
            assert len(north.wishes) >= 2
            assert (await row(world)).reason == "1 console receives it"
            assert (await north.request()).verdict is DeletionVerdict.GRANTED
            assert (await row(world)).stage is DeletionStage.DELETING
            assert await north.confirm() == Done()
            assert await row(world) is None
            told = await world.ask(ASK_DELETION, AskDeletion(program="film", station="north"))
            assert told.stage is DeletionStage.DONE
            assert set((await world.row("film")).stations) == {HOME, "south"}
            refused = await world.ask(ASK_DELETION, AskDeletion(program="film", station="south"))
            assert refused.reason is Reason.NOT_HERE
            said = len(north.wishes)
            await asyncio.sleep(20)
            assert len(north.wishes) == said

    simulated(story)


def test_a_wish_that_makes_no_sense_is_refused_and_what_is_there_no_more_is_done(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=()) as directors:
            for order, reason in (
                (DeleteProgram(program="none", station="north"), Reason.UNKNOWN_PROGRAM),
                (wish("nowhere"), Reason.UNKNOWN_STATION),
            ):
                refused = await world.ask(DELETE_PROGRAM, order)
                assert isinstance(refused, Refused)
                assert refused.reason is reason
            directors["north"].says = DeletionStanding(gone=True)
            await world.ask(DELETE_PROGRAM, wish("north"))
            await asyncio.sleep(5)
            assert await row(world) is None

    simulated(story)


def test_a_director_that_does_not_answer_is_said(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=WHOLE) as directors:
            await directors["north"].register(director="127.0.0.1:1")
            await world.ask(DELETE_PROGRAM, wish("north"))
            await asyncio.sleep(5)
            assert "does not answer at 127.0.0.1:1" in (await row(world)).reason

    simulated(story)


def test_a_director_that_refuses_a_wish_is_not_said_to_be_silent(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=WHOLE) as directors:
            directors["north"].says = Refused(Reason.BAD_MESSAGE, "it is of a release that nobody knows")
            await world.ask(DELETE_PROGRAM, wish("north"))
            await asyncio.sleep(5)
            assert (await row(world)).reason == (
                "the director of station north refuses: it is of a release that nobody knows"
            )

    simulated(story)


def test_the_last_copy_is_moved_to_the_station_with_most_room_and_to_another_if_it_takes_none(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=WHOLE, south=(), west=(), full=()) as directors:
            north, south, west, full = (directors[name] for name in ("north", "south", "west", "full"))

            async def register_all():
                for name, director in directors.items():
                    stored_bytes = ROOM * 9 if name == "full" else 0
                    await director.register(free_bytes=ROOM * (2 if name == "south" else 1), stored_bytes=stored_bytes)

            await world.ask(PUBLISH, Publish("film"))
            await register_all()
            await world.ask(DELETE_PROGRAM, wish("north"))
            answer = await north.request()
            assert answer.verdict is DeletionVerdict.HELD
            assert answer.reason.endswith("south")
            for _ in range(10):
                await asyncio.sleep(8)
                await register_all()
                await north.request()
            assert south.moves[0].leaving_station == "north"
            assert south.moves[0].leaving_director == str(north.address)
            assert west.moves
            assert not full.moves, "it would have too little left"
            assert (await row(world)).destination == "west"
            await west.say(ADD_LOCATIONS, WHOLE)
            assert (await north.request()).verdict is DeletionVerdict.GRANTED
            await north.confirm()
            assert set((await world.row("film")).stations) == {HOME, "west"}

    simulated(story)


def test_a_station_that_would_come_to_its_high_water_mark_is_no_destination(simulated):
    """Though it would have enough of its storage free: something of its own would have to go for it."""

    async def story(world):
        async with stations(world, home=WHOLE, north=WHOLE, south=()) as directors:
            north, south = directors["north"], directors["south"]
            await world.ask(PUBLISH, Publish("film"))
            await north.register(free_bytes=0, stored_bytes=ROOM)
            for high_percent, verdict in ((70.0, DeletionVerdict.DENIED), (70.1, DeletionVerdict.HELD)):
                await south.register(free_bytes=ROOM * 30, stored_bytes=ROOM * 70, high_percent=high_percent)
                await asyncio.sleep(1.5)
                assert (await north.request()).verdict is verdict

    simulated(story)


def test_a_station_that_says_to_have_no_room_is_asked_no_more_at_once(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=WHOLE, south=(), west=()) as directors:
            north, south, west = (directors[name] for name in ("north", "south", "west"))
            south.takes_in = ObtainStanding(obstacle=Obstacle.NO_SPACE)
            await world.ask(PUBLISH, Publish("film"))
            await south.register(free_bytes=ROOM * 2, stored_bytes=0)
            await world.ask(DELETE_PROGRAM, wish("north"))
            for _ in range(5):
                await north.request()
                await asyncio.sleep(1.0)
            assert (len(south.moves), bool(west.moves)) == (1, True)

    simulated(story)


def test_a_denied_deletion_is_dismissed(simulated):
    async def story(world):
        async with stations(world, home=(), north=WHOLE) as directors:
            at_north = DismissDeletion(program="film", station="north")
            await world.ask(DELETE_PROGRAM, wish("north"))
            refused = await world.ask(DISMISS_DELETION, at_north)
            assert (refused.reason, refused.state) == (Reason.NOT_READY, DeletionStage.WAITING)
            assert (await directors["north"].request()).verdict is DeletionVerdict.DENIED
            assert (await row(world)).stage is DeletionStage.DENIED
            for _ in range(2):
                assert await world.ask(DISMISS_DELETION, at_north) == Done()
            assert await row(world) is None
            assert set((await world.row("film")).stations) == {"north"}
            unknown = await world.ask(DISMISS_DELETION, DismissDeletion(program="none", station="north"))
            assert unknown.reason is Reason.UNKNOWN_PROGRAM

    simulated(story)


def test_what_a_station_has_beyond_what_was_ordered_is_told(simulated):
    async def story(world):
        async with stations(world, home=WHOLE, north=[1]):
            [found] = (await world.ask(ASK_SURPLUS, AskSurplus(station="north"))).programs
            assert (found.cut, found.ordered, found.elsewhere) == (FILM.cut, 0, 1)

    simulated(story)
