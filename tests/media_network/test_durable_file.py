"""A small file that survives: what it gives back, whatever befalls it."""

import errno
import os

import pytest

from media_network.durable_file import DurableFile, Found, Origin, set_aside
from tests.damages import DAMAGES, folder


def parse(octets):
    text = octets.decode()
    if not text.startswith("value "):
        raise ValueError("it says nothing")
    return text


@pytest.fixture
def file(tmp_path):
    return DurableFile(tmp_path / "state" / "file", parse, rebuilt="somebody is asked")


def names(file):
    return sorted(path.name for path in file.path.parent.iterdir())


def test_what_was_kept_last_is_given_back(file, caplog):
    assert file.read() == Found(Origin.NOWHERE)
    for number in range(3):
        file.keep(b"value %d" % number)
        assert file.read() == Found(Origin.KEPT, f"value {number}")
    assert names(file) == ["file", "file.before"]
    assert not caplog.records


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_the_one_before_is_used_and_the_damaged_one_set_aside_and_said_once(file, caplog, damage):
    file.keep(b"value 1")
    file.keep(b"value 2")
    damage(file.path)
    assert file.read() == Found(Origin.BEFORE, "value 1")
    file.keep(b"value 3")
    assert file.read() == Found(Origin.KEPT, "value 3")
    assert names(file)[-1] == "file.damaged-1", "nothing is deleted"
    (line,) = [record.getMessage() for record in caplog.records]
    assert str(file.path) in line
    assert "set aside as file.damaged-1: what was kept before it is used" in line


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_where_nothing_can_be_used_that_is_said_too(file, caplog, damage):
    file.keep(b"value 1")
    file.keep(b"value 2")
    damage(file.path.with_name("file.before"))
    damage(file.path)
    assert file.read() == Found(Origin.LOST)
    assert file.read() == Found(Origin.NOWHERE)
    file.keep(b"value 3")
    assert file.read() == Found(Origin.KEPT, "value 3")
    (line,) = [record.getMessage() for record in caplog.records]
    assert "somebody is asked" in line


def test_a_file_that_is_gone_is_said_to_be(file, caplog):
    file.keep(b"value 1")
    file.keep(b"value 2")
    file.path.unlink()
    assert file.read() == Found(Origin.BEFORE, "value 1")
    assert "is missing" in caplog.text


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_lies_where_it_is_to_be_written_is_no_obstacle(file, damage):
    file.keep(b"value 1")
    new = file.path.with_name("file.new")
    new.write_bytes(b"half of it")
    damage(new)
    file.keep(b"value 2")
    assert file.read() == Found(Origin.KEPT, "value 2")
    assert not new.exists()


def test_what_cannot_be_written_leaves_what_was(file, monkeypatch):
    file.keep(b"value 1")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        file.keep(b"value 2")
    assert file.read() == Found(Origin.KEPT, "value 1")


def test_what_is_set_aside_takes_nobodys_name(tmp_path):
    for number in (1, 2, 3):
        (tmp_path / "file").write_text(str(number))
        if number == 2:
            folder(tmp_path / "file")
        assert set_aside(tmp_path / "file") == f"file.damaged-{number}"
    assert (tmp_path / "file.damaged-1").read_text() == "1"
    assert (tmp_path / "file.damaged-2").is_dir()
