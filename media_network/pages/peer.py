"""Who is at the other end of a loopback connection: the user, as the kernel's table of connections says (proc(5))."""

import socket
import struct
from pathlib import Path

SocketName = tuple[str, int]
"""An IPv4 address and a TCP port, as a socket gives them."""
_CONNECTIONS = Path("/proc/net/tcp")
_LOCAL, _REMOTE, _USER = 1, 2, 7
"""Columns of the table."""


def user_of(peer: SocketName, here: SocketName, connections: Path = _CONNECTIONS) -> int | None:
    """The user whose socket at `peer` is connected with `here`; None where there is none. Blocks for a moment."""
    ends = [_written(peer), _written(here)]
    with connections.open() as table:
        for line in table:
            columns = line.split()
            if columns[_LOCAL : _REMOTE + 1] == ends:
                return int(columns[_USER])
    return None


def _written(name: SocketName) -> str:
    """As the table has it: the host as the machine's own 32-bit number, both in hexadecimal."""
    host, port = name
    (number,) = struct.unpack("=I", socket.inet_aton(host))
    return f"{number:08X}:{port:04X}"
