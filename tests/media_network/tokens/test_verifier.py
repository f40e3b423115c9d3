"""What is good, and for how long."""

import json

import msgspec
import pytest
from joserfc.jwk import OKPKey

from media_network.refusal import Reason, Refused
from media_network.tokens import verifier as verifier_module
from media_network.tokens.container import PROGRAMS_MAX, Container
from media_network.tokens.keys import KeySet, KeysUnreadable, SigningKey, VerifyingKey, encode_jwks
from media_network.tokens.verifier import StreamingRequest, Viewer
from tests.media_network.tokens.world import ADDRESS, ASKED, EC_KEY, FILM, KEY, NEXT, NOW, STATION, token, verifier


def reason(answer):
    assert isinstance(answer, Refused), answer
    return answer.reason


@pytest.mark.parametrize(
    "good",
    [
        token(),
        token(EC_KEY),
        token(NEXT),
        token(aud="media-station"),
        token(aud=(STATION,)),
        token(aud=("south", STATION)),
        token(cdniuc=Container.of(None).text()),
        token(cdniuc=Container.of([FILM]).text()),
        token(cdniuc=Container.of_uri(ADDRESS).text()),
        token(cdnistt=1, cdniets=30, cdnistd=2),
        token(nbf=None, iat=None, jti=None, sub=None),
        token(exp=NOW - 59),
        token(nbf=NOW + 59),
        token(exp=NOW + 0.5),
    ],
)
def test_what_is_good(good):
    checking = verifier()
    for _ in range(2):
        assert isinstance(checking.check(good, ASKED, NOW), Viewer)


def test_it_says_who_watches_and_until_when():
    assert verifier().check(token(), ASKED, NOW) == Viewer("5f1c09ab", NOW + 600)


def test_one_that_is_kept_is_looked_at_anew():
    checking, good = verifier(), token(aud=(STATION,))
    assert isinstance(checking.check(good, ASKED, NOW), Viewer)
    assert reason(checking.check(good, StreamingRequest("film-3"), NOW)) is Reason.WRONG_PROGRAM
    assert reason(checking.check(good, ASKED, NOW + 661)) is Reason.EXPIRED
    assert reason(checking.check(good, ASKED, NOW - 71)) is Reason.NOT_YET_VALID
    assert reason(verifier(audience=("south",)).check(good, ASKED, NOW)) is Reason.WRONG_STATION


def test_one_that_is_kept_is_not_verified_again(monkeypatch):
    checking, good = verifier(), token()
    checking.check(good, ASKED, NOW)
    monkeypatch.setattr(VerifyingKey, "has_signed", None)
    assert isinstance(checking.check(good, ASKED, NOW), Viewer)


def test_of_those_that_are_kept_the_one_that_was_not_asked_for_longest_goes():
    checking = verifier(kept_max=2)
    first, second, third = (token(sub=sub) for sub in "abc")
    for one in (first, second, first, third):
        checking.check(one, ASKED, NOW)
    assert len(checking) == 2
    assert set(checking._kept) == {first, third}


def test_a_key_that_goes_takes_its_tokens_along():
    checking, good = verifier(KEY, NEXT), token()
    assert isinstance(checking.check(good, ASKED, NOW), Viewer)
    checking.keys = KeySet([VerifyingKey(NEXT.public())])
    assert reason(checking.check(good, ASKED, NOW)) is Reason.UNKNOWN_KEY


def test_the_skew_has_a_bound():
    checking = verifier(skew_s=10**9)
    assert reason(checking.check(token(exp=NOW - verifier_module.SKEW_MAX_S), ASKED, NOW)) is Reason.EXPIRED


@pytest.mark.parametrize("names", [[FILM], [f"film-{n}" for n in range(PROGRAMS_MAX)], None])
def test_a_container_reads_what_it_writes(names):
    made = Container.of(names)
    assert Container.parse(made.text()) == made


@pytest.mark.parametrize(
    "text",
    ["", "regex:", "hash:", "hash:sha-256;", Container.of([f"film-{n}" for n in range(PROGRAMS_MAX + 1)]).text()],
)
def test_a_container_reads_nothing_else(text):
    assert Container.parse(text) is None


def test_a_key_is_kept_and_read():
    for key in (KEY, EC_KEY):
        again = SigningKey.load(key.dump())
        assert again.public() == key.public()
        assert isinstance(verifier(key).check(token(again), ASKED, NOW), Viewer)
    with pytest.raises(KeysUnreadable):
        SigningKey.load(KEY.dump()[:-9])


def test_nothing_secret_is_published():
    published = encode_jwks([KEY.public(), EC_KEY.public()])
    for key in (KEY, EC_KEY):
        assert json.loads(key.dump())["d"].encode() not in published
    assert set(KeySet.parse(published)) == {KEY.kid, EC_KEY.kid}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b'{"keys":[]}',
        b'{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"c2VjcmV0"}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"a","alg":"Ed25519"}]}',
        b'{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"a","alg":"ES256"}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"a","alg":"none"}]}',
        encode_jwks([KEY.public()]) + b" " * 20_000,
        b"[" * 10_000,
        b"\xff",
    ],
)
def test_what_is_no_jwks(octets):
    with pytest.raises(KeysUnreadable):
        KeySet.parse(octets)


def test_a_key_is_of_the_curve_of_its_algorithm_and_has_a_name():
    other = OKPKey.generate_key("Ed448").as_dict(private=False)
    for jwk in (
        {"kty": "OKP", "crv": "Ed448", "x": other["x"], "kid": "a", "alg": "Ed25519"},
        msgspec.to_builtins(EC_KEY.public()) | {"alg": "Ed25519"},
        msgspec.to_builtins(KEY.public()) | {"alg": "ES256"},
        msgspec.to_builtins(KEY.public()) | {"kid": ""},
        msgspec.to_builtins(KEY.public()) | {"kid": "k" * 65},
    ):
        with pytest.raises(KeysUnreadable):
            KeySet.parse(json.dumps({"keys": [jwk]}).encode())


def test_of_a_jwks_the_keys_of_other_kinds_are_passed_over():
    foreign = b'{"keys":[{"kty":"RSA","kid":"r","alg":"RS256","n":"AA","e":"AQAB"},'
    octets = encode_jwks([KEY.public()]).replace(b'{"keys":[', foreign)
    assert list(KeySet.parse(octets)) == [KEY.kid]
