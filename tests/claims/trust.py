"""A network whose machines show each other certificates, as its parties and as somebody who has stolen one's."""

import base64
import json
import ssl
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from media_network.identity.authority_folder import AuthorityFolder
from media_network.identity.certificates import utc_now
from media_network.identity.settings import IdentitySettings
from tests.identities import thumbprint_of
from tests.laptop import Laptop
from tests.patience import wait_until

TAKEN_UP = "is taken up anew"


class TrustNetwork(Laptop):
    """The network, and how to speak as one of its parties."""

    def __init__(self, state, topology):
        super().__init__(state, topology)
        self.keys = self.state.parent / "tls.keys"
        self.environment["SSLKEYLOGFILE"] = str(self.keys)

    def connect_anew(self):
        """Have every machine make new connections: it does for another certificate."""
        logs = [self.log_of(row) for row in self._machines()]
        authority = AuthorityFolder(self.state / "identities" / "authority")
        known = authority.load()
        for row in self._machines():
            authority.renew(known, self.state / "identities" / row["name"].replace("/", "."), utc_now())
        for row, before in zip(self._machines(), logs, strict=True):
            wait_until(lambda row=row, before=before: TAKEN_UP in self.log_of(row)[len(before) :], why=self.logs)

    def _machines(self):
        return [row for row in self.ps() if row["control"]]

    def own(self, name):
        """TLS as a party: `north/2`."""
        folder = self.state / "identities" / name.replace("/", ".")
        context = ssl.create_default_context(cafile=folder / "authority.pem")
        context.load_cert_chain(folder / "identity.pem")
        return context

    def certificate(self, name):
        """What a party's certificate is known by (RFC 8705)."""
        return thumbprint_of(IdentitySettings.in_folder(self.state / "identities" / name.replace("/", ".")))

    def say(self, as_whom, party, verb, **message):
        """Say a message as a party; returns the status and the answer."""
        status, body = self.ask(as_whom, f"{party}/{verb}", data=json.dumps(message).encode())
        return status, json.loads(body)

    def ask(self, as_whom, target, token=None, data=None):
        """GET what is at `host:port/...` as a party, or as nobody in plain HTTP; returns the status and the body."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if data:
            headers["Content-Type"] = "application/json"
        scheme, context = ("https", self.own(as_whom)) if as_whom else ("http", None)
        try:
            with urlopen(Request(f"{scheme}://{target}", data, headers), timeout=10, context=context) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    def log_of(self, row):
        return (self.state / "logs" / f"{row['name'].replace('/', '.')}.log").read_text()


def claims_of(token):
    """What a token says."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
