"""What is around a board that no profile can know: the addresses of its network, and disks for segments."""

import ipaddress
import socket
from pathlib import PurePosixPath

import psutil
from msgspec import Struct

from blade_agent.hardware.machine import DISKS

_PLACES = tuple(PurePosixPath(place) for place in ("/media", "/mnt", "/srv"))
"""Where disks are mounted that are for data (Filesystem Hierarchy Standard 3.0, 3.11, 3.12, 3.17)."""


class HostAddress(Struct, frozen=True, kw_only=True):
    """An IPv4 address that other machines can reach."""

    interface: str
    address: str


def host_addresses() -> tuple[HostAddress, ...]:
    """The IPv4 addresses of this machine, by interface; none of loopback, and none that it gave itself (RFC 3927)."""
    found = (
        HostAddress(interface=name, address=each.address)
        for name, addresses in sorted(psutil.net_if_addrs().items())
        for each in addresses
        if each.family == socket.AF_INET
    )
    return tuple(one for one in found if _is_reachable(one.address))


def _is_reachable(address: str) -> bool:
    known = ipaddress.ip_address(address)
    return not (known.is_loopback or known.is_link_local)


def data_disks() -> tuple[str, ...]:
    """Mount points of this machine that are for data, sorted. Raises OSError."""
    mounted = (
        one for one in psutil.disk_partitions(all=True) if one.fstype in DISKS and "ro" not in one.opts.split(",")
    )
    return tuple(sorted(one.mountpoint for one in mounted if _is_for_data(PurePosixPath(one.mountpoint))))


def _is_for_data(mount_point: PurePosixPath) -> bool:
    return any(mount_point == place or place in mount_point.parents for place in _PLACES)
