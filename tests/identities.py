"""Certificates for tests: an authority, and whom it knows."""

import ssl
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from media_network.identity.authority_folder import AuthorityFolder
from media_network.identity.certificates import public_part, utc_now
from media_network.identity.credentials import Credentials
from media_network.identity.identity import Identity
from media_network.identity.settings import CREDENTIALS, IdentitySettings

DOMAIN = "test.example"


def thumbprint_of(settings):
    """What a party's certificate is known by (RFC 8705)."""
    pem = public_part(Path(settings.credentials).read_bytes()).decode()
    return urlsafe_b64encode(sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()).rstrip(b"=").decode()


class TestAuthority:
    """An authority in a folder, with the folders of its parties beside it."""

    __test__ = False

    def __init__(self, folder, domain=DOMAIN):
        self.folder = AuthorityFolder(folder / "authority")
        self.known = self.folder.found(domain, utc_now())
        self.parties = folder

    def issue(self, path, *hosts, lives=timedelta(days=1), to=None, now=None):
        """The settings of a new identity."""
        identity = Identity.named(self.known.trust_domain, path)
        folder = self.parties / (to or path.replace("/", "-"))
        self.folder.issue(self.known, identity, hosts, folder, now or utc_now(), lives)
        return IdentitySettings.in_folder(folder)

    def credentials(self, path, *hosts, **others):
        """A new identity at work."""
        return Credentials(self.issue(path, *hosts, **others))

    def renew(self, path):
        """Another certificate in the place of one."""
        self.folder.renew(self.known, self.parties / path.replace("/", "-"), utc_now())

    def revoke(self, path):
        """Have a party count no more, and let everybody know."""
        self.folder.revoke(self.known, Identity.named(self.known.trust_domain, path), utc_now())
        for folder in self.parties.iterdir():
            if (folder / CREDENTIALS).exists():
                self.folder.hand_on(folder)
