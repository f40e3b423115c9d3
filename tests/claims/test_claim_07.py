"""Claim 7: a station is a chassis of blades, the first one the media director, the others media engines."""

import os
import signal


def test_a_chassis_of_blades_of_which_the_first_is_the_director_and_the_others_are_engines(network):
    chassis = [row for row in network.ps() if row["station"] == "north" and row["slot"]]
    assert [(row["slot"], row["role"]) for row in chassis] == [
        (1, "director"),
        (2, "engine"),
        (3, "engine"),
        (4, "engine"),
    ]
    assert len({row["pid"] for row in chassis}) == 4


def test_when_its_blade_goes_another_takes_over_as_director_with_a_higher_epoch(network):
    lost = network.director("south")
    os.kill(lost["pid"], signal.SIGKILL)
    try:
        network.wait_until(lambda: taken_over(network, lost), "a new director of south")
        successor = network.director("south")
        network.wait_until(lambda: network.title(successor["control"]) == "media director", "its function")
        assert network.say(successor["control"], "director/station")["epoch"] > lost["epoch"]
    finally:
        network.up()
    # The blade that comes back finds a director in office, and serves it.
    assert network.blade("south", lost["slot"])["role"] == "engine"
    view = network.say(network.director("south")["control"], "director/station")
    assert lost["control"] in [engine["engine"] for engine in view["engines"]]


def taken_over(network, lost):
    return any(
        row["role"] == "director" and row["pid"] and row["control"] and row["slot"] != lost["slot"]
        for row in network.ps()
        if row["station"] == lost["station"]
    )
