"""Disks that a real U-Boot chooses on: the boot state in its partition, and the script behind it."""

import subprocess

from blade_agent.boot.boot_copies import PARTITION_BYTES
from blade_agent.boot.boot_record import SECTOR_BYTES
from blade_agent.boot.boot_state import SystemSlot
from blade_agent.boot.uboot_script import CHOICE, PARTITION, script_image

FIRST_SECTOR = 2048
SCRIPT_SECTOR = FIRST_SECTOR + PARTITION_BYTES // SECTOR_BYTES


def disk_of(path, content):
    """A disk with the partition and, behind it, the script."""
    size = (SCRIPT_SECTOR + 2048 + 2048) * SECTOR_BYTES
    with path.open("wb") as file:
        file.truncate(size)
    table = (
        f"label: gpt\nstart={FIRST_SECTOR},size={PARTITION_BYTES // SECTOR_BYTES},name={PARTITION}\n"
        f"start={SCRIPT_SECTOR},size=2048,name=script\n"
    )
    subprocess.run(["sfdisk", "--quiet", str(path)], input=table, text=True, check=True, timeout=60)
    with path.open("r+b") as file:
        file.seek(FIRST_SECTOR * SECTOR_BYTES)
        file.write(content)
        file.seek(SCRIPT_SECTOR * SECTOR_BYTES)
        file.write(script_image(CHOICE, "choice"))
    return path


def partition_of(disk):
    """What the partition holds by now."""
    with disk.open("rb") as file:
        file.seek(FIRST_SECTOR * SECTOR_BYTES)
        return file.read(PARTITION_BYTES)


def choose(uboot, number):
    """Have it choose on a disk; gives the slot."""
    uboot.ask(f"setenv devtype virtio; setenv devnum {number}; virtio dev {number}")
    uboot.ask(f"virtio read ${{scriptaddr}} {SCRIPT_SECTOR:x} 8; source ${{scriptaddr}}")
    return SystemSlot(uboot.variable("slot"))
