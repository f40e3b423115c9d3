"""Claim 18: a segment is on several engines, of which one is selected by load and status."""

import os
import signal
from collections import Counter

import pytest

from tests.claims.redirects import redirected
from tests.end_to_end.viewing import segments_of

REQUESTS = 200


class Director:
    """The director of `north`, and what it does with requests for a program."""

    def __init__(self, network, program):
        self.network = network
        self.program = program["program"]
        self.row = network.director("north")
        self.engines = network.engines("north")
        self.base = f"http://{self.row['media']}/programs/{self.program}"
        self.sessions = {}
        header = network.say(f"127.{network.number}.0.1:8081", "content/program", program=self.program)
        self.rate_bps = header["rate_bps"]

    def ask(self, series, number, segment=0):
        """Ask for a segment in a session of its own; the engine that is redirected to."""
        addresses = self.sessions.get((series, number))
        if addresses is None:
            addresses = self.sessions[series, number] = segments_of(f"{self.base}/playlist.m3u8")
        return redirected(addresses[segment]).split("/")[2]

    def holders(self, segment):
        """The engines that have a segment on their disks, by slot."""
        return [row["media"] for row in self.engines if segment in self.network.stored(row, self.program)]

    def loads_bps(self):
        """By engine; without those whose lease has run out."""
        view = self.network.say(self.row["control"], "director/station")
        return {engine["media"]: engine["load_bps"] for engine in view["engines"]}


@pytest.fixture(scope="module")
def program(network, film):
    """A program of its own: what other claims have taken down may have left more than two copies of theirs."""
    return network.publish(film(8), "north", segment_ms=1000, copies=2)


@pytest.fixture
def director(network, program):
    return Director(network, program)


def test_a_burst_of_requests_spreads_over_the_engines_that_hold_the_segment(director):
    holders = director.holders(0)
    assert len(holders) == 2
    chosen = Counter(director.ask("a", number) for number in range(REQUESTS))
    assert set(chosen) == set(holders)
    # Whatever they carried before, now they carry the same.
    carried = director.loads_bps()
    assert abs(carried[holders[0]] - carried[holders[1]]) <= director.rate_bps


def test_the_engine_with_the_smaller_load_is_selected(director, program):
    loads = director.loads_bps()
    least, most = sorted(director.holders(1), key=loads.get)
    elsewhere = next(
        number
        for number in range(program["segments"])
        if most in director.holders(number) and least not in director.holders(number)
    )
    # Requests that only the one can serve, or a third, until it has five streams more than the other.
    number = 0
    while director.loads_bps()[most] < director.loads_bps()[least] + 5 * director.rate_bps:
        director.ask("b", number, segment=elsewhere)
        number += 1
        assert number < 2 * REQUESTS
    assert {director.ask("c", number, segment=1) for number in range(4)} == {least}


def test_an_engine_that_has_gone_is_not_selected(network, director):
    gone, left = director.holders(0)
    row = next(row for row in director.engines if row["media"] == gone)
    os.kill(row["pid"], signal.SIGKILL)
    try:
        network.wait_until(lambda: gone not in director.loads_bps(), "the end of its lease")
        assert {director.ask("d", number) for number in range(10)} == {left}
    finally:
        network.up()
    assert gone in director.loads_bps()
