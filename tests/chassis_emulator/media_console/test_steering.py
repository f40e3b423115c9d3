"""A console that pauses and seeks, against a station that does what a script says, in virtual time."""

import asyncio
import io
import random

from chassis_emulator.media_console.push import STALL_S, play_push
from chassis_emulator.media_console.remote import Remote
from chassis_emulator.simulation.simulation import Simulation
from media_network.http.client import HttpClient
from media_network.messages.steering import EndStream, Pause, Resume, Seek, SeekStyle, Steered
from media_network.messages.watching import Jump, SessionState
from media_network.refusal import Reason, Refused
from tests.chassis_emulator.media_console.scripted_station import PushStation, film
from tests.patience import until

PROGRAM, BODIES = film(30, 14, 25)
WHOLE = b"".join(BODIES)


class Viewing:
    """A console, its remote control, and what it has written."""

    def __init__(self, station, http, **options):
        self.station, self.remote, self.output = station, Remote(), io.BytesIO()
        console = play_push(station.director, "film", self.output, http, remote=self.remote, **options)
        self.playing = asyncio.create_task(console)


def view(story, **options):
    """Play while `story(viewing)` streams and presses keys; what there was to see, and the reception."""

    async def run():
        async with PushStation(PROGRAM, BODIES).up() as station, HttpClient(random.Random(1)) as http:
            viewer = Viewing(station, http, **options)
            await station.streaming.wait()
            await until(lambda: viewer.remote.stream)
            await story(viewer)
            return viewer, await viewer.playing

    with Simulation(1) as simulation:
        return simulation.run_until_complete(run())


def test_a_pause_may_last_longer_than_anything_may_be_awaited_otherwise():
    async def story(viewer):
        station = viewer.station
        await station.send(0, 0)
        station.stopped_at = 1
        answer = await viewer.remote.toggle()
        assert answer == Steered(state=SessionState.PAUSED, place=station.place(1))
        assert viewer.remote.stream.is_paused
        asked = len(station.told) + station.asked_in_vain
        await asyncio.sleep(20 * STALL_S)
        assert not viewer.playing.done()
        assert len(station.told) + station.asked_in_vain == asked
        assert (await viewer.remote.toggle()).state is SessionState.STREAMING
        await station.send(1, 1)
        await station.send(2, 0)
        station.end()

    viewer, reception = view(story)
    assert viewer.output.getvalue() == WHOLE
    assert (reception.intact, reception.jumps) == (True, 0)
    assert [(type(order), order.ticket) for order in viewer.station.steered] == [(Pause, "t"), (Resume, "t")]


def test_a_seek_is_written_as_it_comes_and_its_runs_are_told_apart():
    async def story(viewer):
        station = viewer.station
        await station.send(0, 0, packets=21)

        async def seek(message):
            assert message.to_ms == 1234
            jump = Jump(left=station.place(0, 21), begins=station.place(1))
            await station.send(1, 1, jump=jump)
            return Steered(state=SessionState.STREAMING, place=station.place(1))

        station.seek = seek
        assert isinstance(await viewer.remote.seek(1234, SeekStyle.PRIOR), Steered)
        await station.send(2, 0)
        station.end()

    viewer, reception = view(story)
    assert viewer.output.getvalue() == BODIES[0][: 21 * 188] + BODIES[1] + BODIES[2]
    assert (reception.jumps, reception.intact, reception.strays) == (1, None, 0)
    assert [(one.number, one.intact) for one in reception.segments] == [(0, None), (1, True), (2, True)]


def test_an_order_that_is_refused_changes_nothing():
    async def story(viewer):
        station = viewer.station

        async def seek(_):
            return Refused(Reason.NO_SUCH_RANGE)

        station.seek = seek
        assert (await viewer.remote.skip(10_000)).reason is Reason.NO_SUCH_RANGE
        for segment in range(3):
            await station.send(segment, segment % 2)
        station.end()

    _, reception = view(story)
    assert (reception.intact, reception.jumps) == (True, 0)


def test_skipping_stays_within_the_program_and_never_goes_the_other_way():
    async def story(viewer):
        station = viewer.station

        async def seek(_):
            return Refused(Reason.NOT_READY)

        station.seek = seek
        await station.send(0, 0)
        await viewer.remote.skip(10_000)
        await viewer.remote.skip(-10_000)
        forward, back = (order for order in station.steered if isinstance(order, Seek))
        assert (forward.to_ms, forward.style) == (PROGRAM.header.duration_ms - 1, SeekStyle.NEXT)
        assert (back.to_ms, back.style) == (0, SeekStyle.PRIOR)
        await station.send(1, 1)
        await station.send(2, 0)
        station.end()

    view(story)


def test_a_console_that_stops_in_a_pause_tells_the_director_for_no_engine_has_the_stream():
    stop = asyncio.Event()

    async def story(viewer):
        await viewer.station.send(0, 0)
        await viewer.remote.pause()
        stop.set()

    viewer, reception = view(story, stop=stop)
    assert reception.stopped
    assert [type(order) for order in viewer.station.steered] == [Pause, EndStream]
    assert viewer.station.ceased == []


def test_a_director_that_is_replaced_in_a_pause_is_shown_where_it_stands():
    async def story(viewer):
        station = viewer.station
        await station.send(0, 0)
        station.stopped_at = 1
        await viewer.remote.pause()
        await station.change_director()
        station.unknown = True
        await asyncio.sleep(100.0)
        assert not viewer.playing.done()
        assert (await viewer.remote.resume()).state is SessionState.STREAMING
        await station.send(1, 1)
        await station.send(2, 0)
        station.end()

    viewer, reception = view(story)
    assert reception.intact
    bookmark = viewer.station.steered[-1].bookmark
    assert (bookmark.program, bookmark.table, bookmark.known_turn) == ("film", PROGRAM.header.table, 1)
    assert (bookmark.place, bookmark.left) == (viewer.station.place(1), None)
