"""A socket that systemd has bound before it started this process (sd_listen_fds(3)): port 161 takes a privilege."""

import os
import socket
from collections.abc import Mapping

_FIRST = 3
"""Number of the first descriptor that is passed."""
_PASSED_MAX = 64


def passed_socket(host: str, port: int, environment: Mapping[str, str] = os.environ) -> socket.socket | None:
    """A copy of the UDP socket that was passed for an address; None if none was.

    Raises OSError: what is said to be passed is no socket.
    """
    said = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(os.getpid()) or not said.isascii() or not said.isdigit():
        return None
    for descriptor in range(_FIRST, _FIRST + min(int(said), _PASSED_MAX)):
        sock = socket.socket(fileno=os.dup(descriptor))
        if sock.type == socket.SOCK_DGRAM and sock.getsockname()[:2] == (host, port):
            return sock
        sock.close()
    return None
