"""Claim 10: the method from beginning to end, with a clip that somebody else made."""

from tests.claims.conftest import sha256
from tests.clips import real_clip


def test_the_method(network, tmp_path):
    # downloading content to be presented
    program = network.json("distribution-center", "ingest", real_clip(), "--segment-ms", 800)
    name, segments = program["program"], program["segments"]
    assert program["stations"] == {"home": segments}

    # communicating from the media location registry to a media director in each media station the downloaded content
    # to be distributed; directing independent retrieval by selected media engines
    network.run("distribution-center", "distribute", name, "north", "south", "--copies", 1)

    # storing the media content on the selected media engine
    for station in ("north", "south"):
        disks = [network.stored(engine, name) for engine in network.engines(station)]
        stored = {number: data for disk in disks for number, data in disk.items()}
        assert sum(map(len, disks)) == segments
        assert sha256(b"".join(stored[number] for number in range(segments))) == program["sha256"]

        # tracking content stored on the media engines in the respective media director
        held = network.say(network.director(station)["control"], "director/holdings")["holdings"]
        assert {each["program"]: each["segments"] for each in held}[name] == f"0-{segments - 1}"

    # storing the location of all media content in the media stations in the media location registry
    assert network.program(name)["stations"] == dict.fromkeys(("home", "north", "south"), segments)

    network.run("distribution-center", "publish", name)
    for station, by in (("north", "push"), ("south", "hls")):
        # redirecting a content request from a media console to a selected one of the media engines that store it;
        # streaming media content over the network from the selected media engine to the media console
        output = tmp_path / f"{station}-{by}.ts"
        received = network.play(name, station, by, output)
        assert sha256(output.read_bytes()) == received["sha256"] == program["sha256"]
        holders = {row["address"]: network.stored(row, name) for row in network.engines(station)}
        for segment in received["segments"]:
            assert segment["number"] in holders[segment["engine"].partition(":")[0]]
