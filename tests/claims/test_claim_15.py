"""Claim 15: the source media station is selected by the relative cost of a copy from it.

`south` seeks what `home` and `north` hold. `home` is in the same place as `south` and has one engine, `north` is 100 km
away and has three.
"""

import os
import signal
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Event, Thread

import pytest

from tests.claims.wire import capture


class Seeking:
    """`south`, and what it is told of the sources of a program."""

    def __init__(self, network):
        self.network = network
        self.center = f"127.{network.number}.0.1:8081"

    def table(self, program):
        return self.network.say(self.center, "content/program", program=program)["table"]

    def source(self, program, station):
        """What the registry says of a source."""
        question = {"station": "south", "zone": "city", "program": program, "table": self.table(program)}
        sources = self.network.say(self.center, "registry/sources", **question)["sources"]
        return next(source for source in sources if source["station"] == station)

    def explained(self, program):
        """The sources in the order of their cost, by the command; and its sentence."""
        words = ("distribution-center", "explain", program, 0, "--station", "south")
        explanation = self.network.json(*words)
        costs = [source["cost"] for source in explanation["sources"]]
        assert costs == sorted(costs)
        assert all(abs(sum(each["terms"].values()) - each["cost"]) < 1e-9 for each in explanation["sources"])
        sentence = self.network.run(*words).stdout.splitlines()[-1]
        return [source["source"]["station"] for source in explanation["sources"]], sentence

    def rested(self, program):
        """No source has failed lately: a test before this one may have ended a station's processes."""
        words = ("distribution-center", "explain", program, 0, "--station", "south")
        return not any(source.get("resting") for source in self.network.json(*words)["sources"])

    def obtain(self, program):
        self.network.run("distribution-center", "distribute", program, "south", "--copies", 1)


@contextmanager
def drawn_from(network, station, program, table):
    """Somebody fetches a segment from an engine of a station, again and again."""
    question = {"program": program, "table": table, "segment": 0}
    where = network.say(network.director(station)["control"], "director/locate-segment", **question)
    path, ended = f"/segments/{program}/{table}/0.ts?ticket={where['ticket']}", Event()

    def draw():
        connection = HTTPConnection(where["media"], timeout=20)
        while not ended.wait(0.1):
            connection.request("GET", path)
            assert connection.getresponse().read()
        connection.close()

    drawing = Thread(target=draw)
    drawing.start()
    try:
        yield
    finally:
        ended.set()
        drawing.join()


def assert_chosen(network, wire, program, source):
    """The steps of the claim, in its order."""
    seeking_director = network.director("south")["address"]
    registry = f"127.{network.number}.0.1"
    directors = {network.director(station)["address"]: station for station in ("home", "north")}

    # identifying multiple locations where the desired segment is stored
    asked = wire.said("registry/sources", source=seeking_director, destination=registry, program=program)[0]
    named = {each["station"]: each for each in asked.answer["sources"]}
    assert set(named) == {"home", "north"}

    # ... based on predetermined parameters including the bandwidth available, distance from the source media station,
    # (copying time) and load of the source media station
    assert all(each["free_bps"] > 0 and 0 <= each["load"] <= 1 for each in named.values())
    assert {station: each["distance_km"] for station, each in named.items()} == {"home": 0.0, "north": 100.0}

    # selecting a source media station by the media director; requesting the location from its media director
    located = wire.said("director/locate-segment", source=seeking_director, program=program)
    assert len(located) == asked.answer["sources"][0]["segments"]
    assert {directors[each.destination] for each in located} == {source}
    assert asked.answered < located[0].number


@pytest.mark.peer("tshark")
def test_the_source_is_selected_by_its_cost_as_its_parameters_change(network, film, tmp_path):
    seeking = Seeking(network)
    wide, busy, narrow = (network.publish(film(3), "north", segment_ms=3000, copies=3)["program"] for _ in range(3))
    network.wait_until(lambda: seeking.rested(wide), "that every source is asked by its cost")
    with capture(network, tmp_path) as wire:
        # `north` has three engines that have nothing to do: bandwidth outweighs the distance.
        stations, sentence = seeking.explained(wide)
        assert stations == ["north", "home"]
        assert sentence.startswith("north is chosen: it has more bandwidth free than home (")
        seeking.obtain(wide)

        # One of them is busy now: its load outweighs the bandwidth.
        with drawn_from(network, "north", busy, seeking.table(busy)):
            network.wait_until(lambda: seeking.source(busy, "north")["load"] > 0.003, "that north is loaded")
            assert seeking.explained(busy)[0] == ["home", "north"]
            seeking.obtain(busy)

        # It has but one: now that both have as much bandwidth, the distance decides.
        network.wait_until(lambda: seeking.source(narrow, "north")["load"] < 0.0003, "that north has nothing to do")
        _, *lost = network.engines("north")
        for engine in lost:
            os.kill(engine["pid"], signal.SIGKILL)
        try:
            network.wait_until(
                lambda: seeking.source(narrow, "north")["free_bps"] == seeking.source(narrow, "home")["free_bps"],
                "that north has one engine",
            )
            stations, sentence = seeking.explained(narrow)
            assert stations == ["home", "north"]
            assert sentence == "home is chosen: it is nearer than north (0 km against 100 km)."
            seeking.obtain(narrow)
        finally:
            network.up()
    assert_chosen(network, wire, wide, "north")
    assert_chosen(network, wire, busy, "home")
    assert_chosen(network, wire, narrow, "home")
