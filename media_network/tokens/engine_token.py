"""Engine tokens: what an engine shows, beside its ticket, with each request for a copy of a segment (claims 26, 27).

The director of the source station issues one to an engine that its certificate has authenticated, for one segment of
one cut: a JSON Web Token in the profile of RFC 9246, bound to that certificate (`cnf`, RFC 8705). The source engine has
the director's key from when it enlisted, and verifies the token by itself. It is good for nobody else, and not for
long.
"""

import hmac
from collections import deque
from typing import NamedTuple

from media_network.cut import Cut
from media_network.refusal import Reason, Refused
from media_network.tokens.claims import Claims, Confirmation, encode_claims
from media_network.tokens.keys import KeySet, SigningKey, VerifyingKey, encode_jwks
from media_network.tokens.verifier import TokenVerifier

GOOD_FOR_S = 300
"""Longer than a director waits for a copy: one that is waiting for others begins with the token that it was ordered
with."""
SKEW_S = 60.0
_KEYS_KEPT = 2
"""Of this director, and the one before."""
_VERIFIED_KEPT = 256


class CopyRequest(NamedTuple):
    """A request for a copy, as far as a token speaks of it."""

    cut: Cut
    segment: int
    certificate: str
    """By which the receiving engine has shown who it is: `x5t#S256`."""


class EngineTokenIssuer:
    """Issues the tokens of one source station."""

    def __init__(self, station: str, seed: bytes) -> None:
        """`seed`: 32 octets that nobody else knows; the key that signs follows from them."""
        self._station = station
        self._key = SigningKey.of_seed(seed)

    @property
    def jwks(self) -> str:
        """What verifies them (RFC 7517)."""
        return encode_jwks([self._key.public()]).decode()

    def issue(self, request: CopyRequest, now: float) -> str:
        """A token for a copy, at `now` in seconds since 1970."""
        claims = Claims(
            iss=self._station,
            aud=self._station,
            exp=int(now) + GOOD_FOR_S,
            iat=int(now),
            cdniuc=_container(request.cut, request.segment),
            cnf=Confirmation(x5t_s256=request.certificate),
        )
        return self._key.sign(encode_claims(claims))


class EngineTokenVerifier:
    """Verifies the tokens of one source station."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._tokens = TokenVerifier(issuer=station, audience=(station,), skew_s=SKEW_S, kept_max=_VERIFIED_KEPT)
        self._known: deque[VerifyingKey] = deque(maxlen=_KEYS_KEPT)

    def take_keys(self, jwks: str) -> None:
        """The director signs with these from now on; what was signed before is taken until it expires.

        Raises KeysUnreadable: they are none.
        """
        told = KeySet.parse(jwks.encode())
        news = [key for key in map(told.get, told) if key and all(key.kid != known.kid for known in self._known)]
        if not news:
            return  # what has been verified stays so
        self._known.extend(news)
        self._tokens.keys = KeySet(self._known)

    def refusal(self, token: str, request: CopyRequest, now: float) -> Refused | None:
        """What there is against a request for a copy with that token."""
        if not token:
            return Refused(Reason.NO_TOKEN, "a copy takes an engine token")
        claims = self._tokens.claims(token, now)
        if isinstance(claims, Refused):
            return claims
        if claims.cdniuc != _container(request.cut, request.segment):
            return Refused(Reason.WRONG_PROGRAM, f"it is not for segment {request.segment} of {request.cut.program}")
        bound_to = claims.cnf.x5t_s256 if claims.cnf else ""
        if not hmac.compare_digest(bound_to.encode(), request.certificate.encode()):
            return Refused(Reason.WRONG_HOLDER, "the token is bound to another certificate than the one that is shown")
        return None


def _container(cut: Cut, segment: int) -> str:
    """What a token is for, as RFC 9246 has it; it is compared, and never run."""
    return f"regex:https://[^/]*/segments/{cut.program}/{cut.table}/{segment}\\.(ts|index)"
