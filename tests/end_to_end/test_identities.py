"""Networks whose machines show each other certificates: all of it works as without, and nobody else is heard."""

import json
import ssl
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.addresses import network_number
from tests.clips import render
from tests.laptop import BIN, Laptop, topology
from tests.patience import wait_until

SEGMENTS = 4
UNHEARD = "closed connection|reset by peer|alert|EOF"


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    plan = topology(network_number(), ("home", 2), ("north", 4)) + "pki: true\nauthentication: true\naccounts: true\n"
    folder = tmp_path_factory.mktemp("identities")
    with Laptop.running(folder, plan) as network:
        network.number = int(plan.split()[1])
        clip = render(folder / "film.mp4", SEGMENTS, 160, 96)
        network.film = network.publish(clip, "north", segment_ms=1000, copies=2)
        password = network.state / "viewer.password"
        password.write_text(network.json("chassis-emulator", "credentials")["console"]["password"])
        network.run("media-console", "login", "viewer", "--password-file", password)
        yield network


def as_(network, name):
    """TLS as a party of the network."""
    own = network.state / "identities" / name
    context = ssl.create_default_context(cafile=own / "authority.pem")
    context.load_cert_chain(own / "identity.pem")
    return context


def say(network, party, verb, message, context):
    scheme = "https" if context else "http"
    request = Request(
        f"{scheme}://{party}/{verb}", data=json.dumps(message).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urlopen(request, timeout=10, context=context) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def exact(network, by, folder):
    played = network.json(
        "media-console", "play", network.film["program"], "--station", "north", "--by", by, "--output", folder / by
    )
    return played["sha256"] == network.film["sha256"]


@pytest.mark.parametrize("by", ["push", "hls"])
def test_consoles_play_as_before(network, by, tmp_path):
    assert exact(network, by, tmp_path)


def test_only_who_shows_a_certificate_is_heard_at_a_control_port(network):
    director = network.director("north")["control"]
    assert say(network, director, "director/station", {}, as_(network, "operator"))[0] == 200
    status, refused = say(network, director, "director/enlist", {}, as_(network, "operator"))
    assert (status, refused["reason"]) == (403, "not_allowed")
    with pytest.raises(OSError, match=UNHEARD):
        say(network, director, "director/station", {}, None)
    nobody = ssl.create_default_context(cafile=network.state / "identities" / "operator" / "authority.pem")
    with pytest.raises(OSError, match=UNHEARD):
        say(network, director, "director/station", {}, nobody)
    log = (network.state / "logs" / f"north.{network.director('north')['slot']}.log").read_text()
    assert log.count("operator/operator at 127.0.0.1 is refused director/enlist") == 1


def test_a_blade_is_no_other_blade(network):
    """An engine of another station, and one that says that it is in another slot."""
    report = {"engine": "127.1.1.2:8081", "boot": "0", "epoch": 1}
    director = network.director("north")["control"]
    status, refused = say(network, director, "director/report", report, as_(network, "home.2"))
    assert (status, refused["reason"]) == (403, "not_allowed")
    assert refused["detail"] == "blade/home/2 is not of this station, north"
    status, refused = say(network, director, "director/report", report, as_(network, "north.3"))
    assert (status, refused["reason"]) == (403, "not_allowed")


def test_a_network_management_system_sees_all_of_it(network, tmp_path):
    settings = tmp_path / "nms.toml"
    network.run("chassis-emulator", "nms-settings", "--output", settings)
    assert "[identity]" in settings.read_text()


def test_what_is_renewed_drops_no_stream(network, tmp_path):
    engine = network.engines("north")[0]
    playing = network.start(
        *("media-console", "play", network.film["program"], "--station", "north", "--by", "push", "--json"),
        *("--output", tmp_path / "film.ts"),
    )
    authority = network.state / "identities" / "authority"
    for blade in ("north.1", "north.2", "north.3", "north.4", "center"):
        network.run("distribution-center", "pki", "renew", authority.parent / blade, "--authority", authority)
    log = network.state / "logs" / f"north.{engine['slot']}.log"
    wait_until(lambda: "is taken up anew" in log.read_text(), why=network.logs)
    said, _ = playing.communicate(timeout=60)
    assert json.loads(said)["sha256"] == network.film["sha256"]
    assert exact(network, "push", tmp_path)


def test_who_is_revoked_is_no_engine_any_more_until_it_has_another_certificate(network):
    engine = network.engines("north")[-1]
    authority = network.state / "identities" / "authority"
    name = f"blade/north/{engine['slot']}"
    network.run("distribution-center", "pki", "revoke", name, "--authority", authority)

    def engines():
        said = say(network, network.director("north")["control"], "director/station", {}, as_(network, "operator"))[1]
        return {row["slot"] for row in said["engines"]}

    wait_until(lambda: engine["slot"] not in engines(), why=network.logs)
    network.run(
        *("distribution-center", "pki", "issue", name, "--host", engine["address"], "--authority", authority),
        *("--output", authority.parent / f"north.{engine['slot']}"),
    )
    wait_until(lambda: engine["slot"] in engines(), why=network.logs)


def test_a_command_without_an_identity_is_told_what_it_lacks(network, tmp_path):
    center = f"127.{network.number}.0.1:8081"
    lacking = {**network.environment, "MEDIA_STATION_STATE": str(tmp_path)}
    words = (BIN / "distribution-center", "stations", "--center", center)
    done = subprocess.run(words, env=lacking, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MEDIA_STATION_IDENTITY names the folder of yours" in done.stderr
    own = {**lacking, "MEDIA_STATION_IDENTITY": str(network.state / "identities" / "operator")}
    done = subprocess.run(words, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_several_centers_and_their_headquarters(tmp_path):
    plan = f"""
network: {network_number()}
name: several
pki: true
center: {{name: main, home: home}}
stations: [{{name: home, slots: 2}}]
other_centers: [{{name: east, home: home, stations: [{{name: home, slots: 2}}]}}]
"""
    with Laptop.running(tmp_path, plan) as network:
        clip = render(tmp_path / "film.mp4", 2, 160, 96)
        network.run("distribution-center", "mam", "order", clip, "--center", "east")
        wait_until(lambda: network.json("distribution-center", "mam", "programs"), why=network.logs)
