"""A console that pauses, goes on, seeks and ends, and what its director says to engines for it, in virtual time."""

import asyncio
import dataclasses

from media_network.messages.enlisting import Report
from media_network.messages.steering import (
    END_STREAM,
    PAUSE,
    RESUME,
    SEEK,
    EndStream,
    Pause,
    Resume,
    Seek,
    SeekStyle,
    Steered,
)
from media_network.messages.streaming import CEASE, Cease, Preload
from media_network.messages.verb import Done
from media_network.messages.watching import Jump, ProgramPoint, SessionState
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import (
    LEASE_S,
    cursor_of,
    engine_media,
    program_of,
    stage,
)

FILM = program_of()
"""Four segments of ten seconds, a packet a millisecond."""
THREE = {2: "0-3", 3: "0-3", 4: "0-3"}


def place(segment, packet=0):
    return ProgramPoint(
        segment=segment, packet=packet, packets=10_000 * segment + packet, at_ms=10_000 * segment + packet
    )


class Viewer:
    """A console whose stream has begun."""

    def __init__(self, world, redirect):
        self.world, self.session, self.ticket = world, redirect.session, redirect.ticket
        self.sender = int(redirect.engine.partition(":")[0].rpartition(".")[2])

    @classmethod
    async def watching(cls, world):
        redirect = await world.play()
        viewer = cls(world, redirect)
        assert await world.assume(redirect.session, redirect.turn, viewer.sender) == Done()
        return viewer

    def sent(self, segment, packet, turn=1):
        """So far its engine says it has sent."""
        self.world.engines[self.sender].ceased = cursor_of(self.session, turn, segment, packet)

    async def say(self, verb, message, **more):
        return await self.world.ask(verb, message(session=self.session, ticket=self.ticket, **more))

    async def pause(self):
        answer = await self.say(PAUSE, Pause)
        for engine in self.world.engines.values():
            engine.cursors = ()
        return answer


def refusal(answer):
    assert isinstance(answer, Refused), answer
    return answer.reason


def test_a_paused_stream_is_at_no_engine_and_goes_on_with_the_next_packet():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 1234)
            assert await viewer.pause() == Steered(state=SessionState.PAUSED, place=place(0, 1234))
            (cease,) = world.engines[viewer.sender].of(Cease)
            assert (cease.turn, cease.session) == (1, viewer.session)
            assert set((await world.loads()).values()) == {0}
            view = await world.view(viewer.session)
            assert (view.state, view.engine) == (SessionState.PAUSED, str(engine_media(viewer.sender)))
            heard = [len(engine.heard) for engine in world.engines.values()]
            assert (await world.watch_for(viewer.session, 300.0)).state is SessionState.PAUSED
            assert [len(engine.heard) for engine in world.engines.values()] == heard
            assert await viewer.pause() == Steered(state=SessionState.PAUSED, place=place(0, 1234))
            answer = await viewer.say(RESUME, Resume)
            assert answer == Steered(state=SessionState.STREAMING, place=place(0, 1234))
            (started,) = world.starts()
            assert (started.turn, started.segment, started.packet) == (2, 0, 1234)
            assert sum((await world.loads()).values()) == FILM.rate_bps
            (served,) = (await world.watch(viewer.session, 1)).served
            assert (served.turn, served.segment, served.packet, served.jump) == (2, FILM.segments[0], 1234, None)

        world.tell(story, FILM)


def test_who_seeks_is_told_where_the_stream_left_off_and_where_it_goes_on():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 1234)
            answer = await viewer.say(SEEK, Seek, to_ms=25_000)
            assert answer == Steered(state=SessionState.STREAMING, place=place(2))
            (started,) = world.starts()
            assert (started.turn, started.segment, started.packet) == (2, 2, 0)
            assert world.engines[started.slot].of(Preload)[-1].segment == FILM.segments[2]
            (served,) = (await world.watch(viewer.session, 1)).served
            assert served.jump == Jump(left=place(0, 1234), begins=place(2))
            # What follows is no jump.
            offer = await world.next(viewer.session, 2, segment=2)
            assert offer.hand_over.segment == FILM.segments[3]

        world.tell(story, FILM)


def test_a_paused_stream_seeks_without_a_word_to_engines():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 1234)
            await viewer.pause()
            heard = [len(engine.heard) for engine in world.engines.values()]
            answer = await viewer.say(SEEK, Seek, to_ms=25_000, style=SeekStyle.NEXT)
            assert answer == Steered(state=SessionState.PAUSED, place=place(3))
            assert [len(engine.heard) for engine in world.engines.values()] == heard
            assert (await viewer.say(RESUME, Resume)).place == place(3)

        world.tell(story, FILM)


