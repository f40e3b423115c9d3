"""Claim 11, up to what "publish" does: from a program's metadata to its service at all media stations."""

import json
import time
from datetime import UTC, datetime, timedelta

from tests.claims.conftest import sha256


def test_the_life_of_a_program(network, film, tmp_path):
    # transferring metadata of a program to a content manager;
    # instructing a content engine to transfer the program data into a home media station
    package = tmp_path / "package"
    package.mkdir()
    source = film(4).rename(package / "film.mp4")
    description = {"title": "A slope wanders", "film": {"file": source.name, "sha256": sha256(source.read_bytes())}}
    (package / "film.json").write_text(json.dumps(description))
    program = network.json("distribution-center", "ingest", package, "--segment-ms", 1000)
    name = program["program"]
    row = network.program(name)
    assert row["title"] == "A slope wanders"
    assert row["stations"] == {"home": row["segments"]}

    # updating the state of the program to "inactive" and specifying a publish time to the content manager
    assert row["state"] == "inactive"
    network.run("distribution-center", "publish", name, "--at", "+1d")
    row = network.program(name)
    assert row["state"] == "inactive"
    assert row["publish_at_ms"] > time.time() * 1000

    # sending distribution parameters to the media location registry; distributing the program
    network.run("distribution-center", "distribute", name, "north", "south", "--copies", 2)
    assert network.program(name)["stations"] == dict.fromkeys(("home", "north", "south"), row["segments"])
    network.wait_until(lambda: network.program(name)["state"] == "ready", "the program is not ready")

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

    # sending a "publish" command to all media stations at the publish time to start the service of the program:
    # the time is said beforehand, and comes at every station by itself
    publish_at = datetime.now(UTC) + timedelta(seconds=3)
    network.run("distribution-center", "publish", name, "--at", publish_at.isoformat())
    network.wait_until(lambda: network.program(name)["state"] == "published", "the program is not published")
    assert datetime.now(UTC) >= publish_at
    for station in ("north", "south"):
        output = tmp_path / f"{station}.ts"
        network.play(name, station, "hls", output)
        assert sha256(output.read_bytes()) == program["sha256"]
