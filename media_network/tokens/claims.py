"""What a token says: the claims of RFC 9246, and nothing that is not understood here."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Moment = Annotated[float, Meta(ge=0, le=253_402_300_799)]
"""Seconds since 1970, to the end of the year 9999 (NumericDate, RFC 7519)."""
Text = Annotated[str, Meta(max_length=256)]


class Confirmation(Struct, frozen=True, kw_only=True):
    """Whom a token is bound to (`cnf`, RFC 7800)."""

    x5t_s256: Annotated[str, Meta(max_length=43)] = msgspec.field(name="x5t#S256")
    """SHA-256 of the certificate, in base64url (RFC 8705, 3.1)."""


class Claims(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claims of a token."""

    iss: Text
    exp: Moment
    sub: Text | None = None
    """The subscriber, by a name that says nothing of the person."""
    aud: Text | Annotated[tuple[Text, ...], Meta(max_length=64)] | None = None
    nbf: Moment | None = None
    iat: Moment | None = None
    jti: Text | None = None
    cdniv: int = 1
    cdniuc: Annotated[str, Meta(max_length=1536)] | None = None
    cdniets: Annotated[int, Meta(ge=1)] | None = None
    """For how many seconds a token is good that is made of this one."""
    cdnistt: Annotated[int, Meta(ge=0, le=1)] = 0
    """1: whoever takes it makes another of it that is good for what follows (RFC 9246: a cookie; here: a ticket)."""
    cdnistd: Annotated[int, Meta(ge=0)] = 0
    cdniip: str | None = None
    cdnicrit: str | None = None
    cnf: Confirmation | None = None
    """Of engine tokens."""
    gen: int | None = None
    """Ours, in renewals only: how many passwords the subscriber had had by then."""


def encode_claims(claims: Claims) -> bytes:
    """As a JWS carries them; `cdniv` is always said."""
    return msgspec.json.encode({"cdniv": claims.cdniv, **msgspec.to_builtins(claims)})


def parse_claims(payload: bytes) -> Claims | str:
    """Read them, or say why they are not understood."""
    try:
        claims = msgspec.json.decode(payload, type=Claims)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "its claims are not those of RFC 9246"
    if claims.cdniv != 1:
        return "it is of another version (cdniv)"
    if claims.cdniip is not None or claims.cdnicrit is not None:
        # What restricts a token, and is not understood, must not be passed over.
        return "cdniip and cdnicrit are not understood here"
    if (claims.cdnistt == 1) != (claims.cdniets is not None):
        return "cdnistt and cdniets go together"
    return claims
