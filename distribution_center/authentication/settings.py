"""What an authentication server is told at its door."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Ipv4Text
from media_network.fields import PathText
from media_network.messages.authentication import DEFAULT_AUDIENCE, DEFAULT_ISSUER
from media_network.tokens.keys import Algorithm

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class AuthenticationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One authentication server."""

    address: Ipv4Text
    """IPv4 address it answers at."""
    state: PathText
    """Folder of its subscribers and keys; nobody else may read it."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 8084
    """Where consoles log in, and directors fetch its keys."""
    issuer: Name = DEFAULT_ISSUER
    """How it calls itself in tokens (`iss`); stations are told the same."""
    audience: Name = DEFAULT_AUDIENCE
    """For whom tokens are (`aud`) that are good at every station; stations are told the same."""
    algorithm: Algorithm = Algorithm.ED25519
    """Of keys that are made from now on."""
    token_s: Annotated[int, Meta(ge=30, le=7 * 86_400)] = 3600
    """How long a token is good. Who has begun to watch by then watches to the end."""
    renewal_s: Annotated[int, Meta(ge=60, le=366 * 86_400)] = 30 * 86_400
    """How long after a login a console gets further tokens without a password."""
    numbered: bool = True
    """Give each token a name of its own (`jti`); some verifiers of others take none that has one."""
    password_threads: Annotated[int, Meta(ge=1, le=64)] = 2
    """So many passwords are checked at once; each takes a fifth of a second of a core, and 64 MiB."""
