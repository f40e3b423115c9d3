"""Claim 23: a program is deleted at a station, word for word as the parties said it."""

import os
import signal

import pytest

from tests.claims.conftest import sha256
from tests.claims.wire import capture


@pytest.mark.peer("tshark")
def test_a_program_is_deleted_by_the_conversation_of_the_claim(network, film, tmp_path):
    published = network.publish(film(4), "north", "south", segment_ms=1000, copies=2)
    name = published["program"]
    engines = {row["address"] for row in network.engines("north") if network.stored(row, name)}
    with capture(network, tmp_path) as wire:
        done = network.json("distribution-center", "delete", name, "--station", "north")
    assert (done["stage"], done["station"]) == ("done", "north")
    registry, director = f"127.{network.number}.0.1", network.director("north")["address"]

    # requesting by the media director of deletion of the program to the media location registry;
    # responding from the media location registry with an approval of the program deletion
    request = wire.said("registry/request-deletion", source=director, destination=registry, program=name)[-1]
    assert (request.body["station"], request.answer["verdict"]) == ("north", "granted")

    # generating an internal deletion message to a media engine having the segments associated with the program
    orders = wire.said("engine/delete", source=director, program=name)
    assert {each.destination for each in orders if each.status == 200} == engines

    # sending a message to the MLR confirming the deletion; and, updating the location database
    (confirmed,) = wire.said("registry/deletion-done", source=director, destination=registry, program=name)
    assert confirmed.status == 200
    in_order = [request.number, request.answered, *(each.number for each in orders)]
    assert in_order == sorted(in_order)
    assert max(each.answered for each in orders) < confirmed.number
    assert set(network.program(name)["stations"]) == {"home", "south"}
    assert not any(network.stored(row, name) for row in network.engines("north"))
    assert network.program(name)["to_be_carried_out"] == [], "its order has ended with it"
    assert network.json("distribution-center", "deletions") == deletions(network)
    assert not deletions(network, name)


def test_it_is_not_deleted_while_somebody_plays_it(network, film, tmp_path):
    published = network.publish(film(16), "north", "south", segment_ms=1000, copies=1)
    name = published["program"]
    output = tmp_path / "received.ts"
    player = network.start("media-console", "play", name, "--station", "north", "--by", "push", "--output", output)
    network.wait_until(lambda: output.exists() and output.stat().st_size, "the first bytes")
    network.run("distribution-center", "delete", name, "--station", "north", "--no-wait")
    network.wait_until(lambda: "console receives it" in (reason(network, name) or ""), "that it waits for the console")
    assert held(network, name)["north"] == published["segments"]
    _, complaints = player.communicate(timeout=60)
    assert player.returncode == 0, complaints
    assert sha256(output.read_bytes()) == published["sha256"]
    network.wait_until(lambda: "north" not in held(network, name), "its deletion")


def test_it_is_not_deleted_while_it_is_copied(network, film):
    """`south` copies it from `north` slowly, as its order says: home's engine is away."""
    name = network.publish(film(8), "north", segment_ms=1000, copies=1)["program"]
    (engine,) = network.engines("home")
    os.kill(engine["pid"], signal.SIGKILL)
    try:
        network.wait_until(lambda: "home" not in held(network, name), "the loss of home's engine")
        copying = network.start("distribution-center", "distribute", name, "south", "--copies", 1, "--rate", 0.3)
        network.wait_until(lambda: held(network, name).get("south"), "the first segment")
        network.run("distribution-center", "delete", name, "--station", "north", "--no-wait")
        network.wait_until(lambda: reason(network, name) == "it is being copied", "that it waits for the copy")
        assert network.program(name)["stations"]["north"] == 8
        copying.communicate(timeout=90)
        network.wait_until(lambda: "north" not in held(network, name), "its deletion")
        assert network.program(name)["stations"]["south"] == 8
    finally:
        network.up()


def test_what_nobody_else_holds_stays_and_it_is_said_why(network, film):
    name = network.json("distribution-center", "ingest", film(2), "--segment-ms", 1000)["program"]
    refused = network.run("distribution-center", "delete", name, "--station", "home", check=False)
    assert refused.returncode != 0
    assert "`withdraw` deletes it everywhere" in refused.stderr
    assert network.program(name)["stations"] == {"home": 2}


@pytest.mark.parametrize("purged", [True, False])
def test_a_director_that_is_lost_after_the_purge_or_before_it_leaves_what_its_disks_say(network, film, purged):
    """The center stops while the station has leave, so that nothing is confirmed before the director is killed."""
    name = network.publish(film(3), "north", "south", segment_ms=1000, copies=2)["program"]
    director = network.director("north")
    engines = network.engines("north")
    frozen = engines if not purged else []
    for row in frozen:
        os.kill(row["pid"], signal.SIGSTOP)
    try:
        network.run("distribution-center", "delete", name, "--station", "north", "--no-wait")
        if purged:
            network.wait_until(
                lambda: not any(network.stored(row, name) for row in engines), "that the disks are empty of it"
            )
        os.kill(director["pid"], signal.SIGKILL)
    finally:
        for row in frozen:
            os.kill(row["pid"], signal.SIGCONT)
    network.new_director(director)
    network.up()
    network.wait_until(lambda: "north" not in held(network, name), "that it is deleted")
    network.wait_until(lambda: not deletions(network, name), "that the wish has ended")
    assert not any(network.stored(row, name) for row in network.engines("north"))
    assert network.program(name)["stations"]["south"] == 3


def ask(network, verb, **question):
    """What the center answers: sooner than a command would say it."""
    return network.say(f"127.{network.number}.0.1:8081", verb, **question)


def held(network, program):
    return ask(network, "content/ask-program", program=program)["stations"]


def deletions(network, program=None):
    rows = ask(network, "content/deletions")["deletions"]
    return [row for row in rows if program in (None, row["program"])]


def reason(network, program):
    return next((row.get("reason") for row in deletions(network, program)), None)
