"""Tokens and renewals of a subscriber: what they say, and for how long. Pure."""

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.authentication.subscribers import EntitledProgram, Subscriber
from media_network.messages.authentication import LoggedIn
from media_network.messages.subscribers import ANY_PROGRAM
from media_network.tokens.claims import Claims, encode_claims
from media_network.tokens.container import PROGRAMS_MAX, Container
from media_network.tokens.keys import SigningKey

RENEWAL_AUDIENCE = "urn:media-station:renewal"
"""No station can be called so."""
ASKED_MAX = PROGRAMS_MAX + 1
"""So many programs are looked up: with more than fit into a token, one has to be named."""


class Issuing(Struct, frozen=True):
    """Writes tokens, by the settings."""

    settings: AuthenticationSettings
    new_name: Callable[[], str]
    """Of a token."""

    def logged_in(
        self, subscriber: Subscriber, entitled: Sequence[EntitledProgram], key: SigningKey, now_ms: int
    ) -> LoggedIn:
        """What a console gets whose subscriber is confirmed."""
        renewal_ends_at = now_ms // 1000 + self.settings.renewal_s
        token = self._token(subscriber, entitled, now_ms)
        return LoggedIn(
            renewal=key.sign(encode_claims(self._renewal(subscriber, now_ms, renewal_ends_at))),
            renewal_expires_at_ms=renewal_ends_at * 1000,
            token=key.sign(encode_claims(token)) if token else None,
            token_expires_at_ms=math.floor(token.exp * 1000) if token else None,
        )

    def _renewal(self, subscriber: Subscriber, now_ms: int, ends_at: int) -> Claims:
        return Claims(
            iss=self.settings.issuer,
            aud=(RENEWAL_AUDIENCE,),
            sub=subscriber.id,
            iat=now_ms // 1000,
            exp=ends_at,
            gen=subscriber.generation,
        )

    def _token(self, subscriber: Subscriber, entitled: Sequence[EntitledProgram], now_ms: int) -> Claims | None:
        """A token for what a subscriber may see; None if that is nothing, or too much to be named."""
        everything = next((one for one in entitled if one.program == ANY_PROGRAM), None)
        named = [everything] if everything else entitled
        if not 0 < len(named) <= PROGRAMS_MAX:
            return None
        until_ms = min(one.until_ms for one in named)
        container = Container.of(None if everything else (one.program for one in named))
        return Claims(
            iss=self.settings.issuer,
            aud=subscriber.stations or (self.settings.audience,),
            sub=subscriber.id,
            iat=now_ms // 1000,
            nbf=now_ms // 1000,
            exp=min(now_ms // 1000 + self.settings.token_s, until_ms // 1000),
            jti=self.new_name() if self.settings.numbered else None,
            cdniuc=container.text(),
        )
