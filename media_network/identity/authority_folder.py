"""The folder of an authority: its key, whom it has said what of, and who counts no more.

```
authority.pem           its certificate: every party has a copy
authority.key           its key; mode 0600
revoked.pem             the certificates that count no more, signed; every party has a copy
issued/<serial>.pem     each certificate that has yet to expire
```

An identity is a folder, too, as a party has it: `identity.pem` (key and certificate; mode 0600), and copies of the
first and the third. Every function blocks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from media_network.identity.certificates import (
    Authority,
    BadCertificate,
    hosts_of,
    public_part,
    read_certificate,
    read_revoked,
)
from media_network.identity.identity import Identity
from media_network.identity.settings import AUTHORITY, CREDENTIALS, REVOKED
from media_network.secret_file import write_secret

_KEY = "authority.key"
LIVES = timedelta(days=30)
"""Of a certificate, when nobody says: who has stolen a key has it no longer than that."""


class AuthorityUnfit(Exception):
    """A folder that is not an authority's, or is one already."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder = folder
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.folder}: {self.reason}"


class Issued(NamedTuple):
    """A certificate that has yet to expire."""

    identity: Identity
    serial: int
    not_after: datetime
    hosts: tuple[str, ...]
    revoked: bool


@dataclass(frozen=True)
class AuthorityFolder:
    """One."""

    path: Path

    @property
    def certificate(self) -> Path:
        """For everybody."""
        return self.path / AUTHORITY

    @property
    def revoked(self) -> Path:
        """For everybody, too."""
        return self.path / REVOKED

    @property
    def exists(self) -> bool:
        """Whether there is an authority in it."""
        return (self.path / _KEY).exists()

    def found(self, trust_domain: str, now: datetime) -> Authority:
        """Make a new authority. Raises AuthorityUnfit: there is one; BadIdentity; OSError."""
        if self.exists:
            raise AuthorityUnfit(self.path, "there is an authority already")
        authority = Authority.found(trust_domain, now)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._issued.mkdir(exist_ok=True)
        write_secret(self.certificate, authority.certificate_pem.decode())
        write_secret(self.revoked, authority.revoke((), now).decode())
        write_secret(self.path / _KEY, authority.key_pem.decode(), durable=True)  # with it the authority is there
        return authority

    def load(self) -> Authority:
        """The authority. Raises AuthorityUnfit: there is none, or it is damaged."""
        try:
            return Authority.load(self.certificate.read_bytes(), (self.path / _KEY).read_bytes())
        except FileNotFoundError as error:
            raise AuthorityUnfit(self.path, "there is no authority") from error
        except BadCertificate as error:
            raise AuthorityUnfit(self.path, str(error)) from error

    def issue(  # noqa: PLR0917 -- what a certificate says
        self,
        authority: Authority,
        identity: Identity,
        hosts: Iterable[str],
        to: Path,
        now: datetime,
        lives: timedelta = LIVES,
    ) -> Issued:
        """Make a key and its certificate in a folder. Raises BadCertificate, OSError."""
        hosts = tuple(hosts)
        pem = authority.issue(identity, hosts, now, lives)
        shown = read_certificate(pem)
        write_secret(self._issued / f"{shown.serial:040x}.pem", public_part(pem).decode(), durable=True)
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.hand_on(to)
        write_secret(to / CREDENTIALS, pem.decode())
        return Issued(identity, shown.serial, shown.not_after, hosts, revoked=False)

    def hand_on(self, to: Path) -> None:
        """Have a party know whose word counts, and who counts no more. Raises OSError."""
        for name in (AUTHORITY, REVOKED):
            content = (self.path / name).read_text()
            if not (to / name).exists() or (to / name).read_text() != content:
                write_secret(to / name, content)

    def renew(self, authority: Authority, folder: Path, now: datetime, lives: timedelta = LIVES) -> Issued:
        """Make another key and certificate in place of a party's. Raises BadCertificate, AuthorityUnfit, OSError."""
        pem = (folder / CREDENTIALS).read_bytes()
        shown = read_certificate(pem)
        if not authority.has_signed(pem):
            # The folder is its party's, who may have written any name there.
            raise AuthorityUnfit(self.path, f"it has not signed the certificate of {shown.identity}")
        if shown.serial in self.revoked_serials():
            raise AuthorityUnfit(self.path, f"the certificate of {shown.identity} has been revoked")
        return self.issue(authority, shown.identity, hosts_of(pem), folder, now, lives)

    def revoke(self, authority: Authority, identity: Identity, now: datetime) -> int:
        """Have no certificate of a party count any more; returns how many did. Raises AuthorityUnfit, OSError."""
        mine = {issued.serial for issued in self.issued(now) if issued.identity == identity and not issued.revoked}
        if mine:
            write_secret(self.revoked, authority.revoke(self.revoked_serials() | mine, now).decode(), durable=True)
        return len(mine)

    def issued(self, now: datetime) -> tuple[Issued, ...]:
        """The certificates that have yet to expire, by name; files of the others are removed. Raises OSError."""
        return tuple(sorted(self._issued_at(now), key=lambda one: (one.identity.path, one.not_after)))

    @property
    def _issued(self) -> Path:
        return self.path / "issued"

    def _issued_at(self, now: datetime) -> Iterator[Issued]:
        revoked = self.revoked_serials()
        for path in self._issued.glob("*.pem"):
            pem = path.read_bytes()
            try:
                shown = read_certificate(pem)
            except BadCertificate:
                continue
            if shown.not_after <= now:
                path.unlink(missing_ok=True)
                continue
            yield Issued(shown.identity, shown.serial, shown.not_after, hosts_of(pem), shown.serial in revoked)

    def revoked_serials(self) -> frozenset[int]:
        """Serial numbers of the certificates that count no more. Raises AuthorityUnfit."""
        try:
            return read_revoked(self.revoked.read_bytes(), self.certificate.read_bytes())
        except (FileNotFoundError, BadCertificate) as error:
            raise AuthorityUnfit(self.path, f"{REVOKED} cannot be used: {error}") from error
