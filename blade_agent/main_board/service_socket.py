"""Sockets at the service address of a station: every blade may send from there, whichever of them has the address.

A player takes an RTP stream from one source only (RFC 3550, 8.2), so all engines send from the same address and port.
"""

import socket
from contextlib import suppress

from media_network.address import Address

_IP_FREEBIND, _IP_TRANSPARENT = 15, 19
"""Linux, include/uapi/linux/in.h: bind to an address that the machine does not have (yet); send from it as well, which
takes CAP_NET_RAW."""


def bound_at_service(address: Address) -> socket.socket:
    """A UDP socket there, which others on this machine may be bound to as well. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for option in (_IP_FREEBIND, _IP_TRANSPARENT):
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_IP, option, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
