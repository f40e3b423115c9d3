"""How a party shows who it is, and learns who asks it: by TLS, or as whoever composes a simulation says."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import NamedTuple, Protocol

from media_network.identity.identity import Identity


class Peer(NamedTuple):
    """Who is at the other end, and by which certificate."""

    identity: Identity
    thumbprint: str
    """SHA-256 of the certificate, in base64url (`x5t#S256`, RFC 8705, 3.1)."""


class Identification(Protocol):
    """What a party has of identities."""

    @property
    def own(self) -> Identity:
        """Its own."""

    @property
    def server_context(self) -> ssl.SSLContext | None:
        """For whoever comes; None: they come without TLS."""

    @property
    def client_context(self) -> ssl.SSLContext | None:
        """For going to others, a new one whenever anything has changed; None: it goes without TLS."""

    def peer(self, transport: asyncio.BaseTransport | None, host: str) -> Peer | None:
        """Who is at the other end of a connection, from that host; None: nobody who counts (any more)."""

    @property
    def renewed(self) -> set[Callable[[], None]]:
        """Each is called when it has another certificate: for whoever has told somebody which it is."""

    async def keep_fresh(self) -> None:
        """Take what is renewed, until cancelled."""


class HostIdentities:
    """Identities by host, where whoever composes the network vouches for it: there is no TLS in a simulation."""

    server_context = None
    client_context = None

    def __init__(self, own: Identity, by_host: Mapping[str, Identity]) -> None:
        self.own = own
        self.renewed: set[Callable[[], None]] = set()
        self._by_host = by_host

    def peer(self, transport: asyncio.BaseTransport | None, host: str) -> Peer | None:  # noqa: ARG002 -- the protocol's
        """Who that host is."""
        identity = self._by_host.get(host)
        return Peer(identity, sha256(identity.uri.encode()).hexdigest()[:43]) if identity else None

    async def keep_fresh(self) -> None:
        """Nothing changes."""
        await asyncio.Event().wait()
