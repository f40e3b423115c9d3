import asyncio
import random

import pytest

from chassis_emulator.media_console.errors import NotAnswered, NotFound
from chassis_emulator.media_console.lookup import look_up
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.content import ProgramState
from tests.chassis_emulator.media_console.scripted_station import ScriptedCenter, film

PROGRAM, _ = film(3, 4)
HOME, NORTH, SOUTH = Address("127.1.0.1", 8080), Address("127.1.1.1", 8080), Address("127.1.2.1", 8080)


def find(program="film", station=None, *, stations, state=ProgramState.PUBLISHED):
    async def run():
        center = ScriptedCenter(PROGRAM, stations, state)
        async with center.up() as address, HttpClient(random.Random(1)) as http:
            return await look_up(address, program, station, http)

    return asyncio.run(run())


def test_the_first_station_that_has_it_whole_and_is_not_home():
    found = find(stations={"home": (HOME, 2), "north": (NORTH, 1), "south": (SOUTH, 2)})
    assert (found.station, found.director, found.program) == ("south", SOUTH, PROGRAM)


def test_a_station_that_is_named_is_taken_whatever_it_has():
    stations = {"home": (HOME, 2), "north": (NORTH, 0), "south": (SOUTH, 2)}
    assert find(station="north", stations=stations).director == NORTH
    assert find(station="home", stations=stations).director == HOME


@pytest.mark.parametrize(
    ("order", "said", "hint"),
    [
        ({"program": "movie"}, "There is no program 'movie'", "Programs: film."),
        ({"state": ProgramState.INACTIVE}, "film is inactive, not published", "publish film"),
        ({"station": "west"}, "There is no station 'west'", "Stations: home, north."),
        ({}, "No station has the whole of film", "home 2, north 1"),
    ],
)
def test_what_is_not_found(order, said, hint):
    with pytest.raises(NotFound, match=said) as caught:
        find(**order, stations={"home": (HOME, 2), "north": (NORTH, 1)})
    assert hint in caught.value.hint


def test_a_center_that_is_not_there(free_port):
    async def run():
        async with HttpClient(random.Random(1)) as http:
            await look_up(Address("127.0.0.1", free_port()), "film", None, http)

    with pytest.raises(NotAnswered, match=r"distribution center at .* connection refused"):
        asyncio.run(run())
