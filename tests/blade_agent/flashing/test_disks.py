"""Which disk may be written: trees of sysfs and proc as machines have them."""

import os
from pathlib import Path

import pytest

from blade_agent.flashing.disks import TargetRefused, disk_by_number, look_at_target

MOUNTS = """\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
23 22 0:21 / /proc rw shared:2 - proc proc rw
24 22 8:1 / /boot/efi rw shared:3 - vfat /dev/sda1 rw
25 22 8:33 / /media/with\\040blank rw shared:4 - vfat /dev/sdc1 rw
26 22 253:0 / /srv rw shared:5 - ext4 /dev/mapper/films rw
"""
SWAPS = "Filename\t\tType\t\tSize\tUsed\tPriority\n/dev/sde1   partition\t1000\t0\t-2\n"
TARGET = Path("/dev/target")


class Machine:
    def __init__(self, root):
        self.root = root
        self.put("proc/self/mountinfo", MOUNTS)
        self.put("proc/swaps", SWAPS)

    def put(self, path, content):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def disk(self, name, number, parts=(), **files):
        """A disk with its partitions, by number."""
        folder = f"sys/devices/pci/{name}"
        for path, content in {"dev": number, "size": "62333952", "ro": "0", "removable": "1", **files}.items():
            self.put(f"{folder}/{path}", f"{content}\n")
        self.link(number, folder)
        for part, part_number in parts:
            self.put(f"{folder}/{part}/partition", "1\n")
            self.put(f"{folder}/{part}/dev", f"{part_number}\n")
            self.link(part_number, f"{folder}/{part}")
        return self.root / folder

    def link(self, number, folder):
        link = self.root / "sys/dev/block" / number
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(self.root / folder)

    def look(self, number):
        major, _, minor = number.partition(":")
        return disk_by_number(TARGET, int(major), int(minor), self.root)


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    made.disk("sda", "8:0", [("sda1", "8:1"), ("sda2", "8:2")])
    made.disk("sdb", "8:16", [("sdb1", "8:17")], **{"device/vendor": "Generic ", "device/model": "STORAGE DEVICE  "})
    made.disk("mmcblk0", "179:0", **{"device/name": "SC32G", "device/serial": "0xdeadbeef"})
    made.disk("sdc", "8:32", [("sdc1", "8:33")])
    made.disk("sde", "8:64", [("sde1", "8:65")])
    return made


def test_a_disk_is_told_by_model_size_and_serial(machine):
    stick = machine.look("8:16")
    assert (stick.model, stick.serial, stick.size_bytes, stick.removable) == (
        "Generic STORAGE DEVICE", "", 62333952 * 512, True,
    )  # fmt: skip
    card = machine.look("179:0")
    assert (card.model, card.serial, card.block, card.path) == ("SC32G", "0xdeadbeef", True, "/dev/target")


def test_what_a_disk_calls_itself_cannot_speak_to_the_terminal(machine):
    machine.disk("sdx", "8:99", **{"device/model": "nice\x1b[2J\r disk"})
    assert machine.look("8:99").model == "nice[2J disk"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("8:0", r"/dev/target holds this system \(/, /boot/efi\)"),
        ("8:32", "/dev/target is mounted at /media/with blank"),
        ("8:64", r"holds this system's swap space \(sde1\)"),
        ("8:17", "/dev/target is a partition of sdb"),
    ],
)
def test_what_is_in_use_is_refused(machine, number, said):
    with pytest.raises(TargetRefused, match=said) as refused:
        machine.look(number)
    assert refused.value.hint


def test_what_lies_on_a_partition_counts(machine):
    """An LVM or an encrypted partition: it is the holder that is mounted."""
    folder = machine.disk("sdf", "8:80", [("sdf1", "8:81")])
    machine.disk("dm-0", "253:0")
    (folder / "sdf1/holders").mkdir()
    (folder / "sdf1/holders/dm-0").symlink_to(machine.root / "sys/devices/pci/dm-0")
    with pytest.raises(TargetRefused, match="is mounted at /srv"):
        machine.look("8:80")


def test_holders_in_a_circle_end(machine):
    folder = machine.disk("dm-1", "253:1")
    (folder / "holders").mkdir()
    (folder / "holders/dm-1").symlink_to(folder)
    assert machine.look("253:1").block


def test_a_write_protected_disk_is_refused(machine):
    machine.disk("sdg", "8:96", ro="1")
    with pytest.raises(TargetRefused, match="is write-protected"):
        machine.look("8:96")


def test_files_and_what_is_neither(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert (look_at_target(tmp_path / "file").size_bytes, look_at_target(tmp_path / "file").block) == (5, False)
    assert look_at_target(tmp_path / "new").size_bytes == 0
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(TargetRefused, match="is neither a disk nor a file"):
            look_at_target(path)
    with pytest.raises(TargetRefused, match="there is no disk /dev/sdzz"):
        look_at_target(Path("/dev/sdzz"))
    with pytest.raises(FileNotFoundError):
        look_at_target(tmp_path / "no" / "folder")


def test_this_machine_s_own_disks_are_never_offered():
    """The disk below `/` is refused, wherever these tests run, if it is a disk at all."""
    number = Path("/").stat().st_dev
    entry = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not entry.exists():
        return  # An overlay, or a file system of somebody else's.
    whole = entry.resolve()
    whole = whole.parent if (whole / "partition").exists() else whole
    major, _, minor = (whole / "dev").read_text().strip().partition(":")
    with pytest.raises(TargetRefused, match="holds this system"):
        disk_by_number(Path("/dev/whole"), int(major), int(minor), Path("/"))
