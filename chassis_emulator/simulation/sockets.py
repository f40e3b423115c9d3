"""What `transport.get_extra_info("socket")` gives: a socket to set options on, with no descriptor behind it."""

import errno
import os
import socket

from chassis_emulator.simulation.hosts import Endpoint

SOL_UDP, UDP_SEGMENT = 17, 103
"""Linux, include/uapi/linux/udp.h: cut what is sent into datagrams of so many bytes."""

_BUFFER_BYTES = 212_992


def os_error(number: int) -> OSError:
    """The error of that number, in its own class."""
    return OSError(number, os.strerror(number))


class SimulatedSocket:
    """A socket as programs see one. Options are remembered; only UDP_SEGMENT has an effect."""

    def __init__(self, kind: socket.SocketKind, name: Endpoint, peer: Endpoint | None = None) -> None:
        self.family = socket.AF_INET
        self.type = kind
        self.proto = 0
        self._name = name
        self._peer = peer
        self._options: dict[tuple[int, int], int | bytes] = {}

    def getsockname(self) -> Endpoint:
        """Where it is bound."""
        return self._name

    def getpeername(self) -> Endpoint:
        """Whom it is connected to. Raises OSError when it is not."""
        if self._peer is None:
            raise os_error(errno.ENOTCONN)
        return self._peer

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """Remember an option."""
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int) -> int | bytes:
        """What was set, else the size of a buffer where one is asked for, else 0."""
        is_buffer = level == socket.SOL_SOCKET and option in (socket.SO_RCVBUF, socket.SO_SNDBUF)
        return self._options.get((level, option), _BUFFER_BYTES if is_buffer else 0)

    def fileno(self) -> int:
        """None: -1, as a closed socket says."""
        return -1

    @property
    def segment_bytes(self) -> int:
        """Into datagrams of how many bytes the kernel would cut what is sent; 0: not at all."""
        size = self._options.get((SOL_UDP, UDP_SEGMENT), 0)
        return size if isinstance(size, int) else int.from_bytes(size, "little")
