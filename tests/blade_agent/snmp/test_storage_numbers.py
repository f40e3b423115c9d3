"""hrStorageIndex: it stays, whatever is mounted and taken away beside it; one file system is there once."""

from hypothesis import given
from hypothesis import strategies as st

from blade_agent.hardware.machine import StorageFigures, each_once
from blade_agent.snmp.storage_numbers import numbered


def disk(name, *, memory=False, virtual=False):
    return StorageFigures(name=name, memory=memory, virtual=virtual, size_bytes=1 << 30, used_bytes=1 << 20)


RAM = disk("Physical memory", memory=True)
SWAP = disk("Swap space", memory=True, virtual=True)


def indexes(*storages):
    return {one.name: number for number, one in numbered(storages).values()}


def test_memory_has_the_numbers_that_net_snmp_gives_it():
    assert indexes(RAM, SWAP) == {"Physical memory": 1, "Swap space": 3}


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1), unique=True, max_size=9))
def test_a_disk_that_comes_or_goes_shifts_no_other(names):
    disks = [disk(f"/{name}") for name in names]
    all_there = indexes(RAM, *disks, SWAP)
    assert len(set(all_there.values())) == len(disks) + 2
    assert all(1 <= number < 1 << 31 for number in all_there.values())
    for gone in range(len(disks)):
        left = disks[:gone] + disks[gone + 1 :]
        assert indexes(*left).items() <= all_there.items()


class Mounted:
    def __init__(self, mountpoint):
        self.mountpoint, self.fstype = mountpoint, "ext4"


def test_a_bind_mount_shows_no_disk_twice():
    devices = {"/": 1, "/srv/films": 2, "/srv": 1, "/home/nils/films": 2, "/etc/hosts": 1}

    def device_of(path):
        if path not in devices:
            raise FileNotFoundError(path)
        return devices[path]

    mounted = [Mounted(path) for path in ("/srv", "/", "/home/nils/films", "/srv/films", "/gone", "/etc/hosts")]
    assert [one.mountpoint for one in each_once(mounted, device_of)] == ["/", "/srv/films"]
