"""Claim 12: the distribution of a program, word for word as the parties said it."""

import os
import signal
from collections import Counter

import pytest

from tests.claims.wire import capture


@pytest.mark.peer("tshark")
def test_each_segment_comes_by_the_conversation_of_the_claim(network, film, tmp_path):
    """From one media station to another: the home media station has lost its engine, so `north` is the source."""
    name = network.publish(film(4), "north", segment_ms=1000, copies=1)["program"]
    (engine,) = network.engines("home")
    os.kill(engine["pid"], signal.SIGKILL)
    try:
        network.wait_until(lambda: "home" not in network.program(name)["stations"], "the loss of home's engine")
        with capture(network, tmp_path) as wire:
            network.run("distribution-center", "distribute", name, "south", "--copies", 1)
    finally:
        network.up()
    assert_conversation(network, wire, name, source="north", seeking="south")


def test_copies_that_a_station_loses_are_made_again(network, film):
    name = network.publish(film(4), "north", segment_ms=1000, copies=2)["program"]
    lost, *others = network.engines("north")
    os.kill(lost["pid"], signal.SIGKILL)

    def copies():
        return Counter(number for row in others for number in network.stored(row, name))

    try:
        network.wait_until(lambda: copies() == Counter(dict.fromkeys(range(4), 2)), "two copies at those who are left")
        network.wait_until(lambda: not network.program(name)["to_be_carried_out"], "that the order is carried out")
    finally:
        network.up()


def assert_conversation(network, wire, program, *, source, seeking):
    """The steps of the claim, in its order, for every segment of a program."""
    source_director = network.director(source)["address"]
    seeking_director = network.director(seeking)["address"]
    source_engines = {row["media"]: row["address"] for row in network.engines(source)}
    receiving_engines = {row["address"] for row in network.engines(seeking)}
    registry = f"127.{network.number}.0.1"

    # directing the media director in a seeking media station to obtain the program, including identifying a source
    # media station where the content is present
    obtain = wire.said("director/obtain", source=registry, destination=seeking_director)[0]
    assert obtain.body["header"]["program"] == program
    assert obtain.body["source_station"] == source
    assert obtain.body["source_director"].partition(":")[0] == source_director

    for number in range(obtain.body["header"]["segments"]):
        wanted = {"program": program, "segment": number}

        # requesting from the media director of the source media station the location of the needed segment
        (locate,) = wire.said("director/locate-segment", source=seeking_director, destination=source_director, **wanted)

        # notifying the seeking media director of the location of the segment in selected media engine
        assert locate.status == 200
        selected = source_engines[locate.answer["media"]]

        # directing by the seeking media director a receiving media engine to fetch the segment from the selected one
        (fetch,) = (
            order
            for order in wire.said("engine/fetch", source=seeking_director, program=program)
            if order.body["segment"]["number"] == number
        )
        assert fetch.body["source"] == locate.answer["media"]
        receiving = fetch.destination
        assert receiving in receiving_engines

        # requesting by the receiving media engine a copy of the segment from the selected media engine;
        # transferring the segment
        (copy,) = (
            request
            for request in wire.messages
            if (request.source, request.destination) == (receiving, selected)
            and request.path.startswith(f"segments/{program}/{fetch.body['table']}/{number}.ts?ticket=")
        )
        assert copy.status == 200

        # notifying the seeking media director that the copying of the segment is complete
        (done,) = wire.said("director/copy-done", source=receiving, destination=seeking_director, **wanted)
        assert done.body["result"] == "stored"
        assert done.body["copied_bytes"] == fetch.body["segment"]["length_bytes"]

        # notifying the media location registry of the new location of the segment
        located = next(
            notice
            for notice in wire.said("registry/add-locations", source=seeking_director, program=program)
            if number in segments(notice.body["segments"])
        )
        assert (located.destination, located.body["station"], located.status) == (registry, seeking, 200)

        in_order = [obtain.number, locate.number, locate.answered, fetch.number]
        in_order += [copy.number, copy.answered, done.number, located.number]
        assert in_order == sorted(in_order)

    # ... for addition to the location database
    assert network.program(program)["stations"][seeking] == obtain.body["header"]["segments"]


def segments(text):
    """The numbers in `0-2,5`."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
