"""Engine tokens: what they say, and every way in which one is not good."""

import msgspec
import pytest

from media_network.cut import Cut
from media_network.refusal import Reason
from media_network.tokens.claims import Claims, Confirmation, encode_claims
from media_network.tokens.engine_token import GOOD_FOR_S, SKEW_S, CopyRequest, EngineTokenIssuer, EngineTokenVerifier
from media_network.tokens.keys import KeysUnreadable, SigningKey, base64url, from_base64url
from media_network.tokens.verifier import StreamingRequest, TokenVerifier, Viewer

NOW = 1_800_000_000.0
SEED = b"s" * 32
OWN = "a" * 43
COPY = CopyRequest(Cut("film", "0" * 64), 7, OWN)
ISSUER = EngineTokenIssuer("north", SEED)
TOKEN = ISSUER.issue(COPY, NOW)
SAID = msgspec.json.decode(from_base64url(TOKEN.split(".")[1]))
ANY_PROGRAM = "regex:https?://[^/]*/programs/[^/]*/[^/]*"


def verifier(station="north", *issuers):
    made = EngineTokenVerifier(station)
    for issuer in issuers or (ISSUER,):
        made.take_keys(issuer.jwks)
    return made


def reason(token, copy=COPY, now=NOW, made=None):
    refused = (made or verifier()).refusal(token, copy, now)
    return refused and refused.reason


def test_a_token_says_whom_it_is_for_and_is_good_for_nothing_else():
    assert {
        "cdniv": 1,
        "iss": "north",
        "aud": "north",
        "iat": NOW,
        "exp": NOW + GOOD_FOR_S,
        "cdniuc": f"regex:https://[^/]*/segments/film/{'0' * 64}/7\\.(ts|index)",
        "cnf": {"x5t#S256": OWN},
    } == SAID
    assert reason(TOKEN) is None
    assert reason(TOKEN, made=verifier()) is None


def signed(**claims):
    said = {"iss": "north", "aud": "north", "exp": NOW + 60, "cdniuc": "regex:x"} | claims
    return SigningKey.of_seed(SEED).sign(encode_claims(Claims(**said)))


def with_header(**header):
    _, body, signature = TOKEN.split(".")
    return f"{base64url(msgspec.json.encode(header))}.{body}.{signature}"


KID = SigningKey.of_seed(SEED).kid


@pytest.mark.parametrize(
    ("token", "copy", "now", "expected"),
    [
        ("", COPY, NOW, Reason.NO_TOKEN),
        ("nonsense", COPY, NOW, Reason.MALFORMED),
        ("x" * 3000, COPY, NOW, Reason.MALFORMED),
        (TOKEN, COPY, NOW + GOOD_FOR_S + SKEW_S, Reason.EXPIRED),
        (TOKEN, COPY, NOW - SKEW_S - 1, Reason.NOT_YET_VALID),
        (TOKEN, COPY._replace(segment=8), NOW, Reason.WRONG_PROGRAM),
        (TOKEN, COPY._replace(segment=77), NOW, Reason.WRONG_PROGRAM),
        (TOKEN, COPY._replace(cut=Cut("film", "1" * 64)), NOW, Reason.WRONG_PROGRAM),
        (TOKEN, COPY._replace(cut=Cut("film-2", "0" * 64)), NOW, Reason.WRONG_PROGRAM),
        (TOKEN, COPY._replace(certificate="b" * 43), NOW, Reason.WRONG_HOLDER),
        (TOKEN, COPY._replace(certificate=""), NOW, Reason.WRONG_HOLDER),
        (EngineTokenIssuer("north", b"t" * 32).issue(COPY, NOW), COPY, NOW, Reason.UNKNOWN_KEY),
        (EngineTokenIssuer("south", SEED).issue(COPY, NOW), COPY, NOW, Reason.WRONG_ISSUER),
        (signed(aud="south"), COPY, NOW, Reason.WRONG_STATION),
        (signed(), COPY, NOW, Reason.WRONG_PROGRAM),
        (signed(cdniuc=SAID["cdniuc"]), COPY, NOW, Reason.WRONG_HOLDER),
        (with_header(alg="none", kid=KID), COPY, NOW, Reason.BAD_ALGORITHM),
        (with_header(alg="HS256", kid=KID), COPY, NOW, Reason.BAD_ALGORITHM),
        (with_header(alg="ES256", kid=KID), COPY, NOW, Reason.BAD_ALGORITHM),
        (with_header(alg="Ed25519", kid=KID, x=1), COPY, NOW, Reason.WRONG_KEY),
        (with_header(alg="Ed25519", kid=KID, crit=["exp"]), COPY, NOW, Reason.MALFORMED),
    ],
)
def test_what_is_not_good_is_refused_for_its_reason(token, copy, now, expected):
    assert reason(token, copy, now) is expected


def test_what_the_director_before_has_issued_is_taken_and_what_the_one_before_that_has_is_not():
    terms = [EngineTokenIssuer("north", bytes([number]) * 32) for number in range(3)]
    made = verifier("north", *terms)
    assert [reason(term.issue(COPY, NOW), made=made) for term in terms] == [Reason.UNKNOWN_KEY, None, None]
    made.take_keys(terms[1].jwks)
    assert reason(terms[2].issue(COPY, NOW), made=made) is None, "what is known already pushes nothing out"


def test_what_is_no_key_is_refused_and_leaves_those_that_are_known():
    made = verifier()
    with pytest.raises(KeysUnreadable):
        made.take_keys("nonsense")
    assert reason(TOKEN, made=made) is None


def test_a_key_follows_from_its_seed():
    assert EngineTokenIssuer("north", SEED).jwks == ISSUER.jwks
    with pytest.raises(ValueError, match="32 octets"):
        EngineTokenIssuer("north", b"short")


def test_a_token_that_is_bound_to_a_certificate_lets_no_console_in():
    made = TokenVerifier(issuer="north", audience=("north",))
    made.keys = verifier()._tokens.keys
    assert made.check(signed(cdniuc=ANY_PROGRAM), StreamingRequest("film"), NOW) == Viewer("", NOW + 60)
    bound = signed(cdniuc=ANY_PROGRAM, cnf=Confirmation(x5t_s256=OWN))
    assert made.check(bound, StreamingRequest("film"), NOW).reason is Reason.MALFORMED
