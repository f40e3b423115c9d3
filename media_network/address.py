"""Where a party is reached: an IPv4 address and a port, written `host:port`."""

import re
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, NamedTuple, Self

from msgspec import Meta

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_END = r"$(?!\n)"

Ipv4Text = Annotated[str, Meta(pattern=rf"^{_IPV4}{_END}", description="an IPv4 address, such as 192.0.2.12")]
IpText = Annotated[
    str, Meta(pattern=rf"^(?:{_IPV4}|[0-9a-fA-F]*:[0-9a-fA-F:.]*){_END}", description="an IPv4 or IPv6 address")
]
AddressText = Annotated[
    str,
    Meta(pattern=rf"^{_IPV4}:{_PORT}{_END}", description="an IPv4 address and a port, such as 192.0.2.1:8081"),
]
NoAddressText = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{_IPV4}:{_PORT})?{_END}",
        description="an IPv4 address and a port, such as 192.0.2.1:8081, or empty",
    ),
]
"""Where there need be none."""

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
