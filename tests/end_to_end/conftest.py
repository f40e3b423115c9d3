import hashlib

import pytest

from tests.clips import render
from tests.laptop import Laptop, topology


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A film of twelve seconds."""
    return render(tmp_path_factory.mktemp("film") / "film.mp4", 12)


@pytest.fixture(scope="module")
def station(tmp_path_factory, request):
    """A network with one station of a director and three engines; a module's own, by its NETWORK number."""
    plan = topology(request.module.NETWORK, ("home", 2), ("north", 4))
    with Laptop.running(tmp_path_factory.mktemp("network"), plan) as laptop:
        yield laptop


@pytest.fixture(scope="module")
def program(station, film):
    return station.publish(film, "north", segment_ms=1000)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
