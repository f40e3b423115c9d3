"""A party's certificate at work: the contexts of TLS, and who is at the other end of a connection.

Files are read again when they change. What is renewed counts for new connections, those that are open go on; what is
revoked, or has expired, counts no more at the next message, whatever is open.
"""

import asyncio
import logging
import os
import ssl
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from media_network.document import DocumentError
from media_network.identity.certificates import BadCertificate, read_certificate, read_revoked
from media_network.identity.identification import Peer
from media_network.identity.identity import BadIdentity, Identity
from media_network.identity.settings import IdentitySettings

logger = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often the files are looked at."""
_PEERS_KEPT = 4096
_Read = TypeVar("_Read")
_Stamp = tuple[tuple[int, int, int] | None, ...]


class CredentialsUnfit(DocumentError):
    """A file that says who a party is cannot be used."""

    hint = "`distribution-center pki issue` makes such files; docs/operations/identities.md says what is in each."


class _Known(NamedTuple):
    """A peer's certificate that OpenSSL found good, and what it says."""

    peer: Peer
    serial: int
    not_after: float


class Credentials:
    """An `Identification` by files."""

    def __init__(self, settings: IdentitySettings, now: Callable[[], float] = time.time) -> None:
        """Raises CredentialsUnfit."""
        self._settings = settings
        self._now = now
        self.renewed: set[Callable[[], None]] = set()
        """Each is called when there is another certificate."""
        self._known: OrderedDict[bytes, _Known | None] = OrderedDict()
        self._stamp = self._look()
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._take_up()

    @property
    def own(self) -> Identity:
        """Who this is."""
        return self._own

    @property
    def server_context(self) -> ssl.SSLContext:
        """For whoever comes: the same one whatever is renewed, for a server holds it."""
        return self._server

    @property
    def client_context(self) -> ssl.SSLContext:
        """For going to others: another one after each renewal, so that no connection from before is taken again."""
        return self._client

    def peer(self, transport: asyncio.BaseTransport | None, host: str) -> Peer | None:  # noqa: ARG002 -- the protocol's
        """Who is at the other end of a connection; None: it is without TLS, or the certificate names nobody of this
        trust domain, is revoked, or has expired meanwhile."""
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport else None
        octets = tls.getpeercert(binary_form=True) if tls else None
        if tls is None or octets is None:
            return None
        if octets in self._known:
            known = self._known[octets]
            self._known.move_to_end(octets)
        else:
            known = self._known[octets] = self._read(octets, tls.getpeercert() or {})
            if len(self._known) > _PEERS_KEPT:
                self._known.popitem(last=False)
        if known is None or known.serial in self._revoked or self._now() >= known.not_after:
            return None
        return known.peer

    async def keep_fresh(self) -> None:
        """Take up what has changed in the files, until cancelled. What cannot be used is left, and said once."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.refresh()

    def refresh(self) -> bool:
        """Take up what has changed in the files; whether anything was."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._take_up()
        except CredentialsUnfit as error:
            logger.warning("what has changed of this party's identity cannot be used, so it stays as it was: %s", error)
            return False
        for told in tuple(self.renewed):
            told()
        logger.info("identity %s is taken up anew: it is good until %s", self._own, self._good_until)
        return True

    def _take_up(self) -> None:
        """Read all files. Raises CredentialsUnfit, and then everything is as it was."""
        credentials, authority = Path(self._settings.credentials), Path(self._settings.authority)
        shown = _parsed(credentials, lambda: read_certificate(_octets(credentials)))
        client = _outgoing(credentials, authority)
        revoked = self._read_revoked(authority)
        _incoming(self._server, credentials, authority)
        self._client, self._revoked = client, revoked
        self._own, self._good_until = shown.identity, shown.not_after
        self._known.clear()

    def _read_revoked(self, authority: Path) -> frozenset[int]:
        path = Path(self._settings.revoked)
        if not self._settings.revoked:
            return frozenset()
        return _parsed(path, lambda: read_revoked(_octets(path), _octets(authority)))

    def _read(self, octets: bytes, shown: dict[str, Any]) -> _Known | None:
        uris = [value for kind, value in shown.get("subjectAltName", ()) if kind == "URI"]
        try:
            (uri,) = uris
            identity = Identity.parse(uri)
        except (BadIdentity, ValueError):
            return None
        if identity.trust_domain != self._own.trust_domain:
            return None
        thumbprint = urlsafe_b64encode(sha256(octets).digest()).rstrip(b"=").decode()
        return _Known(
            peer=Peer(identity, thumbprint),
            serial=int(str(shown["serialNumber"]), 16),
            not_after=ssl.cert_time_to_seconds(str(shown["notAfter"])),
        )

    def _look(self) -> _Stamp:
        paths = (self._settings.credentials, self._settings.authority, self._settings.revoked)
        return tuple(map(_stamp, paths))


def credentials_of(settings: IdentitySettings | None) -> Credentials | None:
    """A party's credentials, where it is told of any. Raises CredentialsUnfit."""
    return Credentials(settings) if settings else None


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        seen = Path(path).stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def _outgoing(credentials: Path, authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _fill(context, credentials, authority)
    return context


def _incoming(context: ssl.SSLContext, credentials: Path, authority: Path) -> None:
    """Handshakes that begin from now on are with these."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # who comes again shows its certificate again
    context.options |= ssl.OP_NO_TICKET
    _fill(context, credentials, authority)


def _fill(context: ssl.SSLContext, credentials: Path, authority: Path) -> None:
    """Raises CredentialsUnfit."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(credentials)
    except ssl.SSLError as error:
        raise CredentialsUnfit(credentials, "", "it holds no private key with its certificate") from error
    except OSError as error:
        raise CredentialsUnfit(credentials, "", f"it cannot be read ({_reason(error)})") from error
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise CredentialsUnfit(authority, "", "it holds no certificate of an authority") from error
    except OSError as error:
        raise CredentialsUnfit(authority, "", f"it cannot be read ({_reason(error)})") from error
    if keylog := os.environ.get("SSLKEYLOGFILE"):
        context.keylog_filename = keylog


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsUnfit(path, "", f"it cannot be read ({_reason(error)})") from error


def _parsed(path: Path, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except BadCertificate as error:
        raise CredentialsUnfit(path, "", str(error)) from error


def _reason(error: OSError) -> str:
    """Without the path, which is said already."""
    return (error.strerror or "no reason given").lower()
