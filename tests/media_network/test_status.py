from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from media_network.address import Address
from media_network.default_state import STATE_VARIABLE, default_state_folder
from media_network.status import STATUS_FILE, ProcessStatus, StatusFile, read_status, write_status
from media_network.whereabouts import (
    center_state,
    find_center,
    find_center_media,
    find_mam,
    known_centers,
    mam_state,
    other_center_state,
)

SERVING = ProcessStatus(
    pid=7, role="center", state="serving", epoch=3, control="127.1.0.1:8081", media="127.1.0.1:8080"
)


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path):
    write_status(tmp_path, ProcessStatus(pid=7, role="center", state="starting"))
    write_status(tmp_path, SERVING)
    assert read_status(tmp_path) == SERVING
    assert [path.name for path in tmp_path.iterdir()] == [STATUS_FILE]


def test_who_looks_again_and_again_sees_each_status_once_it_is_there(tmp_path):
    file = StatusFile(tmp_path)
    assert file.read() is None
    for epoch in range(5):
        write_status(tmp_path, replace(SERVING, epoch=epoch))
        seen = file.read()
        assert seen == replace(SERVING, epoch=epoch)
        assert file.read() is seen, "the same file is not read twice"
    (tmp_path / STATUS_FILE).unlink()
    assert file.read() is None


def test_nothing_said(tmp_path):
    assert read_status(tmp_path) is None
    assert read_status(tmp_path / "no-folder") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_a_spoilt_status_says_nothing(tmp_path, content):
    (tmp_path / STATUS_FILE).write_bytes(content)
    assert read_status(tmp_path) is None


def test_the_center_is_found_while_it_answers(tmp_path):
    assert find_center(tmp_path) is None
    center_state(tmp_path).mkdir()
    write_status(center_state(tmp_path), ProcessStatus(pid=7, role="center", state="starting"))
    assert find_center(tmp_path) is None
    write_status(center_state(tmp_path), SERVING)
    assert find_center(tmp_path) == Address("127.1.0.1", 8081)
    assert find_center_media(tmp_path) == Address("127.1.0.1", 8080)
    write_status(center_state(tmp_path), replace(SERVING, control="somewhere", media=""))
    assert (find_center(tmp_path), find_center_media(tmp_path)) == (None, None)


def test_several_centers_are_found_by_their_names(tmp_path):
    assert known_centers(tmp_path) == ()
    for number, (name, folder) in enumerate(
        [("main", center_state(tmp_path)), ("east", other_center_state(tmp_path, "east"))], start=1
    ):
        folder.mkdir(parents=True)
        write_status(folder, replace(SERVING, station=name, control=f"127.1.0.{number}:8081"))
    assert known_centers(tmp_path) == ("main", "east")
    assert find_center(tmp_path) == find_center(tmp_path, "main") == Address("127.1.0.1", 8081)
    assert find_center(tmp_path, "east") == Address("127.1.0.2", 8081)
    assert find_center(tmp_path, "west") is None
    assert find_mam(tmp_path) is None
    mam_state(tmp_path).mkdir()
    write_status(mam_state(tmp_path), replace(SERVING, control="127.1.0.1:8082"))
    assert find_mam(tmp_path) == Address("127.1.0.1", 8082)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({STATE_VARIABLE: "/srv/x", "XDG_STATE_HOME": "/xdg"}, "/srv/x"),
        ({STATE_VARIABLE: "", "XDG_STATE_HOME": "/xdg"}, "/xdg/media-station"),
        ({"XDG_STATE_HOME": "relative"}, "/home/me/.local/state/media-station"),
        ({}, "/home/me/.local/state/media-station"),
    ],
)
def test_where_the_state_lies(environment, folder):
    assert default_state_folder(environment, Path("/home/me")) == Path(folder)


def test_a_folder_in_place_of_the_status_is_set_aside(tmp_path):
    (tmp_path / STATUS_FILE).mkdir()
    write_status(tmp_path, SERVING)
    assert read_status(tmp_path) == SERVING
    assert (tmp_path / f"{STATUS_FILE}.damaged-1").is_dir()
