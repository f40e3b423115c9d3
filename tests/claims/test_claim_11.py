"""Claim 11, up to what "publish" does: from a program's metadata to its service at all media stations."""

from tests.claims.conftest import sha256


def test_the_life_of_a_program(network, film, tmp_path):
    # transferring metadata of a program to a content manager;
    # instructing a content engine to transfer the program data into a home media station
    program = network.json("distribution-center", "ingest", film(4), "--segment-ms", 1000, "--title", "A slope wanders")
    name = program["program"]
    row = network.program(name)
    assert row["title"] == "A slope wanders"
    assert row["stations"] == {"home": row["segments"]}

    # updating the state of the program to "inactive"
    assert row["state"] == "inactive"

    # sending distribution parameters to the media location registry; distributing the program
    network.run("distribution-center", "distribute", name, "north", "south", "--copies", 2)
    assert network.program(name)["stations"] == dict.fromkeys(("home", "north", "south"), row["segments"])

    # All of it is at the stations, and nobody may watch it yet.
    for station in ("north", "south"):
        for by in ("hls", "push"):
            refused = network.run(
                *("media-console", "play", name, "--station", station, "--by", by, "--output", tmp_path / "early.ts"),
                check=False,
            )
            assert refused.returncode != 0
            assert name in refused.stderr
            assert not (tmp_path / "early.ts").exists() or not (tmp_path / "early.ts").read_bytes()

    # sending a "publish" command to all media stations to start the service of the program
    network.run("distribution-center", "publish", name)
    assert network.program(name)["state"] == "published"
    for station in ("north", "south"):
        output = tmp_path / f"{station}.ts"
        network.play(name, station, "hls", output)
        assert sha256(output.read_bytes()) == program["sha256"]
