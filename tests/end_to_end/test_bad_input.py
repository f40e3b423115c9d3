"""What a person gets wrong: one sentence that names the thing, a hint, an exit code, and nothing half-registered."""

import pytest

from tests.addresses import network_number
from tests.clips import render
from tests.laptop import Laptop, topology

NETWORK = network_number()


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    film = render(folder / "film.mp4", 3)
    (folder / "truncated.mp4").write_bytes(film.read_bytes()[: film.stat().st_size // 3])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "letter.txt").write_text("Dear viewer, this is not a film.\n" * 50)
    return folder


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("letter.txt", "is not a video"),
        ("empty.mp4", "is empty"),
        ("truncated.mp4", "truncated.mp4"),
        ("absent.mp4", "there is no file"),
        ("http://127.0.0.1:9/film.mp4", "is no provider's: the center's settings name no provider"),
        ("gopher://127.0.0.1/film.mp4", "is no provider's"),
    ],
)
def test_what_cannot_be_ingested(station, bad_files, name, said):
    source = name if "://" in name else bad_files / name
    finished = station.run("distribution-center", "ingest", source, check=False)
    assert finished.returncode != 0
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr + station.logs()
    assert station.json("distribution-center", "programs") == []


def test_unknown_program_and_station(station):
    for command in (
        ("distribution-center", "publish", "no-such-program"),
        ("distribution-center", "distribute", "no-such-program", "north"),
        ("media-console", "play", "no-such-program", "--station", "north"),
    ):
        finished = station.run(*command, check=False)
        assert finished.returncode != 0
        assert "no-such-program" in finished.stderr
        assert "Traceback" not in finished.stderr


def test_a_second_network_on_the_same_addresses(station, tmp_path):
    plan = tmp_path / "same.yaml"
    plan.write_text(topology(NETWORK, ("home", 2), ("north", 4)))
    second = Laptop(tmp_path / "state", plan)
    finished = second.run("chassis-emulator", "up", plan, check=False)
    assert finished.returncode != 0
    assert f"127.{NETWORK}." in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_second_up_says_that_it_is_up(station):
    assert "was up already" in station.up().stdout
