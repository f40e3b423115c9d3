"""A UDP socket that only sends: the kernel drops whatever comes to it, and whoever reads the socket is not woken."""

import ctypes
import socket
import struct

_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER (Linux, include/uapi/asm-generic/socket.h)."""
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A program of classic BPF that keeps nothing of any packet: `ret #0` (include/uapi/linux/filter.h)."""


def drop_all_that_comes(sock: socket.socket) -> None:
    """Have the kernel do so from now on. Raises OSError where it cannot."""
    program = ctypes.create_string_buffer(_DROP_ALL)
    filtering = struct.pack("HP", 1, ctypes.addressof(program))
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, filtering)
