"""A table of what may be tried with tokens: each is refused, for the reason that it should be, and cheaply."""

import json
import time

import pytest

from media_network.refusal import Reason, Refused
from media_network.tokens.claims import encode_claims
from media_network.tokens.container import Container
from media_network.tokens.keys import TOKEN_CHARS_MAX
from media_network.tokens.verifier import StreamingRequest
from tests.media_network.tokens.world import (
    ASKED,
    EC_KEY,
    FOREIGN,
    KEY,
    NEXT,
    NOW,
    claims,
    encoded,
    hmac_token,
    parts,
    token,
    verifier,
    with_header,
)

GOOD = token()
HEADER, BODY, SIGNATURE = GOOD.split(".")
PUBLIC = KEY.public()


def swapped(**changed):
    """The claims are others than were signed."""
    return ".".join((HEADER, encoded(encode_claims(claims(**changed))), SIGNATURE))


def raw(**changed):
    """Signed by the right key, with claims that no issuer of ours writes."""
    _, body, _ = parts(GOOD)
    known = {name: value for name, value in (body | changed).items() if value is not None}
    return KEY.sign(json.dumps(known).encode())


ATTACKS = {
    "no token": (None, Reason.NO_TOKEN),
    "an empty one": ("", Reason.NO_TOKEN),
    "no token but text": ("give me the film", Reason.MALFORMED),
    "two parts": (f"{HEADER}.{BODY}", Reason.MALFORMED),
    "four parts": (f"{GOOD}.{SIGNATURE}", Reason.MALFORMED),
    "five parts, as of an encrypted one": (f"{HEADER}.a.b.c.{SIGNATURE}", Reason.MALFORMED),
    "no signature": (f"{HEADER}.{BODY}.", Reason.MALFORMED),
    "a newline behind it": (GOOD + "\n", Reason.MALFORMED),
    "a blank within": (GOOD.replace(".", ". ", 1), Reason.MALFORMED),
    "letters of no alphabet": (f"{HEADER}.{BODY}.{SIGNATURE[:-1]}\u0131", Reason.MALFORMED),
    "half a character": (f"{HEADER}.{BODY}.\udcff", Reason.MALFORMED),
    "too long": ("a." * TOKEN_CHARS_MAX, Reason.MALFORMED),
    "a megabyte": (GOOD + "a" * 1_000_000, Reason.MALFORMED),
    "a header that is too long": (with_header(comment="x" * 600), Reason.MALFORMED),
    "a header that is no JSON": (f"{encoded(b'{alg')}.{BODY}.{SIGNATURE}", Reason.MALFORMED),
    "a header that is a list": (f"{encoded([1])}.{BODY}.{SIGNATURE}", Reason.MALFORMED),
    "a header of brackets": (f"{encoded(b'[' * 380)}.{BODY}.{SIGNATURE}", Reason.MALFORMED),
    "a header without alg": (f"{encoded({'kid': KEY.kid})}.{BODY}.{SIGNATURE}", Reason.MALFORMED),
    "alg none": (f"{encoded({'alg': 'none', 'kid': KEY.kid})}.{BODY}.{SIGNATURE}", Reason.BAD_ALGORITHM),
    "alg none and no key": (f"{encoded({'alg': 'none'})}.{BODY}.{SIGNATURE}", Reason.BAD_ALGORITHM),
    "alg None": (f"{encoded({'alg': 'None', 'kid': KEY.kid})}.{BODY}.{SIGNATURE}", Reason.BAD_ALGORITHM),
    "HS256 with the public key": (hmac_token(PUBLIC.x.encode()), Reason.BAD_ALGORITHM),
    "HS256 under a key of another algorithm": (hmac_token(b"secret", kid=EC_KEY.kid), Reason.BAD_ALGORITHM),
    "ES256 under an Ed25519 key": (with_header(alg="ES256"), Reason.BAD_ALGORITHM),
    "EdDSA, a name that is given up": (with_header(alg="EdDSA"), Reason.BAD_ALGORITHM),
    "no kid": (with_header(kid=""), Reason.UNKNOWN_KEY),
    "an unknown kid": (with_header(kid="other"), Reason.UNKNOWN_KEY),
    "the kid of another key": (with_header(kid=NEXT.kid), Reason.WRONG_KEY),
    "a key that it brings along": (
        with_header(FOREIGN, kid=KEY.kid, jwk={"kty": "OKP", "crv": "Ed25519", "x": FOREIGN.public().x}),
        Reason.WRONG_KEY,
    ),
    "a URL of keys": (with_header(FOREIGN, kid=KEY.kid, jku="http://127.0.0.1/jwks"), Reason.WRONG_KEY),
    "signed by somebody else": (token(FOREIGN), Reason.UNKNOWN_KEY),
    "a path as kid": (with_header(kid="../../etc/passwd"), Reason.UNKNOWN_KEY),
    "crit": (with_header(crit=["exp"]), Reason.MALFORMED),
    "crit without a name": (with_header(crit=[]), Reason.MALFORMED),
    "crit that is null": (with_header(crit=None), Reason.MALFORMED),
    "b64": (with_header(b64=False), Reason.MALFORMED),
    "a type that is a number": (with_header(FOREIGN, kid=KEY.kid, typ=5, x5c=7, jwk="x"), Reason.WRONG_KEY),
    "a signature that is no base64url": (f"{HEADER}.{BODY}.{SIGNATURE[:-1]}", Reason.WRONG_KEY),
    "changed claims": (swapped(exp=NOW + 10**6), Reason.WRONG_KEY),
    "another program": (swapped(cdniuc=Container.of(None).text()), Reason.WRONG_KEY),
    "one letter of the signature": (
        f"{HEADER}.{BODY}.{'A' if SIGNATURE[0] != 'A' else 'B'}{SIGNATURE[1:]}",
        Reason.WRONG_KEY,
    ),
    "half a signature": (f"{HEADER}.{BODY}.{SIGNATURE[:43]}", Reason.WRONG_KEY),
    "the signature of another": (f"{HEADER}.{BODY}.{token(sub='other').split('.')[2]}", Reason.WRONG_KEY),
    "claims that are no JSON": (KEY.sign(b"no JSON"), Reason.MALFORMED),
    "claims of brackets": (KEY.sign(b"[" * 1000), Reason.MALFORMED),
    "no exp": (raw(exp=None), Reason.MALFORMED),
    "exp in words": (raw(exp="tomorrow"), Reason.MALFORMED),
    "exp beyond all time": (raw(exp=1e300), Reason.MALFORMED),
    "another version": (raw(cdniv=2), Reason.MALFORMED),
    "an address that is not understood": (raw(cdniip="127.0.0.1"), Reason.MALFORMED),
    "critical claims that are not": (raw(cdnicrit="geo"), Reason.MALFORMED),
    "another transport": (raw(cdnistt=2, cdniets=30), Reason.MALFORMED),
    "a chain without its length": (raw(cdnistt=1), Reason.MALFORMED),
    "no container": (raw(cdniuc=None), Reason.MALFORMED),
    "another expression": (raw(cdniuc="regex:.*"), Reason.MALFORMED),
    "an expression that never ends": (raw(cdniuc="regex:((a+)+)+$"), Reason.MALFORMED),
    "a container of another kind": (raw(cdniuc="glob:*"), Reason.MALFORMED),
    "a name that is an expression": (
        raw(cdniuc="regex:https?://[^/]*/programs/(.*)/[^/]*"),
        Reason.MALFORMED,
    ),
    "another issuer": (token(iss="other"), Reason.WRONG_ISSUER),
    "expired": (token(exp=NOW - 61), Reason.EXPIRED),
    "not yet valid": (token(nbf=NOW + 61), Reason.NOT_YET_VALID),
    "issued tomorrow": (token(iat=NOW + 86_400), Reason.NOT_YET_VALID),
    "another station": (token(aud=("south",)), Reason.WRONG_STATION),
    "a station's name that goes on": (token(aud=("northern",)), Reason.WRONG_STATION),
    "no audience": (token(aud=None), Reason.WRONG_STATION),
    "a renewal": (token(aud=("authentication",), cdniuc=None), Reason.WRONG_STATION),
    "not this program": (token(cdniuc=Container.of(["film-2"]).text()), Reason.WRONG_PROGRAM),
    "a program whose name goes on": (token(cdniuc=Container.of(["film-11"]).text()), Reason.WRONG_PROGRAM),
    "another address": (token(cdniuc=Container.of_uri("http://127.0.0.1/x").text()), Reason.WRONG_PROGRAM),
}


@pytest.mark.parametrize(("attack", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_is_refused_for_its_reason_the_second_time_too(attack, reason):
    checking = verifier()
    for _ in range(2):
        answer = checking.check(attack, ASKED, NOW)
        assert isinstance(answer, Refused)
        assert answer.reason is reason
        assert answer.detail
        assert not attack or attack not in answer.detail


def test_there_are_enough_of_them():
    assert len(ATTACKS) >= 25


def test_none_costs_more_than_a_millisecond():
    checking = verifier()

    def cost_s(attack):
        begun = time.process_time()
        checking.check(attack, ASKED, NOW)
        return time.process_time() - begun

    for name, (attack, _) in ATTACKS.items():
        assert min(cost_s(attack) for _ in range(5)) < 0.001, name


def test_a_forger_fills_no_memory():
    checking = verifier()
    for attack, _ in ATTACKS.values():
        checking.check(attack, StreamingRequest("other"), NOW)
    assert len(checking) <= len(ATTACKS)
    forged = with_header(kid="other")
    before = len(checking)
    for number in range(100):
        checking.check(f"{forged[:-4]}{number:04}", ASKED, NOW)
    assert len(checking) == before
