"""May this console play this? A token is checked against the streaming request (claim 25), and nobody is asked.

A token is parsed no further than its header before its signature is right. One that has been found right is kept, so
that a second look at it costs next to nothing; what depends on the time, the station and the program is looked at anew.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Annotated, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from media_network.fields import ProgramId
from media_network.refusal import Reason, Refused
from media_network.tokens.claims import Claims, parse_claims
from media_network.tokens.container import Container
from media_network.tokens.keys import KID_CHARS_MAX, TOKEN_CHARS_MAX, Algorithm, KeySet, VerifyingKey, from_base64url

SKEW_MAX_S = 600
_KEPT_MAX = 4096
_HEADER_CHARS_MAX = 512
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class StreamingRequest(NamedTuple):
    """A streaming request, as far as a token speaks of it."""

    program: ProgramId
    uris: Callable[[], Collection[str]] = tuple
    """What the address of its playlist may be: looked up for tokens that are for one URI."""


class Viewer(NamedTuple):
    """Who may play it."""

    subscriber: str
    expires_at: float
    """Seconds since 1970: by then the token is good for nothing new."""


class _Header(Struct, frozen=True):
    alg: Annotated[str, Meta(max_length=64)]
    kid: Annotated[str, Meta(max_length=KID_CHARS_MAX)] = ""
    crit: Raw | UnsetType | None = UNSET
    b64: Raw | UnsetType | None = UNSET


class _Found(NamedTuple):
    """A token whose signature is right."""

    claims: Claims
    begins_at: float
    for_us: bool
    """Whether its audience is ours."""
    container: Container | None


class TokenVerifier:
    """Checks the tokens of one issuer for one audience."""

    def __init__(
        self, *, issuer: str, audience: Collection[str], skew_s: float = 60.0, kept_max: int = _KEPT_MAX
    ) -> None:
        """`audience`: a token has to name one of these; `skew_s`: by so much its clock and ours may differ."""
        self._issuer = issuer
        self._audience = frozenset(audience)
        self._skew_s = min(max(skew_s, 0.0), SKEW_MAX_S)
        self._kept_max = kept_max
        self._kept: OrderedDict[str, _Found] = OrderedDict()
        self._keys = KeySet()

    @property
    def keys(self) -> KeySet:
        """The issuer's."""
        return self._keys

    @keys.setter
    def keys(self, keys: KeySet) -> None:
        self._keys = keys
        self._kept.clear()  # a token of a key that is gone is good for nothing

    def check(self, token: str | None, asked: StreamingRequest, now: float) -> Viewer | Refused:
        """Whether a token is good for a request at `now`, in seconds since 1970."""
        found = self._found(token)
        if isinstance(found, Refused):
            return found
        return self._refusal(found, asked, now) or Viewer(found.claims.sub or "", found.claims.exp)

    def claims(self, token: str, now: float) -> Claims | Refused:
        """What a token says that is good at `now` for this audience, whatever it is for."""
        found = self._found(token)
        if isinstance(found, Refused):
            return found
        return self._untimely(found, now) or _elsewhere(found) or found.claims

    def __len__(self) -> int:
        return len(self._kept)

    def _refusal(self, found: _Found, asked: StreamingRequest, now: float) -> Refused | None:
        refused = self._untimely(found, now) or _elsewhere(found)
        if refused:
            return refused
        if found.claims.cnf is not None:
            return Refused(Reason.MALFORMED, "it is bound to a certificate, and consoles show none")
        if found.container is None:
            return Refused(Reason.MALFORMED, "it says in no way that is understood here which programs it is for")
        if not found.container.allows(asked.program, asked.uris):
            return Refused(Reason.WRONG_PROGRAM, f"the token is not for {asked.program}")
        return None

    def _untimely(self, found: _Found, now: float) -> Refused | None:
        expires_at = found.claims.exp
        if now >= expires_at + self._skew_s:
            return Refused(Reason.EXPIRED, f"the token expired {now - expires_at:.0f} s ago")
        if now < found.begins_at - self._skew_s:
            return Refused(Reason.NOT_YET_VALID, f"the token is good in {found.begins_at - now:.0f} s only")
        return None

    def _found(self, token: str | None) -> _Found | Refused:
        if not token:
            return Refused(Reason.NO_TOKEN, "this station asks for a token; log in at the authentication server")
        found = self._kept.get(token)
        if found is None:
            return self._find(token)
        self._kept.move_to_end(token)
        return found

    def _find(self, token: str) -> _Found | Refused:
        """Read a token that is not known yet."""
        key = self._key_of(token)
        if isinstance(key, Refused):
            return key
        payload = _signed_by(key, token)
        if payload is None:
            return Refused(Reason.WRONG_KEY, "the key that the token names has not signed it")
        claims = parse_claims(payload)
        if isinstance(claims, str):
            return Refused(Reason.MALFORMED, claims)
        if claims.iss != self._issuer:
            return Refused(Reason.WRONG_ISSUER, "the token is of another authentication server")
        found = _Found(
            claims=claims,
            begins_at=max(claims.nbf or 0, claims.iat or 0),
            for_us=not self._audience.isdisjoint(_audience(claims)),
            container=Container.parse(claims.cdniuc) if claims.cdniuc else None,
        )
        self._kept[token] = found
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return found

    def _key_of(self, token: str) -> VerifyingKey | Refused:
        header = _header_of(token)
        if isinstance(header, Refused):
            return header
        if header.alg not in _ALGORITHMS:
            return Refused(Reason.BAD_ALGORITHM, f"tokens are signed by {' or '.join(sorted(_ALGORITHMS))}")
        key = self._keys.get(header.kid)
        if key is None:
            return Refused(Reason.UNKNOWN_KEY, "the token names a key that its issuer does not have, or not any more")
        if header.alg != key.algorithm:
            return Refused(Reason.BAD_ALGORITHM, f"the key of the token is for {key.algorithm}")
        return key


_ALGORITHMS = frozenset(algorithm.value for algorithm in Algorithm)


def _header_of(token: str) -> _Header | Refused:
    if len(token) > TOKEN_CHARS_MAX:
        return Refused(Reason.MALFORMED, f"a token has at most {TOKEN_CHARS_MAX} characters")
    parts = _COMPACT.fullmatch(token)
    header = _read_header(parts[1]) if parts else None
    if header is None:
        return Refused(Reason.MALFORMED, "it is no token")
    if header.crit is not UNSET or header.b64 is not UNSET:
        return Refused(Reason.MALFORMED, "its header demands what is not understood here")
    return header


def _signed_by(key: VerifyingKey, token: str) -> bytes | None:
    """What a token says; None: that key has not signed it."""
    signed, _, signature = token.rpartition(".")
    try:
        if key.has_signed(signed.encode("ascii"), from_base64url(signature)):
            return from_base64url(signed.partition(".")[2])
    except ValueError:
        pass
    return None


def _read_header(text: str) -> _Header | None:
    if len(text) > _HEADER_CHARS_MAX:
        return None
    try:
        return msgspec.json.decode(from_base64url(text), type=_Header)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, too
        return None


def _elsewhere(found: _Found) -> Refused | None:
    return None if found.for_us else Refused(Reason.WRONG_STATION, "the token is not for this station")


def _audience(claims: Claims) -> frozenset[str]:
    if claims.aud is None:
        return frozenset()
    return frozenset({claims.aud} if isinstance(claims.aud, str) else claims.aud)
