"""Claim 24: the last copy at a station is moved to another that has storage to spare, before it is deleted."""

import threading

import pytest

from tests.claims.conftest import sha256
from tests.claims.test_claim_23 import deletions, held
from tests.claims.wire import capture
from tests.patience import PATIENCE_S


@pytest.mark.peer("tshark")
def test_the_last_copy_is_moved_by_the_conversation_of_the_claim_and_whoever_plays_it_sees_all_of_it(
    network, film, tmp_path
):
    published = network.publish(film(6), "north", segment_ms=1000, copies=1)
    name, output = published["program"], tmp_path / "received.ts"
    with capture(network, tmp_path) as wire, Counting(network, name) as counting:
        player = network.start("media-console", "play", name, "--station", "north", "--by", "push", "--output", output)
        network.wait_until(lambda: output.exists() and output.stat().st_size, "the first bytes")
        done = network.json("distribution-center", "delete", name, "--station", "north", "--no-wait")
        _, complaints = player.communicate(timeout=PATIENCE_S)
        assert player.returncode == 0, complaints
        network.wait_until(lambda: not deletions(network, name), "that it is deleted")
    assert (done["program"], done["station"]) == (name, "north")
    assert sha256(output.read_bytes()) == published["sha256"]
    assert counting.fewest == published["segments"], "at no instant is a segment without a station, beside home"
    assert network.program(name)["stations"] == {"home": 6, "south": 6}
    assert_conversation(network, wire, published, leaving="north", receiving="south")


def assert_conversation(network, wire, published, *, leaving, receiving):
    """The steps of the claim, in its order."""
    name, registry = published["program"], f"127.{network.number}.0.1"
    first, second = network.director(leaving)["address"], network.director(receiving)["address"]
    first_engines = {row["media"]: row["address"] for row in network.engines(leaving)}
    second_engines = {row["address"] for row in network.engines(receiving)}

    # the deletion request has come from a first media station; determining that saving the program is desirable
    requests = wire.said("registry/request-deletion", source=first, destination=registry, program=name)
    held = next(request for request in requests if request.answer["verdict"] == "held")
    assert "moved to another first" in held.answer["reason"]

    # directing a program move to a second media director identifying the first media station currently requesting the
    # deletion
    move = wire.said("director/move", source=registry, destination=second)[0]
    assert move.body["header"]["program"] == name
    assert move.body["leaving_station"] == leaving
    assert move.body["leaving_director"].partition(":")[0] == first
    in_order = [held.number, move.number]
    assert in_order == sorted(in_order)

    for number in range(published["segments"]):
        # querying by the second media director of the first station media director to find the segments;
        # responding from the media director with the segment locations on a first station media engine
        locate = wire.said("director/locate-segment", source=second, destination=first, program=name, segment=number)[0]
        assert locate.status == 200
        engine = first_engines[locate.answer["media"]]

        # directing through the second media director a second station media engine to fetch the segments
        fetch = next(
            order
            for order in wire.said("engine/fetch", source=second, program=name)
            if order.body["segment"]["number"] == number
        )
        assert fetch.destination in second_engines
        assert fetch.body["source"] == locate.answer["media"]

        # sending a copy request from the second station media engine to the first station media engine;
        # sending the segments from the first station media engine to the second station media engine
        copy = next(
            request
            for request in wire.messages
            if (request.source, request.destination) == (fetch.destination, engine)
            and request.path.startswith(f"segments/{name}/{fetch.body['table']}/{number}.ts?ticket=")
        )
        assert copy.status == 200

        # notifying the second media director when copying of the segments is complete;
        (complete,) = wire.said(
            "director/copy-done", source=fetch.destination, destination=second, program=name, segment=number
        )
        assert complete.body["result"] == "stored"
        in_order = [move.number, locate.number, locate.answered, fetch.number, copy.number, copy.answered]
        in_order += [complete.number]
        assert in_order == sorted(in_order)

    # notifying the MLR of the new segment locations;
    located = wire.said("registry/add-locations", source=second, destination=registry, program=name)[-1]

    # and, requesting deletion of the program by the media director from the MLR
    granted = next(request for request in requests if request.answer["verdict"] == "granted")
    deletions = wire.said("engine/delete", source=first, program=name)
    (confirmed,) = wire.said("registry/deletion-done", source=first, destination=registry, program=name)
    in_order = [located.number, located.answered, granted.answered, deletions[0].number, confirmed.number]
    assert in_order == sorted(in_order)


def test_a_moved_program_is_played_exact_and_can_be_moved_back(network, film, tmp_path):
    """A wish at the station to which it was moved: that one has the last copy now."""
    published = network.publish(film(2), "north", segment_ms=1000, copies=1)
    name = published["program"]
    for leaving, receiving in (("north", "south"), ("south", "north")):
        done = network.json("distribution-center", "delete", name, "--station", leaving)
        assert done["stage"] == "done"
        assert held(network, name) == {"home": 2, receiving: 2}
        output = tmp_path / f"{receiving}.ts"
        assert network.play(name, receiving, "push", output)["sha256"] == published["sha256"]


class Counting:
    """Asks the registry again and again how many segments have a station beside home."""

    def __init__(self, network, program):
        self._network, self._program = network, program
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count)
        self.fewest = None
        self.asked = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _count(self):
        while not self._over.wait(0.05):
            row = self._network.say(
                f"127.{self._network.number}.0.1:8081", "content/ask-program", program=self._program
            )
            most = max((count for station, count in row["stations"].items() if station != "home"), default=0)
            self.fewest = most if self.fewest is None else min(self.fewest, most)
            self.asked += 1
