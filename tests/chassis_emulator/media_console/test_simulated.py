"""The console runs unchanged on the simulated loop: an hour's stall costs no time, and what is lost is said."""

import io
import random

import pytest

from chassis_emulator.media_console.errors import SegmentLost
from chassis_emulator.media_console.hls import PATIENCE_S, play_hls
from chassis_emulator.media_console.push import STALL_S, play_push
from chassis_emulator.simulation.simulation import Simulation
from media_network.http.client import HttpClient
from tests.chassis_emulator.media_console.scripted_station import PullStation, PushStation, film

PROGRAM, BODIES = film(30, 14, 25)
WHOLE = b"".join(BODIES)


def test_hls():
    async def story():
        async with PullStation(BODIES).up() as station, HttpClient(random.Random(1)) as http:
            station.script = {1: [("one", "breaks"), ("two", "good")]}
            output = io.BytesIO()
            reception = await play_hls(station.director, "film", output, http, expected=PROGRAM)
            assert output.getvalue() == WHOLE
            assert reception.intact
            begun = simulation.loop.time()
            station.script = {1: [("one", "gone")]}
            with pytest.raises(SegmentLost):
                await play_hls(station.director, "film", output, http)
            assert PATIENCE_S <= simulation.loop.time() - begun < PATIENCE_S + 1

    with Simulation(1) as simulation:
        simulation.run_until_complete(story())


def test_push():
    async def story(sent):
        async with PushStation(PROGRAM, BODIES).up() as station, HttpClient(random.Random(1)) as http:
            output = io.BytesIO()
            playing = simulation.loop.create_task(play_push(station.director, "film", output, http))
            await station.streaming.wait()
            for segment in range(sent):
                await station.send(segment, segment % 2)
            begun = simulation.loop.time()
            reception = await playing
            assert output.getvalue() == b"".join(BODIES[:sent])
            assert [one.intact for one in reception.segments] == [number < sent for number in range(3)]
            return reception, simulation.loop.time() - begun, station.ceased

    with Simulation(1) as simulation:
        reception, _, ceased = simulation.run_until_complete(story(3))
        assert (reception.intact, ceased) == (True, [])
        # A stream that stops, while the director goes on saying that it streams, is given up, and ceased.
        reception, stalled_s, ceased = simulation.run_until_complete(story(2))
        assert reception.intact is False
        assert STALL_S < stalled_s < STALL_S + 2
        assert ceased == [(1, "s1", 2)]
