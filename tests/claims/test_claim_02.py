"""Claim 2: the center's content manager, content engine and home media station, with a provider whose wire breaks."""

import json
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.claims.conftest import sha256

TITLE = "A slope from a provider"
PADDING = (4 << 20).to_bytes(4, "big") + b"free" + bytes((4 << 20) - 8)
"""A box that players pass over (ISO/IEC 14496-12, 8.1.2): so the film takes long enough for its wire to break."""


def test_content_is_downloaded_from_a_selected_provider_and_stored_at_home(network, provider, film):
    content = film(6).read_bytes() + PADDING
    provider.files |= {
        "slope.mp4": content,
        "slope.json": json.dumps(
            {
                "title": TITLE,
                "film": {"file": "slope.mp4", "length_bytes": len(content), "sha256": sha256(content)},
                "mood": ["steep", "steep"],
            }
        ).encode(),
    }

    # a content engine for downloading content from selected providers: from others nothing is downloaded
    other = provider.url("slope.mp4").replace("127.0.0.1", "127.0.0.2")
    refused = network.run("distribution-center", "ingest", other, check=False)
    assert refused.returncode != 0
    assert f"is no provider's: the only provider is studio ({provider.address})" in refused.stderr

    # The provider's connection breaks in the middle; what has come by then does not come again.
    provider.cuts["slope.mp4"] = len(content) // 2
    program = network.json("distribution-center", "ingest", provider.url("slope.json"), "--segment-ms", 1000)
    assert program["title"] == TITLE
    first, second = (begin for name, begin in provider.asked if name == "slope.mp4")
    assert first == 0
    assert 0 < second <= len(content) // 2

    # a home media station for storing all content downloaded by the content engine: every byte of it, by its hash
    name = program["program"]
    assert network.program(name)["stations"] == {"home": program["segments"]}
    stored = {}
    for engine in network.engines("home"):
        stored |= network.stored(engine, name)
    assert sorted(stored) == list(range(program["segments"]))
    assert sha256(b"".join(stored[number] for number in sorted(stored))) == program["sha256"]

    # a content manager for providing program information to the media stations: they hear of it
    center = f"127.{network.number}.0.1"
    header = network.say(f"{center}:8081", "content/program", program=name)
    [metadata] = [part for part in header["attachments"] if part["kind"] == "metadata"]
    with urlopen(f"http://{center}:8080/parts/{metadata['sha256']}", timeout=10) as part:
        assert part.read() == provider.files["slope.json"]
    for station in ("north", "south"):
        network.wait_until(lambda station=station: heard(network, station, name) == header, f"{station} has not heard")


def heard(network, station, program):
    """What a station keeps of a program; None: nothing."""
    try:
        return network.say(network.director(station)["control"], "director/program", program=program)
    except HTTPError as refused:
        if "unknown_program" not in refused.read().decode():
            raise
        return None
