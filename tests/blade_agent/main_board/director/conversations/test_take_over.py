"""A director that finds streams under way: what its engines tell it is enough to go on, and to end what is over."""

import asyncio

import pytest
from msgspec.structs import replace

from blade_agent.main_board.catalogue import change_of
from media_network.messages.enlisting import ENLIST, REPORT, RunningStream, TurnPhase
from media_network.messages.program_information import KeepChanges
from media_network.messages.steering import END_STREAM, RESUME, Bookmark, EndStream, Resume
from media_network.messages.verb import Done
from media_network.messages.watching import ProgramPoint, SessionState
from media_network.refusal import Reason
from media_network.ticket import TicketKey
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    EPOCH,
    LEASE_S,
    PACKETS_PER_S,
    cursor_of,
    engine_media,
    program_of,
    stage,
)

FILM = program_of()
ALL = "0-3"
THREE = {2: ALL, 3: ALL, 4: ALL}
FIRST_OWN_TURN = EPOCH << 20


def running(session="s", turn=5, segment=1, packet=3000, phase=TurnPhase.SENDING, reach=3100, table=FILM.header.table):
    cursor = replace(cursor_of(session, turn, segment, packet), reach=reach)
    return RunningStream(cursor=cursor, phase=phase, program="film", table=table, console=CONSOLE, first_packet=0)


async def enlist(world, slot, *streams):
    """An engine enlists anew, with these streams; its reports name them from now on."""
    engine = world.engines[slot]
    active = (TurnPhase.SENDING, TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN)
    engine.cursors = tuple(stream.cursor for stream in streams if stream.phase in active)
    return await world.ask(ENLIST, replace(engine.enlistment(), streams=streams))


def test_a_stream_of_the_director_before_goes_on_with_turns_that_it_cannot_have_given():
    with stage(THREE) as world:

        async def story():
            assert (await enlist(world, 2, running())).revoked == ()
            view = await world.view("s")
            assert (view.state, view.engine) == (SessionState.STREAMING, str(engine_media(2)))
            assert (view.present.turn, view.present.segment, view.turns) == (5, 1, 1)
            (served,) = (await world.watch("s")).served
            assert (served.turn, served.segment, served.engine) == (5, FILM.segments[1], str(engine_media(2)))
            answer = await world.next("s", 5, segment=1)
            assert answer.hand_over.turn > FIRST_OWN_TURN
            assert answer.hand_over.segment == FILM.segments[2]

        world.tell(story, FILM)


def test_the_engine_that_was_handed_to_meanwhile_has_the_stream_whoever_enlists_first():
    for order in ((2, 3), (3, 2)):
        with stage(THREE) as world:

            async def story(order=order, world=world):
                streams = {2: running(phase=TurnPhase.HANDING_OVER), 3: running(turn=6, segment=2, packet=5)}
                answers = {slot: await enlist(world, slot, streams[slot]) for slot in order}
                view = await world.view("s")
                assert view.engine == str(engine_media(3))
                await asyncio.sleep(1.0)
                revoked = {(cursor.session, cursor.turn) for cursor in (*answers[2].revoked, *world.engines[2].revoked)}
                assert revoked == {("s", 5)}
                assert answers[3].revoked == ()
                assert not world.engines[3].revoked

            world.tell(story, FILM)


def test_a_console_that_was_redirected_before_gets_its_stream():
    with stage(THREE) as world:

        async def story():
            waiting = running(turn=1, segment=0, packet=0, phase=TurnPhase.PRELOADED, reach=0)
            await enlist(world, 2, waiting)
            assert (await world.view("s")).state is SessionState.REDIRECTED
            assert await world.assume("s", 1, 2) == Done()
            assert (await world.view("s")).state is SessionState.STREAMING

        world.tell(story, FILM)


@pytest.mark.parametrize("phase", [TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN])
def test_a_stream_that_may_have_been_handed_over_is_not_resumed_before_every_lease_has_ended(phase):
    with stage(THREE) as world:

        async def story():
            await enlist(world, 2, running(packet=10_000, reach=10_000, phase=phase))
            world.simulation.crash(world.engines[2].host)
            await world.watch_for("s", 1.0)
            assert not world.starts()
            await world.watch_for("s", 5.0)
            [started] = world.starts()
            assert (started.segment, started.packet) > (2, 3 * PACKETS_PER_S)

        world.tell(story, FILM)


def test_program_information_that_only_an_engine_kept_is_recalled():
    with stage(THREE) as world:
        engine = world.engines[3]

        async def story():
            await world.keep_table(FILM)
            engine.kept, engine.known_until = [change_of(FILM.header)], 1
            answer = await world.ask(ENLIST, engine.enlistment())
            assert answer.revoked == ()
            await asyncio.sleep(0.1)
            redirect = await world.play()
            assert redirect.program == FILM.header
            await asyncio.sleep(0.1)
            [told] = world.engines[2].of(KeepChanges)
            assert (told.epoch, told.changes.changes) == (EPOCH, (change_of(FILM.header),))

        world.tell(story)


