"""`blade-agent flash`, as a person runs it: onto files, and onto disks that are none."""

import json
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner
from msgspec import structs

from blade_agent.cli import main
from blade_agent.flashing import disks
from blade_agent.flashing.disks import TargetDisk
from blade_agent.flashing.open_disk import OpenDisk
from blade_agent.image.manifest import CHUNK_BYTES
from blade_agent.image.signed_image import manifest_path
from tests.blade_agent.image.images import SIZE, pack, signed_image

MAPPED = 3 * CHUNK_BYTES + 100 * 4096


@pytest.fixture
def image(tmp_path):
    return signed_image(tmp_path)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "disk.img"


def flash(image, target, *more, answer=None):
    words = ["flash", str(image), str(target), "--key", str(image.with_name("image.pub")), *map(str, more)]
    return CliRunner().invoke(main, words, input=answer)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_into_a_new_file(image, target, packed):
    path = pack(image) if packed else image
    result = flash(path, target)
    assert result.exit_code == 0, result.output
    assert target.read_bytes() == image.read_bytes()
    assert target.stat().st_blocks * 512 <= MAPPED + CHUNK_BYTES, "what holds nothing is not written"
    assert f"target  {target}: a new file" in result.stderr
    assert f"image   {path}: release 0.2.0 for virt-arm64, 0.0 GB, of which 4 MB are written" in result.stderr
    assert "signed  a test's" in result.stderr
    assert result.stdout.startswith(f"{target}: 4 MB written and read back in ")


def test_json_says_what_was_done(image, target):
    told = json.loads(flash(image, target, "--json").stdout)
    assert told.pop("took_s") >= 0
    assert told.pop("target") == {
        "path": str(target), "block": False, "model": "", "serial": "", "size_bytes": 0, "removable": False,
    }  # fmt: skip
    assert told == {
        "image": str(image),
        "profile": "virt-arm64",
        "release": "0.2.0",
        "written_bytes": MAPPED,
        "written_again": [],
    }


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False), ("", False)])
def test_what_holds_something_is_asked_about(image, target, answer, written):
    target.write_bytes(b"mine")
    result = flash(image, target, answer=answer)
    assert "will be lost. Write? [y/N]" in result.stderr
    assert result.exit_code == (0 if written else 2)
    assert target.read_bytes() == (image.read_bytes() if written else b"mine")


def test_what_is_not_signed_writes_nothing(image, target):
    manifest_path(image).write_bytes(manifest_path(image).read_bytes().replace(b"0.2.0", b"0.3.0"))
    result = flash(image, target, "--yes")
    assert (result.exit_code, target.exists()) == (3, False)
    assert "its signature is wrong" in result.stderr


@pytest.mark.parametrize("number", [0, 3, 6])
def test_no_octet_that_was_not_signed_is_written_and_what_is_there_boots_nothing(image, target, number):
    with image.open("r+b") as file:
        file.seek(number * CHUNK_BYTES)
        file.write(b"tampered")
    target.write_bytes(b"old" * 1000)
    result = flash(image, target, "--yes")
    assert result.exit_code == 3
    assert f"chunk {number} of 7 is not what was signed" in result.stderr
    left = target.read_bytes()
    assert b"tampered" not in left
    assert left[:CHUNK_BYTES] == bytes(CHUNK_BYTES)


def disk(path, size_bytes=SIZE):
    return TargetDisk(path=str(path), block=True, model="SC32G", serial="0xdead", size_bytes=size_bytes)


@pytest.fixture
def card(target, monkeypatch):
    """A file that is taken for a disk."""
    target.write_bytes(bytes(SIZE))
    monkeypatch.setattr(disks, "look_at_target", disk)
    monkeypatch.setattr(OpenDisk, "sync", lambda self: os.fsync(self._descriptor))
    return target


def test_a_person_sees_which_disk_it_is(image, card):
    result = flash(image, card, answer="y\n")
    assert result.exit_code == 0, result.output
    assert f"target  {card}: SC32G, 0.0 GB, serial number 0xdead" in result.stderr
    assert card.read_bytes() == image.read_bytes()


@pytest.mark.parametrize(
    ("size", "more", "said"),
    [
        (SIZE - 1, (), "Take a larger one"),
        (257 << 30, (), "has 257 GiB, more than 256"),
        (33 << 30, ("--size-max", 32), "more than 32"),
    ],
)
def test_a_disk_of_the_wrong_size_is_refused(image, card, monkeypatch, size, more, said):
    monkeypatch.setattr(disks, "look_at_target", lambda path: disk(path, size))
    result = flash(image, card, "--yes", *more)
    assert (result.exit_code, said in result.stderr) == (4, True), result.output
    assert card.read_bytes() == bytes(SIZE)


def test_what_must_not_be_written_is_refused(image, tmp_path):
    for path, said in (
        (image, "is the image itself"),
        (tmp_path, "is neither a disk nor a file"),
        ("/dev/null", "is neither a disk nor a file"),
        ("/dev/no-such-disk", "there is no disk"),
    ):
        result = flash(image, path, "--yes")
        assert (result.exit_code, said in result.stderr, "Hint: " in result.stderr) == (4, True, True), result.output


def test_a_disk_that_keeps_nothing_ends_with_its_own_status(image, card, monkeypatch):
    write = OpenDisk.write

    def forgetting(self, offset, octets):
        if offset != 3 * CHUNK_BYTES:
            write(self, offset, octets)

    monkeypatch.setattr(OpenDisk, "write", forgetting)
    result = flash(image, card, "--yes")
    assert result.exit_code == 5
    assert f"{card}: it does not keep chunk 3 of 7, after 3 times" in result.stderr
    assert "boots nothing" in result.stderr
    assert card.read_bytes()[:CHUNK_BYTES] == bytes(CHUNK_BYTES)


def test_a_card_that_was_exchanged_while_a_person_thought_is_not_written(image, card, monkeypatch):
    looks = iter(("0xdead", "0xbeef"))
    look = lambda path: structs.replace(disk(path), serial=next(looks))  # noqa: E731
    monkeypatch.setattr(disks, "look_at_target", look)
    result = flash(image, card, answer="y\n")
    assert (result.exit_code, "not what it was when it was shown" in result.stderr) == (4, True), result.output
    assert card.read_bytes() == bytes(SIZE)


def test_somebody_else_s_disk_is_not_opened(image, target, monkeypatch):
    monkeypatch.setattr(disks, "look_at_target", lambda path: disk("/proc/1/nothing"))
    result = flash(image, target, "--yes")
    assert (result.exit_code, "it cannot be opened" in result.stderr) == (4, True)


def test_the_line_of_progress_at_a_terminal(image, target):
    """Nobody sees it who is no terminal; at one it is cleared away when it is over."""
    leader, follower = pty.openpty()
    words = [image, target, "--key", image.with_name("image.pub")]
    code = "from blade_agent.entry import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "flash", *map(str, words)], stdout=subprocess.PIPE, stderr=follower
    )
    out, _ = process.communicate(timeout=120)
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert process.returncode == 0
    assert shown.endswith("\r\033[K")
    assert b"written and read back in" in out
