"""Apache Traffic Server with its plugin uri_signing, which somebody else wrote: it takes and refuses the same tokens.

It speaks the draft that became RFC 9246, knows ES256 and no Ed25519, and takes no token with a `jti`; containers of
kind `hash` it does not know, and a token without `aud` or `cdniuc` it takes everywhere (here such a token is refused).
"""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec
import pytest

from media_network.refusal import Refused
from media_network.tokens.claims import encode_claims
from media_network.tokens.container import Container
from tests.media_network.tokens.world import ASKED, EC_KEY, FILM, ISSUER, claims, encoded, verifier, with_header
from tests.traffic_server import proxying

AUDIENCE = "media-station"
NOW = time.time()
PATH = f"/programs/{FILM}/playlist.m3u8"


def said(**changed):
    known = {"iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 3600, "jti": None, "aud": (AUDIENCE,)}
    return encode_claims(claims(**(known | changed)))


def token(**changed):
    return EC_KEY.sign(said(**changed))


def raw(**changed):
    return EC_KEY.sign(json.dumps(json.loads(said()) | changed).encode())


def with_another_body():
    header, _, signature = token().split(".")
    return f"{header}.{encoded(said(exp=NOW + 10**6))}.{signature}"


TOKENS = {
    "some programs": (token(), True),
    "one program": (token(cdniuc=Container.of([FILM]).text()), True),
    "every program": (token(cdniuc=Container.of(None).text()), True),
    "one audience": (token(aud=AUDIENCE), True),
    "several audiences": (token(aud=("south", AUDIENCE)), True),
    "no beginning": (token(nbf=None, iat=None), True),
    "no subscriber": (token(sub=None), True),
    "other programs": (token(cdniuc=Container.of(["film-2", "film-3"]).text()), False),
    "a program whose name goes on": (token(cdniuc=Container.of([f"{FILM}1"]).text()), False),
    "another audience": (token(aud=("south",)), False),
    "an audience whose name goes on": (token(aud=(f"{AUDIENCE}s",)), False),
    "expired": (token(exp=NOW - 10), False),
    "not yet valid": (token(nbf=NOW + 3000), False),
    "another issuer": (token(iss="other"), False),
    "another version": (raw(cdniv=2), False),
    "an address": (raw(cdniip="127.0.0.1"), False),
    "critical claims": (raw(cdnicrit="geo"), False),
    "another transport": (raw(cdnistt=2, cdniets=30), False),
    "another kind of container": (raw(cdniuc="glob:*"), False),
    "another body": (with_another_body(), False),
    "another signature": (".".join((*token().split(".")[:2], token(sub="other").split(".")[2])), False),
    "alg none": (f"{encoded({'alg': 'none', 'kid': EC_KEY.kid})}.{encoded(said())}.", False),
    "HS256": (with_header(alg="HS256", kid=EC_KEY.kid), False),
    "no token but text": ("token", False),
    "none": ("", False),
}


class Origin(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def origin():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def traffic_server(tmp_path_factory):
    """Where one listens that has our keys."""
    keys = {"renewal_kid": EC_KEY.kid, "id": AUDIENCE, "keys": [msgspec.to_builtins(EC_KEY.public())]}
    files = {"keys.json": json.dumps({ISSUER: keys})}
    plugin = "@plugin=uri_signing.so @pparam=keys.json"
    with origin() as behind, proxying(tmp_path_factory.mktemp("ats"), behind, plugin, answers, files=files) as at:
        yield at


def answers(at):
    try:
        return status(at, "")
    except OSError:
        return None


def status(at, text):
    try:
        with urlopen(f"http://{at}{PATH}?URISigningPackage={text}", timeout=30) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


@pytest.mark.peer("traffic_server")
def test_it_takes_and_refuses_alike(traffic_server):
    ours = verifier(EC_KEY, audience=(AUDIENCE,), skew_s=0)
    here = {name: not isinstance(ours.check(text, ASKED, time.time()), Refused) for name, (text, _) in TOKENS.items()}
    there = {name: status(traffic_server, text) for name, (text, _) in TOKENS.items()}
    assert here == {name: good for name, (_, good) in TOKENS.items()}
    assert there == {name: 200 if good else 403 for name, (_, good) in TOKENS.items()}
