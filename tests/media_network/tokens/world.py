"""An issuer of a test's own, and what others would make of its tokens."""

import base64
import hashlib
import hmac
import json

from media_network.tokens.claims import Claims, encode_claims
from media_network.tokens.container import Container
from media_network.tokens.keys import Algorithm, KeySet, SigningKey, VerifyingKey
from media_network.tokens.verifier import StreamingRequest, TokenVerifier

NOW = 1_800_000_000.0
ISSUER, STATION, FILM = "media-station", "north", "film-1"
KEY, NEXT, FOREIGN = (SigningKey.generate(Algorithm.ED25519) for _ in range(3))
EC_KEY = SigningKey.generate(Algorithm.ES256)
ADDRESS = f"http://127.0.0.1:8080/programs/{FILM}/playlist.m3u8"
ASKED = StreamingRequest(FILM, lambda: [ADDRESS])


def claims(**changed):
    known = {
        "iss": ISSUER,
        "sub": "5f1c09ab",
        "aud": ("media-station",),
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 600,
        "jti": "1",
        "cdniuc": Container.of([FILM, "film-2"]).text(),
    } | changed
    return Claims(**{name: value for name, value in known.items() if value is not None})


def token(key=KEY, **changed):
    return key.sign(encode_claims(claims(**changed)))


def verifier(*keys, audience=("media-station", STATION), **options):
    made = TokenVerifier(issuer=ISSUER, audience=audience, **options)
    made.keys = KeySet(VerifyingKey(key.public()) for key in (keys or (KEY, NEXT, EC_KEY)))
    return made


def encoded(part):
    octets = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def parts(whole):
    """Header and claims as JSON, and the signature."""
    header, body, signature = whole.split(".")
    return *(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, body)), signature


def with_header(key=KEY, payload=None, **members):
    """A token whose header says something else, signed again with the same key: by joserfc where that allows it."""
    header = {"alg": key.algorithm.value, "typ": "JWT", "kid": key.kid} | members
    body = encode_claims(claims()) if payload is None else payload
    signing_input = f"{encoded(header)}.{encoded(body)}"
    private = key._key.raw_value if hasattr(key._key, "raw_value") else key._key.private_key
    return f"{signing_input}.{encoded(private.sign(signing_input.encode()))}"


def hmac_token(secret, **members):
    header = {"alg": "HS256", "typ": "JWT", "kid": KEY.kid} | members
    signing_input = f"{encoded(header)}.{encoded(encode_claims(claims()))}"
    return f"{signing_input}.{encoded(hmac.new(secret, signing_input.encode(), hashlib.sha256).digest())}"
