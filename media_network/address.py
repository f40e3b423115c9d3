"""Where a party is reached: an IPv4 address and a port, written `host:port`."""

import re
from ipaddress import AddressValueError, IPv4Address
from typing import NamedTuple, Self

_ADDRESS = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})", re.ASCII)


class Address(NamedTuple):
    """An IPv4 address and a TCP or UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`. Raises ValueError with the text in it."""
        found = _ADDRESS.fullmatch(text)
        if not found:
            raise ValueError(f"{text[:40]!r} is not an IPv4 address and a port, such as 127.1.2.1:8080")
        try:
            host = str(IPv4Address(found[1]))
        except AddressValueError:
            raise ValueError(f"{found[1]!r} is not an IPv4 address") from None
        port = int(found[2])
        if not 0 < port < 65536:
            raise ValueError(f"{port} is not a port")
        return cls(host, port)
