"""One network for all claims, brought up by the commands a person types: a center with its home media station, and two
stations. A test that takes something down leaves the network whole. One worker proves all claims, and the network is
down when they are proved: it costs a fifth of a core while it idles.
"""

import hashlib
import json
from itertools import count

import pytest

from tests.addresses import network_number
from tests.claims.full import CAPACITY_BPS, second_console
from tests.claims.provider import Provider
from tests.claims.swapping import CAPACITY_BPS as ROOM_FOR_ONE_BPS
from tests.claims.tokens import TokenNetwork
from tests.claims.trust import Secured
from tests.clips import render
from tests.laptop import topology
from tests.patience import wait_until

NETWORK = network_number()
TOLD = f"127.{NETWORK}.0.200:16280"
"""Where every agent sends its traps."""
ZONES = {"home": "city", "north": "coast", "south": "city"}
DISTANCES = "distances:\n  between:\n    - zones: [city, coast]\n      km: 100\n"
COST = {"bandwidth": 20, "load": 400}
"""What a test makes of load is little of what an engine may send: it is counted for more."""
PKI = "pki: true\n"
"""Machines show each other certificates."""
TRAPS = f"snmp:\n  targets:\n    - address: {TOLD}\n"


class Network(Secured):
    """The network of the claims, and how to speak to its parties."""

    number = NETWORK

    def say(self, party, verb, **message):
        """Say a message to `host:port`, as one who says it, and return its answer."""
        with self.open(f"{party}/{verb}", json.dumps(message).encode(), as_whom=self.who_says(verb)) as answer:
            return json.load(answer)

    def title(self, party):
        """What a party calls itself."""
        with self.open(f"{party}/openapi.json") as answer:
            return json.load(answer)["info"]["title"]

    def program(self, program):
        """A program as the distribution center lists it."""
        return next(row for row in self.json("distribution-center", "programs") if row["program"] == program)

    def stored(self, row, program):
        """The segments that lie on the disks of a blade: bytes by number."""
        return {int(path.name.partition(".")[0]): path.read_bytes() for path in self.segment_files(row, program)}

    def segment_files(self, row, program):
        """Where they lie."""
        folder = self.state / "stations" / row["station"] / str(row["slot"])
        return list(folder.glob(f"channel-*/**/{program}.*/*.ts"))

    def play(self, program, station, by, output):
        """What `media-console play` reports, with the bytes it wrote."""
        return self.json("media-console", "play", program, "--station", station, "--by", by, "--output", output)

    def wait_until(self, holds, what):
        wait_until(holds, why=lambda: f"{what}\n{self.logs()}")


@pytest.fixture(scope="package")
def provider():
    """A provider of films, who may be told to cut a connection."""
    with Provider.serving() as provider:
        yield provider


@pytest.fixture(scope="package")
def network(tmp_path_factory, provider):
    stations = (("home", 2), ("north", 4), ("south", 3))
    plan = topology(NETWORK, *stations, providers=[("studio", provider.address)], zones=ZONES, cost=COST)
    plan += DISTANCES + TRAPS
    with Network.running(tmp_path_factory.mktemp("claims"), plan) as network:
        yield network


@pytest.fixture(scope="package")
def film(tmp_path_factory):
    """Make a film of so many seconds; each is another one."""
    folder = tmp_path_factory.mktemp("films")
    shapes = ((width, height) for height in count(96, 16) for width in range(160, 640, 16))

    def make(seconds):
        width, height = next(shapes)
        return render(folder / f"film-{width}-{height}.mp4", seconds, width, height)

    return make


@pytest.fixture(scope="package")
def program(network, film):
    """A program of eight segments in service, each of them on two engines of `north` and on none of `south`."""
    return network.publish(film(8), "north", segment_ms=1000, copies=2)


@pytest.fixture(scope="package")
def tokens(tmp_path_factory, film):
    """A small network that asks for tokens, and who may see what, with a program in service at `north`."""
    plan = topology(network_number(), ("home", 2), ("north", 3)) + PKI + "authentication: true\naccounts: true\n"
    with TokenNetwork.running(tmp_path_factory.mktemp("tokens"), plan) as network:
        program = network.publish(film(4), "north", segment_ms=1000, copies=1)
        network.program, network.sha256 = program["program"], program["sha256"]
        network.viewers = network.state / "viewer.password"
        network.viewers.write_text(network.password)
        token = network.token(name="viewer", password=network.password)
        for station in ("home", "north"):
            # A station that began before the server has its keys a moment later, and says so until then.
            wait_until(lambda at=station: network.playlist(token, at)[1], lambda reason: reason != "overdue")
        yield network


@pytest.fixture(scope="package")
def full(tmp_path_factory):
    """A small network whose engines at `north` carry little, and have two disks each."""
    facts = {"capacity_bps": CAPACITY_BPS, "channels": 2}
    plan = topology(network_number(), ("home", 2), ("north", 4), facts={"north": facts})
    with Network.running(tmp_path_factory.mktemp("full"), plan) as network:
        network.number = int(plan.split()[1])
        yield network


@pytest.fixture(scope="package")
def overflow(full, film, tmp_path_factory):
    """What a second console got whose engine was full (claims 19, 20)."""
    return second_console(full, film, tmp_path_factory.mktemp("overflow"))


@pytest.fixture(scope="package")
def trust(tmp_path_factory, film):
    """A small network whose machines show each other certificates, with a program at `north`."""
    plan = topology(network_number(), ("home", 2), ("north", 3), ("south", 3)) + PKI
    with Secured.running(tmp_path_factory.mktemp("trust"), plan) as network:
        network.number = int(plan.split()[1])
        network.published = network.publish(film(4), "north", segment_ms=1000, copies=1)
        yield network


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="package")
def swaps(tmp_path_factory):
    """A small network with three engines at `north` that have room for one stream each."""
    facts = {"north": {"capacity_bps": ROOM_FOR_ONE_BPS}}
    plan = topology(network_number(), ("home", 2), ("north", 4), zones={"home": "coast", "north": "city"}, facts=facts)
    plan += DISTANCES
    with Network.running(tmp_path_factory.mktemp("swaps"), plan) as network:
        network.number = int(plan.split()[1])
        yield network