def test_a_pause_waits_for_the_end_of_the_lease_of_an_engine_that_says_nothing():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            silent = world.engines[viewer.sender]
            silent.deaf_to, silent.reports = {CEASE}, False
            begun = asyncio.get_running_loop().time()
            answer = await viewer.pause()
            took_s = asyncio.get_running_loop().time() - begun
            assert answer.state is SessionState.PAUSED
            assert LEASE_S - 1.0 < took_s < LEASE_S + 1.0
            assert answer.place.packets > took_s * 1000

        world.tell(story, FILM)


def test_a_pause_lasts_no_longer_than_the_settings_say():
    with stage(THREE) as world:
        world.duty = dataclasses.replace(world.duty, pause_s=30.0)

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 5)
            await viewer.pause()
            assert (await world.watch_for(viewer.session, 29.0)).state is SessionState.PAUSED
            assert (await world.watch_for(viewer.session, 3.0)).state is SessionState.ENDED
            assert refusal(await viewer.say(RESUME, Resume)) is Reason.UNKNOWN_SESSION

        world.tell(story, FILM)


def test_a_console_that_vanishes_in_a_pause_leaves_nothing():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 5)
            await viewer.pause()
            await asyncio.sleep(10.0)
            assert (await world.view(viewer.session)).state is SessionState.ENDED

        world.tell(story, FILM)


def test_a_stream_ends_when_its_console_wants_no_more_paused_or_not():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 5)
            await viewer.pause()
            assert await viewer.say(END_STREAM, EndStream) == Done()
            assert (await world.watch(viewer.session)).state is SessionState.ENDED
            other = await Viewer.watching(world)
            assert await other.say(END_STREAM, EndStream) == Done()
            await asyncio.sleep(0.1)
            assert [cease.session for cease in world.engines[other.sender].of(Cease)][-1] == other.session

        world.tell(story, FILM)


def test_only_who_shows_the_sessions_own_ticket_is_obeyed():
    with stage(THREE) as world:

        async def story():
            viewer, other = await Viewer.watching(world), await Viewer.watching(world)
            for ticket in (other.ticket, f"{viewer.session}.{'0' * 32}", ""):
                viewer.ticket, right = ticket, viewer.ticket
                assert refusal(await viewer.say(PAUSE, Pause)) is Reason.BAD_TICKET
                assert refusal(await viewer.say(RESUME, Resume)) is Reason.BAD_TICKET
                assert refusal(await viewer.say(SEEK, Seek, to_ms=0)) is Reason.BAD_TICKET
                assert refusal(await viewer.say(END_STREAM, EndStream)) is Reason.BAD_TICKET
                viewer.ticket = right
            assert (await world.view(viewer.session)).state is SessionState.STREAMING
            assert not world.engines[viewer.sender].of(Cease)
            await asyncio.sleep(2.0)  # its engines have told what they send
            viewer.session = "nobody"
            assert refusal(await viewer.say(PAUSE, Pause)) is Reason.UNKNOWN_SESSION

        world.tell(story, FILM)


def test_there_is_nothing_to_steer_before_the_stream_begins_and_no_place_past_its_end():
    with stage(THREE) as world:

        async def story():
            redirect = await world.play()
            viewer = Viewer(world, redirect)
            assert refusal(await viewer.say(PAUSE, Pause)) is Reason.NOT_READY
            assert await world.assume(redirect.session, redirect.turn, viewer.sender) == Done()
            assert refusal(await viewer.say(SEEK, Seek, to_ms=40_000)) is Reason.NO_SUCH_RANGE
            assert (await world.view(viewer.session)).state is SessionState.STREAMING

        world.tell(story, FILM)


def test_engines_that_drain_are_not_held_by_a_paused_stream_and_another_goes_on():
    with stage(THREE) as world:

        async def story():
            viewer = await Viewer.watching(world)
            viewer.sent(0, 1234)
            await viewer.pause()
            drained = world.engines[viewer.sender]
            right = drained.report
            drained.report = lambda: _draining(right())
            await world.watch_for(viewer.session, 2.0)
            assert (await viewer.say(RESUME, Resume)).state is SessionState.STREAMING
            assert world.starts()[-1].slot != viewer.sender

        world.tell(story, FILM)


def _draining(report: Report) -> Report:
    return Report(engine=report.engine, boot=report.boot, epoch=report.epoch, draining=True)
