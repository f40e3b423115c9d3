"""An interface to a network as the machine knows it."""

import ipaddress
import socket
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

_ROUTES: Final = Path("/proc/net/route")
_NOWHERE: Final = "00000000"
_ADDRESS_BYTES: Final = 6
_FEWEST_FIELDS: Final = 3


class InterfaceFacts(Struct, frozen=True, kw_only=True):
    """What belongs to an address of this machine. What is not known is all zeros."""

    mask: bytes = bytes(4)
    hardware_address: bytes = bytes(_ADDRESS_BYTES)
    gateway: bytes = bytes(4)


def interface_at(host: str) -> InterfaceFacts:
    """Find out about the interface that has an IPv4 address; of one that none has nothing is known."""
    for name, found in psutil.net_if_addrs().items():
        mine = next((each for each in found if each.family == socket.AF_INET and each.address == host), None)
        if mine is not None:
            hardware = next((each.address for each in found if each.family == psutil.AF_LINK), "")
            return InterfaceFacts(
                mask=ipaddress.IPv4Address(mine.netmask).packed if mine.netmask else bytes(4),
                hardware_address=_hardware_address(hardware),
                gateway=_gateway_of(name),
            )
    return InterfaceFacts()


def _hardware_address(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return bytes(_ADDRESS_BYTES)
    return octets if len(octets) == _ADDRESS_BYTES else bytes(_ADDRESS_BYTES)


def _gateway_of(interface: str) -> bytes:
    """Give the gateway of an interface's default route, zeros for none. The kernel writes it in its own byte order."""
    try:
        lines = _ROUTES.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return bytes(4)
    for fields in map(str.split, lines):
        if len(fields) >= _FEWEST_FIELDS and fields[0] == interface and fields[1] == _NOWHERE:
            return bytes.fromhex(fields[2])[::-1]
    return bytes(4)
