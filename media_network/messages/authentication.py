"""A subscriber's console at the authentication server: it logs in, and gets tokens (claims 5 and 25)."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, TokenText
from media_network.messages.verb import Caller, Verb

JWKS_PATH = "/.well-known/jwks.json"
"""Where an authentication server publishes its keys (RFC 7517): to everybody."""
TOKEN_PARAMETER = "URISigningPackage"  # noqa: S105 -- the name of a parameter
"""The parameter of an address that carries a token (RFC 9246)."""
DEFAULT_ISSUER = DEFAULT_AUDIENCE = "media-station"

SubscriberName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?$(?!\n)",
        description="at most 64 lower case letters, digits, and . _ @ - within",
    ),
]
PASSWORD_MAX = 256
Password = Annotated[str, Meta(min_length=1, max_length=PASSWORD_MAX)]


class LogIn(Struct, frozen=True, kw_only=True):
    """A console says who watches."""

    name: SubscriberName
    password: Password
    program: ProgramId | None = None
    """The token shall be for this one; None: for all that the subscriber may see, if a token can name that."""

    def __repr__(self) -> str:
        """Without the password: what is shown in a log or a traceback is read by others."""
        return f"LogIn(name={self.name!r}, program={self.program!r})"


class Renew(Struct, frozen=True, kw_only=True):
    """A console that has logged in wants another token."""

    renewal: TokenText
    program: ProgramId | None = None
    """As in `LogIn`."""


class LoggedIn(Struct, frozen=True, kw_only=True):
    """What a console shows directors, and what it comes back with."""

    renewal: str
    """For `RENEW`: it takes the place of name and password."""
    renewal_expires_at_ms: Count
    token: str | None
    """Shown to a director, it lets the console play. None: the subscriber may see nothing now, or so much that a
    program has to be named."""
    token_expires_at_ms: Count | None


LOG_IN = Verb(
    "authentication/log-in",
    LogIn,
    LoggedIn,
    "A console requests a security token for a subscriber (claims 5, 25).",
    callers=(Caller.CONSOLE,),
)

RENEW = Verb(
    "authentication/renew",
    Renew,
    LoggedIn,
    "A console that has logged in requests another token (claim 25).",
    callers=(Caller.CONSOLE,),
)
