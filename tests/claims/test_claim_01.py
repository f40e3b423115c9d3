"""Claim 1: independent media stations of a director and engines, and a distribution center that knows what is where."""

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.claims.conftest import sha256
from tests.claims.redirects import redirected
from tests.end_to_end.viewing import segments_of


def test_a_plurality_of_independent_media_stations_each_with_a_director_and_engines(network):
    stations = {row["station"] for row in network.ps() if row["station"]}
    assert stations == {"home", "north", "south"}
    # A machine that stood still for a while may just have given a station another director.
    for station, engines in (("north", 3), ("south", 2)):
        expected = ["media director", *["media engine"] * engines]
        network.wait_until(lambda station=station, expected=expected: titles(network, station) == expected, station)
    addresses = [row["address"] for row in network.ps()]
    assert len(set(addresses)) == len(addresses)


def test_engines_store_media_content(network, program):
    held = [network.stored(engine, program["program"]) for engine in network.engines("north")]
    assert all(held)
    whole = {number: data for segments in held for number, data in segments.items()}
    assert sha256(b"".join(whole[number] for number in range(program["segments"]))) == program["sha256"]


def test_engines_retrieve_and_stream_media_content_over_the_network(network, program):
    """Each engine gives what it has fetched, to whom its director gives a ticket."""
    director = network.director("north")["control"]
    name, table = program["program"], network.say(director, "director/program", program=program["program"])["table"]
    for engine in network.engines("north"):
        number, data = next(iter(network.stored(engine, name).items()))
        with pytest.raises(HTTPError, match="403"):
            urlopen(f"http://{engine['media']}/segments/{name}/{table}/{number}.ts", timeout=10)
        with network.copy_of(engine, name, table, number, "south/2") as answer:
            assert answer.read() == data


def test_the_director_tracks_what_its_engines_hold(network, program):
    director = network.director("north")["control"]
    view, held = network.say(director, "director/station"), network.say(director, "director/holdings")["holdings"]
    (told,) = (holding for holding in held if holding["program"] == program["program"])
    assert (told["segments"], told["again"]) == (f"0-{program['segments'] - 1}", [f"0-{program['segments'] - 1}"])
    on_disk = {row["control"]: len(network.stored(row, program["program"])) for row in network.engines("north")}
    assert sum(on_disk.values()) == 2 * program["segments"]
    assert all(engine["segments"] >= on_disk[engine["engine"]] for engine in view["engines"])


def test_the_director_redirects_a_media_console_to_an_engine_that_holds_the_segment(network, program):
    url = network.playlist("north", program["program"])
    segments = segments_of(url)
    assert len(segments) == program["segments"]
    engines = {row["media"]: row for row in network.engines("north")}
    received = b""
    for number, segment in enumerate(segments):
        location = redirected(segment)
        engine = engines[location.split("/")[2]]
        assert number in network.stored(engine, program["program"])
        with urlopen(location, timeout=10) as answer:
            received += answer.read()
    assert sha256(received) == program["sha256"]


def test_the_stations_are_independent_of_each_other(network, program):
    """What one holds is not at the other, as long as nobody asks for it there (claim 14)."""
    director = network.director("south")
    held = network.say(director["control"], "director/holdings")["holdings"]
    assert program["program"] not in {holding["program"] for holding in held}


def test_the_registry_knows_the_location_of_all_content(network, program):
    everywhere = {"home": program["segments"], "north": program["segments"]}
    assert network.program(program["program"])["stations"] == everywhere


def test_the_center_downloads_content_to_be_presented(network, provider, film):
    provider.files["film.mp4"] = film(2).read_bytes()
    row = network.json("distribution-center", "ingest", provider.url("film.mp4"))
    assert row["stations"] == {"home": row["segments"]}


def titles(network, station):
    """What the blades of a station call themselves, the one first that is listed as its director."""
    director, engines = network.director(station)["control"], [engine["media"] for engine in network.engines(station)]
    return [network.title(address) for address in (director, *engines)]
