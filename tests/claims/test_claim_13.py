"""Claim 13: the same where the source is the home media station in the distribution center."""

import pytest

from tests.claims.test_claim_12 import assert_conversation
from tests.claims.wire import capture


@pytest.mark.peer("tshark")
def test_the_source_media_station_is_a_home_media_station(network, film, tmp_path):
    program = network.json("distribution-center", "ingest", film(4), "--segment-ms", 1000)
    assert program["stations"] == {"home": program["segments"]}
    stations = network.json("distribution-center", "stations")
    assert [row["station"] for row in stations if row["home"]] == ["home"]
    with capture(network, tmp_path) as wire:
        network.run("distribution-center", "distribute", program["program"], "north", "--copies", 1)
    assert_conversation(network, wire, program["program"], source="home", seeking="north")
