"""The boot record, read and written by those it is for: libubootenv's tools, and a real U-Boot."""

import subprocess

import pytest

from blade_agent.boot.boot_copies import COPY_OFFSETS, PARTITION_BYTES, BootCopies
from blade_agent.boot.boot_record import SECTOR_BYTES, BootRecord
from blade_agent.boot.boot_state import Standing, SystemSlot, boot
from tests.blade_agent.boot.boot_states import all_states
from tests.blade_agent.boot.uboot_disks import FIRST_SECTOR, choose, disk_of
from tests.uboot import FIRMWARE, QEMU, UBoot


def some_states():
    """Of each standing, of each good slot, with and without tries: one."""
    found = {}
    for state in all_states():
        found.setdefault((state.good, state.other, bool(state.tries)), state)
    return list(found.values())


# libubootenv


@pytest.fixture
def partition(tmp_path):
    path = tmp_path / "partition"
    path.write_bytes(bytes(PARTITION_BYTES))
    return path


def environment(command, partition, offset, *words):
    configuration = partition.with_name("fw_env.config")
    configuration.write_text(f"{partition} {offset:#x} {SECTOR_BYTES:#x}\n")
    finished = subprocess.run(
        [command, "-c", str(configuration), *words], capture_output=True, text=True, check=True, timeout=60
    )
    return dict(line.split("=", 1) for line in finished.stdout.splitlines())


@pytest.mark.peer("fw_printenv")
def test_fw_printenv_reads_either_copy(partition):
    for state in some_states():
        BootCopies(partition).begin(state)
        for generation, offset in enumerate(COPY_OFFSETS):
            read = environment("fw_printenv", partition, offset)
            assert read["boot_generation"] == f"{generation:x}"
            assert read["boot_good"] == state.good.value
            assert read["boot_other"] == state.other.value
            assert read[f"boot_release_{state.good.value}"] == str(state.good_release)
            expected = BootRecord(generation, state).sector()[4:].rstrip(b"\0").decode().split("\0")
            assert {f"{name}={value}" for name, value in read.items()} == set(expected)


@pytest.mark.peer("fw_setenv")
def test_what_fw_setenv_writes_is_read(partition):
    state = next(one for one in all_states() if one.other is Standing.PENDING and one.tries == 2)
    BootCopies(partition).begin(state)
    newer = COPY_OFFSETS[1]
    environment("fw_setenv", partition, newer, "boot_tries", "1")
    assert BootCopies(partition).read().tries == 1


# U-Boot


def copies_on(disk):
    begin = FIRST_SECTOR * SECTOR_BYTES
    return BootCopies(disk, (begin + COPY_OFFSETS[0], begin + COPY_OFFSETS[1]))


def content_of(partition, state):
    BootCopies(partition).begin(state)
    return partition.read_bytes()


@pytest.mark.peer(QEMU, FIRMWARE, "sfdisk")
def test_u_boot_chooses_as_the_table_says_and_keeps_what_it_changes(partition, tmp_path):
    states = some_states()
    assert len(states) == 12
    disks = [disk_of(tmp_path / f"{number}.img", content_of(partition, each)) for number, each in enumerate(states)]
    expected = states
    with UBoot(*disks) as uboot:
        for _ in range(3):
            chosen = [boot(state) for state in expected]
            assert [choose(uboot, number) for number in range(len(disks))] == [slot for slot, _ in chosen]
            expected = [state for _, state in chosen]
            assert [copies_on(disk).read() for disk in disks] == expected


@pytest.mark.peer(QEMU, FIRMWARE, "sfdisk")
def test_u_boot_goes_by_the_copy_that_is_whole(partition, tmp_path):
    pending = next(one for one in all_states() if one.other is Standing.PENDING and one.tries == 2)
    good_b = next(one for one in all_states() if one.good is SystemSlot.B and one.other is Standing.FORMER)
    whole = content_of(partition, pending)
    second = COPY_OFFSETS[1]
    older = BootRecord(0, good_b).sector() + whole[SECTOR_BYTES:]
    damaged = {
        "the first is torn": bytes(100) + whole[100:],
        "the newer is torn": older[: second + 100] + bytes(412) + older[second + 512 :],
        "both are": bytes(PARTITION_BYTES),
        "more than a digit apart": (BootRecord(0x100, pending).sector() + whole[SECTOR_BYTES:second])
        + BootRecord(0xFF, good_b).sector()
        + whole[second + SECTOR_BYTES :],
    }
    disks = [disk_of(tmp_path / f"{number}.img", content) for number, content in enumerate(damaged.values())]
    other = pending.good.other
    with UBoot(*disks) as uboot:
        chosen = [choose(uboot, number) for number in range(len(disks))]
        assert dict(zip(damaged, chosen, strict=True)) == {
            "the first is torn": other,
            "the newer is torn": SystemSlot.B,
            "both are": SystemSlot.A,
            "more than a digit apart": other,
        }
    assert copies_on(disks[0]).read().tries == 1
    assert copies_on(disks[3]).read().tries == 1
