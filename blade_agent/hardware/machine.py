"""The machine as its operating system counts it: interfaces, memory, disks, processors. By psutil, and blocking."""

import contextlib
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import psutil
from msgspec import Struct

DISKS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "overlay", "squashfs", "zfs", "bcachefs"})
"""File systems that keep data; the others are views of the kernel, or memory."""
_MEMORY_DISKS = frozenset({"tmpfs"})
_DISKS_MAX = 64


class InterfaceFigures(Struct, frozen=True, kw_only=True):
    """A network interface, counted since the machine started."""

    name: str
    number: int
    """The kernel's: 1 and up."""
    mtu: int
    speed_mbps: int
    """0 where it has none."""
    hardware_address: bytes
    loopback: bool
    wanted_up: bool
    up: bool
    in_bytes: int
    in_packets: int
    in_errors: int
    in_drops: int
    out_bytes: int
    out_packets: int
    out_errors: int
    out_drops: int


class StorageFigures(Struct, frozen=True, kw_only=True):
    """Memory, or a file system."""

    name: str
    memory: bool
    """Whether it is not a disk."""
    virtual: bool
    """Swap space."""
    size_bytes: int
    used_bytes: int


class MachineFigures(Struct, frozen=True, kw_only=True):
    """A machine at one moment."""

    up_s: float
    """Since the machine started."""
    users: int
    processes: int
    memory_bytes: int
    processors: tuple[float | None, ...]
    """Load of each since the reading before, 0 to 1; None at the first reading."""
    processor_model: str
    interfaces: tuple[InterfaceFigures, ...]
    storages: tuple[StorageFigures, ...]


class Machine:
    """Reads the machine that the agent runs on. One reader at a time."""

    def __init__(self) -> None:
        self._before: list[tuple[float, float]] = []
        self._model = _processor_model()

    def read(self, wall_s: float) -> MachineFigures:
        """Read everything now, which is so many seconds since 1970. Raises OSError, psutil.Error."""
        memory = psutil.virtual_memory()
        return MachineFigures(
            up_s=max(0.0, wall_s - psutil.boot_time()),
            users=len(psutil.users()),
            processes=len(psutil.pids()),
            memory_bytes=memory.total,
            processors=self._loads(),
            processor_model=self._model,
            interfaces=_interfaces(),
            storages=(_memory(), *_swap(), *_disks()),
        )

    def _loads(self) -> tuple[float | None, ...]:
        counted = [_counted(times) for times in psutil.cpu_times(percpu=True)]
        before, self._before = self._before, counted
        if len(before) != len(counted):
            return (None,) * len(counted)
        return tuple(_busy(old, new) for old, new in zip(before, counted, strict=True))


def _counted(times: object) -> tuple[float, float]:
    """All and idle seconds of a processor. A guest's time is counted as its host's already."""
    kinds: dict[str, float] = times._asdict()  # type: ignore[attr-defined]
    passed = sum(seconds for kind, seconds in kinds.items() if kind not in {"guest", "guest_nice"})
    return passed, kinds.get("idle", 0.0) + kinds.get("iowait", 0.0)


def _busy(before: tuple[float, float], now: tuple[float, float]) -> float | None:
    passed, idle = now[0] - before[0], now[1] - before[1]
    return None if passed <= 0 else min(max(1 - idle / passed, 0.0), 1.0)


def _interfaces() -> tuple[InterfaceFigures, ...]:
    numbers = {name: number for number, name in socket.if_nameindex()}
    counters = psutil.net_io_counters(pernic=True)
    addresses = psutil.net_if_addrs()
    found = []
    for name, stats in psutil.net_if_stats().items():
        counted = counters.get(name)
        if name not in numbers or counted is None:
            continue
        flags = frozenset(getattr(stats, "flags", "").split(","))
        links = [link.address for link in addresses.get(name, ()) if link.family == socket.AF_PACKET]
        found.append(
            InterfaceFigures(
                name=name,
                number=numbers[name],
                mtu=stats.mtu,
                speed_mbps=max(0, stats.speed),
                hardware_address=bytes.fromhex(links[0].replace(":", "")) if links else b"",
                loopback="loopback" in flags,
                wanted_up="up" in flags or stats.isup,
                up=stats.isup,
                in_bytes=counted.bytes_recv,
                in_packets=counted.packets_recv,
                in_errors=counted.errin,
                in_drops=counted.dropin,
                out_bytes=counted.bytes_sent,
                out_packets=counted.packets_sent,
                out_errors=counted.errout,
                out_drops=counted.dropout,
            )
        )
    return tuple(found)


def _memory() -> StorageFigures:
    memory = psutil.virtual_memory()
    used = memory.total - memory.available
    return StorageFigures(name="Physical memory", memory=True, virtual=False, size_bytes=memory.total, used_bytes=used)


def _swap() -> tuple[StorageFigures, ...]:
    swap = psutil.swap_memory()
    if not swap.total:
        return ()
    return (StorageFigures(name="Swap space", memory=True, virtual=True, size_bytes=swap.total, used_bytes=swap.used),)


class Mounted(Protocol):
    """A file system at one place, as psutil lists them."""

    @property
    def mountpoint(self) -> str:
        """Where."""

    @property
    def fstype(self) -> str:
        """As the kernel calls it."""


def _disks() -> tuple[StorageFigures, ...]:
    disks: list[Mounted] = [one for one in psutil.disk_partitions(all=True) if one.fstype in DISKS | _MEMORY_DISKS]
    read = (_disk(one) for one in each_once(disks)[:_DISKS_MAX])
    return tuple(disk for disk in read if disk is not None)


def each_once(mounted: Iterable[Mounted], device_of: Callable[[str], int] | None = None) -> list[Mounted]:
    """Every file system at one of its places, the one with the shortest name: bind mounts show one again.

    `device_of` gives the number of the device that a path is on, and raises OSError.
    """
    device_of = device_of or _device_of
    found: dict[int, Mounted] = {}
    for one in sorted(mounted, key=lambda each: (len(each.mountpoint), each.mountpoint)):
        with contextlib.suppress(OSError):  # Unmounted since, or not for us to see.
            found.setdefault(device_of(one.mountpoint), one)
    return sorted(found.values(), key=lambda each: each.mountpoint)


def _device_of(path: str) -> int:
    return Path(path).stat().st_dev


def _disk(partition: Mounted) -> StorageFigures | None:
    try:
        usage = psutil.disk_usage(partition.mountpoint)
    except OSError:
        return None  # Unmounted since, or not for us to see.
    if not usage.total:
        return None
    return StorageFigures(
        name=partition.mountpoint,
        memory=partition.fstype in _MEMORY_DISKS,
        virtual=False,
        size_bytes=usage.total,
        used_bytes=usage.total - usage.free,
    )


def _processor_model() -> str:
    """What the kernel calls the processor; empty where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(named, "")