def test_a_stream_is_gone_on_with_by_the_table_that_its_engine_gives():
    """Whoever else is there may not answer, and the engine waits to be enlisted."""
    with stage(THREE) as world:
        for engine in world.engines.values():
            engine.parts[FILM.header.table] = FILM.segments.octets

        async def story():
            engine = world.engines[4]
            engine.kept, engine.known_until = [change_of(FILM.header)], 1
            message = replace(engine.enlistment(), streams=(running(phase=TurnPhase.SENDING),))
            assert (await world.ask(ENLIST, message)).revoked == ()
            assert (await world.view("s")).program == "film"
            assert [len(each.parts_asked) for each in world.engines.values()] == [0, 0, 1]

        world.tell(story)


def test_a_director_that_hears_of_a_later_one_does_nothing_any_more():
    with stage(THREE) as world:

        async def story():
            _, slot = await world.streaming()
            engine = world.engines[slot]
            late = await world.ask(REPORT, replace(engine.report(), epoch=EPOCH + 1))
            assert late.reason is Reason.STALE_EPOCH
            assert (await world.ask(REPORT, engine.report())).reason is Reason.STALE_EPOCH
            assert (await world.play()).reason is Reason.WRONG_ROLE
            world.simulation.crash(engine.host)
            await asyncio.sleep(6.0)
            assert not world.starts()

        world.tell(story, FILM)


def bookmark(segment=1, packet=3000, known_turn=5, table=FILM.header.table, left=None):
    at = ProgramPoint(segment=segment, packet=packet, packets=0, at_ms=0)
    return Bookmark(program="film", table=table, console=CONSOLE, known_turn=known_turn, place=at, left=left)


EARLIER = TicketKey(b"of the director before".ljust(32))


async def an_earlier_director_is_known(world):
    """An engine tells the key that the director before has signed with, and all leases of its term have ended."""
    engine = world.engines[2]
    await world.ask(ENLIST, replace(engine.enlistment(), ticket_keys=(EARLIER.hex(),)))
    await asyncio.sleep(LEASE_S + 1.0)


def test_what_an_earlier_director_paused_goes_on_where_its_console_says():
    with stage(THREE) as world:

        async def story():
            ticket = EARLIER.sign("s", "film")
            resume = Resume(session="s", ticket=ticket, bookmark=bookmark())
            refused = await world.ask(RESUME, replace(resume, bookmark=None), deadline_s=1.0)
            assert refused.reason in (Reason.OVERDUE, Reason.UNKNOWN_SESSION)
            await an_earlier_director_is_known(world)
            assert (await world.ask(RESUME, replace(resume, bookmark=None))).reason is Reason.UNKNOWN_SESSION
            answer = await world.ask(RESUME, resume)
            assert (answer.state, answer.place.segment, answer.place.packet) == (SessionState.STREAMING, 1, 3000)
            (started,) = world.starts()
            assert (started.segment, started.packet) == (1, 3000)
            assert started.turn > FIRST_OWN_TURN
            assert (await world.watch("s")).state is SessionState.STREAMING

        world.tell(story, FILM)


def test_nothing_is_gone_on_with_while_an_engine_may_have_it_that_has_yet_to_enlist():
    with stage(THREE) as world:

        async def story():
            engine = world.engines[2]
            await world.ask(ENLIST, replace(engine.enlistment(), ticket_keys=(EARLIER.hex(),)))
            resume = Resume(session="s", ticket=EARLIER.sign("s", "film"), bookmark=bookmark())
            assert (await world.ask(RESUME, resume)).reason is Reason.OVERDUE
            assert world.starts() == []

        world.tell(story, FILM)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"table": "0" * 64}, Reason.NOT_HERE),
        ({"packet": 10_000}, Reason.NO_SUCH_RANGE),
        ({"segment": 2**40}, Reason.NO_SUCH_RANGE),
        ({"left": ProgramPoint(segment=9, packet=0, packets=0, at_ms=0)}, Reason.NO_SUCH_RANGE),
    ],
)
def test_a_bookmark_that_leads_nowhere_is_refused(told, reason):
    with stage(THREE) as world:

        async def story():
            await an_earlier_director_is_known(world)
            resume = Resume(session="s", ticket=EARLIER.sign("s", "film"), bookmark=bookmark(**told))
            assert (await world.ask(RESUME, resume)).reason is reason
            assert await world.view("s") is None

        world.tell(story, FILM)


def test_a_bookmark_is_believed_by_an_earlier_directors_ticket_only_and_for_the_host_that_asks():
    with stage(THREE) as world:

        async def story():
            await an_earlier_director_is_known(world)
            redirect = await world.play()
            forged = Resume(session="s", ticket=f"s.{'0' * 32}", bookmark=bookmark())
            assert (await world.ask(RESUME, forged)).reason is Reason.BAD_TICKET
            # A session that this director has opened, and that has ended: its pause was over.
            await world.ask(END_STREAM, EndStream(session=redirect.session, ticket=redirect.ticket))
            await asyncio.sleep(61.0)
            again = Resume(session=redirect.session, ticket=redirect.ticket, bookmark=bookmark())
            assert (await world.ask(RESUME, again)).reason is Reason.UNKNOWN_SESSION
            elsewhere = replace(bookmark(), console="127.9.9.9:5000")
            aimed = Resume(session="s", ticket=EARLIER.sign("s", "film"), bookmark=elsewhere)
            assert (await world.ask(RESUME, aimed)).reason is Reason.NOT_ALLOWED

        world.tell(story, FILM)
