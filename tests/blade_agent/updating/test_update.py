"""`blade-agent update`: a system into the slot that is not the good one, tried, kept or given up."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from blade_agent.boot.boot_copies import PARTITION_BYTES, BootCopies
from blade_agent.boot.boot_state import BootState, Standing, SystemSlot, apply, begin, boot, stage
from blade_agent.boot.release import Release
from blade_agent.cli import main
from blade_agent.flashing.open_disk import OpenDisk
from blade_agent.image.manifest import CHUNK_BYTES
from blade_agent.image.signed_image import manifest_path
from blade_agent.updating import cli as updating_cli
from blade_agent.updating.staging import image_profile
from tests.blade_agent.boot.boot_states import FIRST, RELEASES
from tests.blade_agent.boot.uboot_disks import choose, disk_of, partition_of
from tests.blade_agent.image.images import PROFILE, SIZE, Signer, make_image, pack, sign_image
from tests.uboot import FIRMWARE, QEMU, UBoot

PENDING = apply(stage(begin(FIRST), RELEASES[1], RELEASES[1]))
A, B = SystemSlot


@pytest.fixture
def partition(tmp_path):
    path = tmp_path / "partition"
    path.touch()
    os.truncate(path, PARTITION_BYTES)
    return path


def status(path, *more):
    return CliRunner().invoke(main, ["update", "status", "--boot-state", str(path), *more])


def test_the_status_says_what_runs_and_what_is_next(partition, tmp_path, monkeypatch):
    BootCopies(partition).begin(PENDING)
    (tmp_path / "cmdline").write_text("root=/dev/vda3 media_station.slot=a quiet\n")
    monkeypatch.setattr(updating_cli, "_COMMAND_LINE", tmp_path / "cmdline")
    result = status(partition)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "SLOT  RELEASE  STANDING               NOW",
        "a     0.1.0    good                   runs",
        "b     0.2.0    pending, 3 tries left  is booted next",
        "nothing older than 0.1.0 is taken",
    ]
    assert json.loads(status(partition, "--json").stdout) == {
        "running": "a",
        "next": "b",
        "slots": {"a": {"release": "0.1.0", "standing": "good"}, "b": {"release": "0.2.0", "standing": "pending"}},
        "tries": 3,
        "minimum": "0.1.0",
    }


def test_a_board_without_a_boot_state_says_so(tmp_path, partition):
    result = status(tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "Error: the slots cannot be used" in result.stderr
    result = status(partition)
    assert result.exit_code == 1
    assert "the first copy is damaged" in result.stderr
    assert "Hint: The boot loader boots slot a then." in result.stderr


# Staging


class Board:
    """A board with two slots, on files."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.copies = BootCopies(folder / "boot-state")
        self.copies.path.touch()
        os.truncate(self.copies.path, PARTITION_BYTES)
        self.copies.begin(FIRST)
        for slot in SystemSlot:
            self.slot(slot).write_bytes(b"old" * (SIZE // 3) + b"room" * 1000)
        (folder / "os-release").write_text(f'NAME="Media station"\nIMAGE_ID={PROFILE}\nIMAGE_VERSION=0.1.0\n')
        monkeypatch.setattr(updating_cli, "_COMMAND_LINE", folder / "cmdline")
        monkeypatch.setattr(updating_cli, "_OS_RELEASE", folder / "os-release")
        self.runs_from(A)

    def slot(self, slot):
        return self.folder / f"system-{slot.value}"

    def runs_from(self, slot):
        (self.folder / "cmdline").write_text(f"quiet media_station.slot={slot.value}\n")

    def run(self, *words):
        return CliRunner().invoke(main, ["update", *map(str, words), "--boot-state", str(self.copies.path)])

    def stage(self, image, *more):
        key = image.with_name("image.pub")
        return self.run("stage", image, "--key", key, "--slots", self.folder / "system-", *more)

    def holds(self, image, slot):
        content, wanted = self.slot(slot).read_bytes(), image.read_bytes()
        held = [at * CHUNK_BYTES for at in (0, 1, 3, 6)]
        return all(content[at : at + CHUNK_BYTES][: len(wanted) - at] == wanted[at : at + CHUNK_BYTES] for at in held)


@pytest.fixture
def board(tmp_path, monkeypatch):
    return Board(tmp_path, monkeypatch)


def system(folder, seed=1, **said):
    folder.mkdir(exist_ok=True)
    image = make_image(folder / "system.img", seed)
    sign_image(image, Signer(1), kind="system", **said)
    return image


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_an_update_is_staged_tried_and_kept(board, tmp_path, packed):
    image = system(tmp_path / "image", minimum="0.2.0")
    good = board.slot(A).read_bytes()
    result = board.stage(pack(image) if packed else image)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert result.stdout.startswith("slot b: release 0.2.0, 4 MB written and read back")
    assert board.holds(image, B)
    assert board.copies.read().other is Standing.STAGED
    assert "tried at the next boot, 2 times at most" in board.run("apply", "--tries", 2).stdout
    slot = board.copies.change(lambda state: boot(state)[1])
    assert (slot.tries, boot(slot)[0]) == (1, B)
    board.runs_from(B)
    result = board.run("commit")
    assert result.stdout == "slot b, release 0.2.0, is the good one; nothing older than 0.2.0 is taken\n"
    assert board.slot(A).read_bytes() == good
    result = board.run("rollback")
    assert (result.exit_code, "release 0.1.0 is older than 0.2.0" in result.stderr) == (4, True)


def test_what_was_committed_can_be_gone_back_from(board, tmp_path):
    board.stage(system(tmp_path / "image"))
    board.run("apply")
    board.runs_from(B)
    assert board.run("commit").exit_code == 0
    assert board.run("rollback").stdout == "slot a, release 0.1.0, is booted next\n"
    assert board.copies.read().other is Standing.FAILED


def test_json_says_where_it_is(board, tmp_path):
    told = json.loads(board.stage(system(tmp_path / "image"), "--json").stdout)
    assert told == {"slot": "b", "release": "0.2.0", "written_bytes": 3 * CHUNK_BYTES + 100 * 4096}


def test_the_next_update_goes_to_the_other_slot(board, tmp_path):
    board.stage(system(tmp_path / "one"))
    board.run("apply")
    board.runs_from(B)
    board.run("commit")
    image = system(tmp_path / "two", seed=2, release="0.3.0")
    assert board.stage(image).stdout.startswith("slot a: release 0.3.0")
    assert board.holds(image, A)


REFUSED = {
    "for another board": ({"profile": "virt-amd64"}, "it is for virt-amd64, and this board is virt-arm64"),
    "older than the lowest": ({"release": "0.0.9", "minimum": "0.0.1"}, "release 0.0.9 is older than 0.1.0"),
}


@pytest.mark.parametrize(("said", "why"), REFUSED.values(), ids=REFUSED)
def test_what_must_not_come_here_writes_nothing(board, tmp_path, said, why):
    before = board.slot(B).read_bytes(), board.copies.path.read_bytes()
    result = board.stage(system(tmp_path / "image", **said))
    assert (result.exit_code, why in result.stderr) == (4, True), result.output
    assert (board.slot(B).read_bytes(), board.copies.path.read_bytes()) == before


def assert_refused_unwritten(board, result, why):
    assert (result.exit_code, why in result.stderr) == (4, True), result.output
    assert board.copies.read() == FIRST


def test_a_whole_disk_is_no_system_and_a_system_no_disk(board, tmp_path):
    disk = make_image(tmp_path / "disk.img")
    sign_image(disk, Signer(1))
    assert_refused_unwritten(board, board.stage(disk), "it is the image of a whole disk")
    image = system(tmp_path / "image")
    words = ["flash", str(image), str(tmp_path / "new"), "--key", str(image.with_name("image.pub"))]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, "is one system, and no whole disk" in result.stderr) == (4, True)


def test_a_system_that_is_larger_than_the_slot(board, tmp_path):
    os.truncate(board.slot(B), SIZE - 1)
    assert_refused_unwritten(board, board.stage(system(tmp_path / "image")), f"slot b has {SIZE - 1} bytes")


def test_a_board_that_does_not_say_what_it_is(board, tmp_path):
    (tmp_path / "os-release").write_text("NAME=Debian\n")
    image = system(tmp_path / "image")
    assert_refused_unwritten(board, board.stage(image), "this board is not known")
    assert board.stage(image, "--profile", PROFILE).exit_code == 0


def test_the_slot_that_runs_is_never_written(board, tmp_path):
    """It was rolled back, and nobody has restarted it yet."""
    board.stage(system(tmp_path / "image"))
    board.run("apply")
    board.runs_from(B)
    board.run("rollback")
    before = board.slot(B).read_bytes()
    result = board.stage(system(tmp_path / "later", release="0.3.0"))
    assert (result.exit_code, "this system runs from slot b, which would be written" in result.stderr) == (4, True)
    assert board.slot(B).read_bytes() == before


def test_what_is_tried_is_not_written_over(board, tmp_path):
    image = system(tmp_path / "image")
    board.stage(image)
    board.run("apply")
    result = board.stage(image)
    assert (result.exit_code, "an update is being tried" in result.stderr) == (4, True)
    assert board.holds(image, B)


@pytest.mark.parametrize("number", [0, 3, 6])
def test_a_chunk_that_was_not_signed_leaves_the_slot_empty_and_the_good_one_alone(board, tmp_path, number):
    image = system(tmp_path / "image")
    with image.open("r+b") as file:
        file.seek(number * CHUNK_BYTES)
        file.write(b"tampered")
    good = board.slot(A).read_bytes()
    result = board.stage(image)
    assert (result.exit_code, f"chunk {number} of 7 is not what was signed" in result.stderr) == (3, True)
    assert board.copies.read().other is Standing.EMPTY
    assert (board.run("apply").exit_code, board.slot(A).read_bytes() == good) == (4, True)


def test_a_manifest_that_was_not_signed(board, tmp_path):
    image = system(tmp_path / "image")
    manifest_path(image).write_bytes(manifest_path(image).read_bytes().replace(b"0.2.0", b"0.3.0"))
    assert board.stage(image).exit_code == 3
    assert board.copies.read() == FIRST


def test_a_slot_that_keeps_nothing(board, tmp_path, monkeypatch):
    monkeypatch.setattr(OpenDisk, "write", lambda self, offset, octets: None)
    result = board.stage(system(tmp_path / "image"))
    assert (result.exit_code, "Error: slot b: " in result.stderr) == (5, True)
    assert board.copies.read().other is Standing.EMPTY


def test_who_runs_from_no_slot_commits_nothing(board, tmp_path):
    board.stage(system(tmp_path / "image"))
    board.run("apply")
    (tmp_path / "cmdline").write_text("quiet\n")
    assert "this system does not run from a slot" in board.run("commit").stderr
    board.runs_from(A)
    assert "this is slot a, and the update is in slot b" in board.run("commit").stderr
    assert board.copies.read().other is Standing.PENDING


@pytest.mark.parametrize(
    ("text", "profile"),
    [("IMAGE_ID=a\n", "a"), ('X=1\nIMAGE_ID="virt-arm64"\n', "virt-arm64"), ("IMAGE_IDX=a\n", ""), ("", "")],
)
def test_what_a_system_says_it_is_for(tmp_path, text, profile):
    (tmp_path / "os-release").write_text(text)
    assert image_profile(tmp_path / "os-release") == profile
    assert image_profile(Path("/nowhere")) == ""


# With a real boot loader


@pytest.mark.peer(QEMU, FIRMWARE, "sfdisk")
def test_u_boot_tries_an_update_gives_it_up_and_keeps_one_that_works(board, tmp_path):
    image = system(tmp_path / "image")

    def boots(times):
        disk = disk_of(tmp_path / "disk.img", board.copies.path.read_bytes())
        with UBoot(disk) as uboot:
            chosen = [choose(uboot, 0) for _ in range(times)]
        board.copies.path.write_bytes(partition_of(disk))
        return chosen

    assert boots(1) == [A]
    board.stage(image)
    assert boots(1) == [A], "what is staged is not tried"
    board.run("apply", "--tries", 2)
    assert boots(4) == [B, B, A, A], "it never says that it works"
    assert board.copies.read().other is Standing.FAILED
    assert board.run("apply").exit_code == 4
    board.stage(image)
    board.run("apply", "--tries", 2)
    assert boots(1) == [B]
    board.runs_from(B)
    assert board.run("commit").exit_code == 0
    assert boots(2) == [B, B]
    assert board.copies.read() == BootState(
        good=B,
        other=Standing.FORMER,
        good_release=Release(0, 2, 0),
        other_release=Release(0, 1, 0),
        minimum=Release(0, 1, 0),
    )
