"""A network whose machines show each other certificates, as its parties and as somebody who has stolen one's."""

import base64
import json
import ssl
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from media_network.identity.authority_folder import AuthorityFolder
from media_network.identity.certificates import utc_now
from media_network.identity.settings import IdentitySettings
from media_network.messages.verb import Caller
from tests.identities import thumbprint_of
from tests.laptop import Laptop
from tests.patience import PATIENCE_S, wait_until
from tests.verbs import VERBS

TAKEN_UP = "is taken up anew"
TOLD_S = 0.3
"""An engine tells its director then, which has no line for that in its log."""
_PLAIN = ("8080", "8084")
"""Ports of consoles."""
_CALLERS = {verb.path: verb.callers for verb in VERBS}


class ControlPort(str):
    """Where a machine is spoken to, and as whom a person does it."""

    __slots__ = ("own",)


class Secured(Laptop):
    """The network, and how to speak as one of its parties."""

    def __init__(self, state, topology):
        super().__init__(state, topology)
        self.keys = self.state.parent / "tls.keys"
        self.environment["SSLKEYLOGFILE"] = str(self.keys)

    @property
    def secured(self):
        """Whether its machines show certificates: its topology says so."""
        return (self.state / "identities").is_dir()

    def ps(self):
        """Each control port with what a person shows there."""
        rows = super().ps()
        for row in rows:
            if row["control"] and self.secured:
                row["control"] = ControlPort(row["control"])
                row["control"].own = self.own("operator")
        return rows

    def connect_anew(self):
        """Have every machine make new connections: it does for another certificate."""
        if not self.secured:
            return
        machines = [row for row in self.ps() if row["control"]]
        logs = [self.log_of(row) for row in machines]
        authority = AuthorityFolder(self.state / "identities" / "authority")
        known = authority.load()
        for row in machines:
            authority.renew(known, self.state / "identities" / row["name"].replace("/", "."), utc_now())
        for row, before in zip(machines, logs, strict=True):
            wait_until(lambda row=row, before=before: TAKEN_UP in self.log_of(row)[len(before) :], why=self.logs)
        time.sleep(TOLD_S)

    def own(self, name):
        """TLS as a party: `north/2`."""
        folder = self.state / "identities" / name.replace("/", ".")
        context = ssl.create_default_context(cafile=folder / "authority.pem")
        context.load_cert_chain(folder / "identity.pem")
        return context

    def certificate(self, name):
        """What a party's certificate is known by (RFC 8705)."""
        return thumbprint_of(IdentitySettings.in_folder(self.state / "identities" / name.replace("/", ".")))

    def who_says(self, verb):
        """A party that says a verb."""
        if not self.secured:
            return None
        callers = _CALLERS.get(verb, (Caller.ANYBODY,))
        if Caller.OPERATOR in callers or Caller.ANYBODY in callers:
            return "operator"
        rows = {row["role"]: row["name"] for row in self.ps()}
        return rows["director" if Caller.DIRECTOR in callers or Caller.ENGINE in callers else "center"]

    def open(self, target, data=None, *, as_whom="operator", token=None):
        """What is at `host:port/...`, of a machine as one of these, of whoever serves consoles as nobody."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if data is not None:
            headers["Content-Type"] = "application/json"
        plain = not self.secured or as_whom is None or target.partition("/")[0].endswith(_PLAIN)
        scheme, context = ("http", None) if plain else ("https", self.own(as_whom))
        return urlopen(Request(f"{scheme}://{target}", data, headers), timeout=PATIENCE_S, context=context)

    def ask(self, as_whom, target, token=None, data=None):
        """The status and the body of what is there."""
        try:
            with self.open(target, data, as_whom=as_whom, token=token) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    def say_as(self, as_whom, party, verb, **message):
        """Say a message as a party; returns the status and the answer."""
        status, body = self.ask(as_whom, f"{party}/{verb}", data=json.dumps(message).encode())
        return status, json.loads(body)

    def copy_of(self, row, program, table, number, as_whom):
        """A segment, copied from an engine as another engine copies it; open, to be read."""
        if not self.secured:
            return self._copy_in_plain(row, program, table, number)
        director = self.director(row["station"])["control"]
        wanted = {"program": program, "table": table, "segment": number}
        _, place = self.say_as(as_whom, director, "director/locate-segment", **wanted)
        certificate = self.certificate(as_whom)
        _, supplied = self.say_as(as_whom, director, "director/engine-token", certificate=certificate, **wanted)
        target = f"{row['control']}/segments/{program}/{table}/{number}.ts?ticket={place['ticket']}"
        return self.open(target, as_whom=as_whom, token=supplied["token"])

    def _copy_in_plain(self, row, program, table, number):
        director = self.director(row["station"])["control"]
        wanted = {"program": program, "table": table, "segment": number}
        _, place = self.say_as(None, director, "director/locate-segment", **wanted)
        return self.open(f"{row['media']}/segments/{program}/{table}/{number}.ts?ticket={place['ticket']}")

    def log_of(self, row):
        return (self.state / "logs" / f"{row['name'].replace('/', '.')}.log").read_text()


def claims_of(token):
    """What a token says."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
