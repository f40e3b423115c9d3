"""A network of its own that asks for tokens, for claims 5, 6 and 25, and what others would make of its tokens."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time
from contextlib import closing
from urllib.error import HTTPError
from urllib.request import Request, build_opener, urlopen

from distribution_center.authentication.passwords import digest_of
from distribution_center.authentication.subscriber_file import SubscriberFile, for_ever
from media_network.tokens.claims import Claims, encode_claims
from media_network.tokens.container import Container
from media_network.tokens.keys import Algorithm, SigningKey
from tests.claims.trust import Secured
from tests.patience import PATIENCE_S, wait_until

_ANY = Container.of(None).text()
PASSWORD = "correct horse"
_DIGEST = digest_of(PASSWORD)


class TokenNetwork(Secured):
    """Two stations of one center, an authentication server, and one program in service."""

    def __init__(self, state, topology):
        super().__init__(state, topology)
        self.program = self.sha256 = None
        """Of the program in service."""
        self.viewers = None
        """File with the password of the subscriber who may see everything."""

    @property
    def server(self):
        return self.process("authentication")

    def process(self, name):
        return next(row for row in self.ps() if row["name"] == name)

    @property
    def password(self):
        return json.loads((self.state / "credentials.json").read_text())["console"]["password"]

    def subscriber(self, name, *what, stations=()):
        """Somebody who may see that, with `PASSWORD`; what the commands do is tested beside them."""
        made = self.login_of(name, *what, stations=stations)
        self.run("distribution-center", "subscribers", "add", name, "--id", made)
        if what:
            self.run("distribution-center", "subscribers", "grant", name, *what)

    def login_of(self, name, *what, stations=()):
        """Somebody who can log in, with `PASSWORD`, for tokens that say they may see that; gives their id."""
        with closing(SubscriberFile(self.state / "authentication")) as file:
            subscriber = file.add(name, _DIGEST, stations)
            for each in what:
                file.entitle(subscriber.id, for_ever(each))
        return subscriber.id

    def log_in(self, name, password_file):
        self.run("media-console", "login", name, "--password-file", password_file)

    def kept(self):
        """What `media-console` has kept of its login."""
        return json.loads((self.state / "console.json").read_text())

    def token(self, **said):
        """A token as the authentication server gives it to whoever says that."""
        return post(self.server["media"], "authentication/log-in", **said)["token"]

    def playlist(self, token, station="north"):
        """Status and reason of a playlist that is asked for with a token."""
        shown = "" if token is None else f"?URISigningPackage={token}"
        return get(f"{self.playlist_url(station)}{shown}")

    def playlist_url(self, station="north"):
        return f"http://{self.service(station)}/programs/{self.program}/playlist.m3u8"

    def play_message(self, token, station="north"):
        """Status and reason of a `PLAY` that shows a token."""
        message = {"program": self.program, "console": "127.0.0.1:5004", "token": token}
        return answered(f"http://{self.director(station)['media']}/director/play", json.dumps(message).encode())

    def published(self):
        """The keys of the authentication server, as everybody may see them."""
        with urlopen(f"http://{self.server['media']}/.well-known/jwks.json", timeout=PATIENCE_S) as answer:
            return json.load(answer)["keys"]

    def expired(self):
        """A token that was good for half a minute, two minutes ago: signed with the server's own key."""
        with closing(SubscriberFile(self.state / "authentication")) as file:
            key, now = file.key_ring().current, time.time()
        claims = Claims(iss="media-station", aud=("media-station",), exp=now - 90, iat=now - 120, cdniuc=_ANY)
        return key.sign(encode_claims(claims))

    def wait_until(self, holds, what):
        wait_until(holds, why=lambda: f"{what}\n{self.logs()}")

    def kill_server(self):
        os.kill(self.server["pid"], signal.SIGKILL)


def post(party, verb, **message):
    request = Request(f"http://{party}/{verb}", json.dumps(message).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


def get(url):
    return answered(url, None)


def answered(url, body):
    """Status of an answer, and the reason of a refusal."""
    headers = {"Content-Type": "application/json"} if body else {}
    try:
        with build_opener().open(Request(url, body, headers), timeout=PATIENCE_S) as answer:
            return answer.status, None
    except HTTPError as error:
        return error.code, json.load(error)["reason"]


def ffmpeg(url, output):
    """Play by HLS into a file; what it said if it could not."""
    order = ["ffmpeg", "-v", "error", "-i", url, "-c", "copy", "-y", output]
    finished = subprocess.run(order, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return finished.stderr if finished.returncode else ""


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encode(value):
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def attacks(good, public):
    """What somebody makes of a good token, its issuer's public key and a key of his own; each with the reason."""
    header, body, signature = good.split(".")
    said, claims = decode(header), decode(body)
    own = SigningKey.generate(Algorithm.ED25519)
    wider = {**claims, "exp": claims["exp"] + 10**6}

    def signed(head, octets):
        return f"{encode(head)}.{octets}.{encode(hmac.digest(public['x'].encode(), octets.encode(), hashlib.sha256))}"

    forged = own.sign(encode_claims(Claims(iss=claims["iss"], exp=claims["exp"], cdniuc=_ANY)))
    return {
        "forged": (f"{header}.{encode(wider)}.{signature}", 401, "wrong_key"),
        "alg none": (f"{encode({**said, 'alg': 'none'})}.{body}.{signature}", 401, "bad_algorithm"),
        "HS256 with the public key": (signed({**said, "alg": "HS256"}, body), 401, "bad_algorithm"),
        "unknown kid": (forged, 401, "unknown_key"),
        "no token": (None, 401, "no_token"),
        "no token but text": ("play", 401, "malformed"),
    }
