"""The head of a request, read if no more has to be read: a plain GET without a body, in one piece (RFC 9112).

What is written in any other way is not wrong, but somebody else reads it. No I/O.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

HEAD_MAX = 4096
"""Octets. A longer one is not read here."""

# Possessive, so that no octet is looked at twice: what a stranger sends costs what it is long.
_HEAD = re.compile(
    rb"GET (/[A-Za-z0-9/._~!$&'()*,;=:@-]*+)(?:\?([A-Za-z0-9._~=&-]*+))? HTTP/1\.1\r\n"
    rb"((?:[!#-'*+.0-9A-Z^-z|~-]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
)
_HAS_MORE = frozenset(
    {b"content-length", b"expect", b"http2-settings", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_STAYS = frozenset({b"", b"keep-alive"})
"""What `Connection` says of one that goes on."""


class RequestHead(NamedTuple):
    """A GET."""

    path: str
    query: Mapping[str, str]
    """The first value of each name; nothing in it was escaped."""
    fields: Mapping[bytes, bytes]
    """Header fields, by their names in small letters; none of them was there twice."""
    remote: str
    """The host that it comes from."""

    def field(self, name: bytes) -> str:
        """A header field, or nothing."""
        return self.fields.get(name, b"").decode("ascii")


def read_head(octets: bytes, remote: str) -> RequestHead | None:
    """The request that these octets are; None: they are less, or more, or another one."""
    if len(octets) > HEAD_MAX or not (found := _HEAD.fullmatch(octets)):
        return None
    path, query, lines = found.groups()
    fields: dict[bytes, bytes] = {}
    for line in lines.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in fields or name in _HAS_MORE:
            return None
        fields[name] = value.strip(b" \t")
    if b"host" not in fields or fields.get(b"connection", b"").lower() not in _STAYS:
        return None
    return RequestHead(path.decode("ascii"), _values(query.decode("ascii") if query else ""), fields, remote)


def _values(query: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        values.setdefault(name, value)
    return values
