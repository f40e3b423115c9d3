"""An authentication server on duty: who logs in gets tokens, and everybody gets the keys that verify them."""

import asyncio
import logging
import os
import random
from contextlib import closing
from hashlib import sha256
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

from aiohttp import web

from distribution_center.authentication.attempts import Attempts
from distribution_center.authentication.issuing import ASKED_MAX, RENEWAL_AUDIENCE, Issuing
from distribution_center.authentication.key_ring import KeyRing
from distribution_center.authentication.passwords import PasswordChecks, TooManyPasswords
from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.authentication.subscriber_file import SubscriberFile
from distribution_center.authentication.subscribers import Subscriber, Subscribers
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.files import make_durable_folder
from media_network.holding import holding_folders
from media_network.http.asker import Asker
from media_network.http.server import HandlerTable, serve
from media_network.messages.authentication import JWKS_PATH, LOG_IN, RENEW, LoggedIn, LogIn, Renew
from media_network.refusal import Reason, Refused
from media_network.status import ProcessStatus, StatusTeller
from media_network.time_of_day import now_ms
from media_network.tokens.keys import KeySet, SigningKey, VerifyingKey, encode_jwks
from media_network.tokens.verifier import TokenVerifier

logger = logging.getLogger(__name__)

KEYS_FRESH_S = 60
"""So long may the keys be taken from a cache."""
_BAD_LOGIN = Refused(Reason.BAD_LOGIN, "no subscriber of that name has that password")
_BUSY = Refused(Reason.BUSY, "too many attempts to log in")
_FAILURES_BURST, _FAILURES_PER_S = 10, 1 / 30
_HOST_BURST, _HOST_PER_S = 20, 0.5


class SigningKeys:
    """The keys of now: looked at again when a command has changed anything."""

    def __init__(self, file: SubscriberFile, settings: AuthenticationSettings) -> None:
        """Raises SubscribersUnfit."""
        self._file = file
        self._seen = file.keys_changed
        ring = file.key_ring()
        if ring is None:
            ring = KeyRing.begin(settings.algorithm, now_ms())
            file.keep_key_ring(ring)
        self._take(ring)

    def look(self) -> bool:
        """Take what a command has changed; whether there was anything. Raises SubscribersUnfit."""
        seen = self._file.keys_changed
        if seen == self._seen:
            return False
        self._seen = seen
        ring = self._file.key_ring()
        if ring is None or ring.keys == self._ring.keys:
            return False
        self._take(ring)
        return True

    def _take(self, ring: KeyRing) -> None:
        self._ring = ring
        public = [kept.key.public() for kept in ring.keys]
        self.jwks = encode_jwks(public)
        self.tag = f'"{sha256(self.jwks).hexdigest()[:32]}"'
        self.known = KeySet(map(VerifyingKey, public))

    @property
    def current(self) -> SigningKey:
        """What is signed with."""
        return self._ring.current


class AuthenticationServer:
    """Answers consoles and directors."""

    def __init__(
        self,
        settings: AuthenticationSettings,
        subscribers: Subscribers,
        keys: SigningKeys,
        passwords: PasswordChecks,
        rng: random.Random,
    ) -> None:
        self._subscribers = subscribers
        self._keys = keys
        self._passwords = passwords
        self._issuing = Issuing(settings, lambda: f"{rng.getrandbits(64):016x}")
        self._renewals = TokenVerifier(issuer=settings.issuer, audience=(RENEWAL_AUDIENCE,), skew_s=0)
        self._renewals.keys = keys.known
        self._hosts = Attempts(_HOST_BURST, _HOST_PER_S)
        self._failures = Attempts(_FAILURES_BURST, _FAILURES_PER_S)

    def table(self) -> HandlerTable:
        """All that it answers."""
        table = HandlerTable("authentication server")
        table.verb_by_asker(LOG_IN, self.log_in)
        table.verb(RENEW, self.renew)
        table.resource(JWKS_PATH, self.jwks, "The keys that verify its tokens (RFC 7517).")
        return table

    async def log_in(self, request: LogIn, asker: Asker) -> LoggedIn | Refused:
        """Confirm a subscriber, and issue a token (claim 25)."""
        now_s, host = asyncio.get_running_loop().time(), asker.host
        if not (self._hosts.has_room(host, now_s) and self._failures.has_room(request.name, now_s)):
            return _BUSY
        self._hosts.count(host, now_s)
        subscriber = await self._subscribers.named(request.name)
        # Counted before it is checked: a hundred at once are a hundred attempts.
        self._failures.count(request.name, now_s)
        try:
            right = await self._passwords.is_right(subscriber.digest if subscriber else None, request.password)
        except TooManyPasswords:
            return _BUSY
        if subscriber is None or not right:
            return _BAD_LOGIN
        self._failures.forget(request.name)
        answer = await self._issue(subscriber, request.program)
        if isinstance(answer, LoggedIn):
            logger.info("subscriber %s logs in from %s", request.name, host)
        return answer

    async def renew(self, request: Renew) -> LoggedIn | Refused:
        """Issue another token to a console that has logged in."""
        self._look_at_keys()
        claims = self._renewals.claims(request.renewal, now_ms() / 1000)
        if isinstance(claims, Refused):
            return claims
        subscriber = await self._subscribers.get(claims.sub or "")
        if subscriber is None or subscriber.generation != claims.gen:
            return Refused(Reason.BAD_LOGIN, "that login is not good any more; log in again")
        return await self._issue(subscriber, request.program)

    async def jwks(self, request: web.Request) -> web.StreamResponse:
        """`GET /.well-known/jwks.json`: the keys of now, with those before and after."""
        self._look_at_keys()
        headers = {
            "Cache-Control": f"public, max-age={KEYS_FRESH_S}",
            "ETag": self._keys.tag,
            "Access-Control-Allow-Origin": "*",
        }
        if request.headers.get("If-None-Match") == self._keys.tag:
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.Response(body=self._keys.jwks, content_type="application/jwk-set+json", headers=headers)

    async def _issue(self, subscriber: Subscriber, program: ProgramId | None) -> LoggedIn | Refused:
        if subscriber.suspended:
            return Refused(Reason.NOT_ENTITLED, "the subscription is suspended")
        now = now_ms()
        entitled = await self._subscribers.entitled(subscriber.id, now, program, ASKED_MAX)
        if program is not None and not entitled:
            return Refused(Reason.NOT_ENTITLED, f"the subscription does not cover {program} now")
        self._look_at_keys()
        return self._issuing.logged_in(subscriber, entitled, self._keys.current, now)

    def _look_at_keys(self) -> None:
        if self._keys.look():
            self._renewals.keys = self._keys.known


async def run_authentication(settings: AuthenticationSettings, rng: random.Random) -> None:
    """Run an authentication server until cancelled.

    Raises AlreadyHeld: another process has its folder; OSError: it cannot serve at its address; SubscribersUnfit.
    """
    state = Path(settings.state)
    make_durable_folder(state, 0o700)
    async with holding_folders(state):
        with (
            closing(SubscriberFile(state, check=True)) as file,
            closing(PasswordChecks(settings.password_threads)) as checks,
        ):
            server = AuthenticationServer(settings, file, SigningKeys(file, settings), checks, rng)
            await _serve(server, settings)


async def _serve(server: AuthenticationServer, settings: AuthenticationSettings) -> None:
    address = Address(settings.address, settings.port)
    async with serve(server.table(), address):
        StatusTeller(Path(settings.state)).tell(_status(address))
        logger.info(
            "authentication server, release %s: consoles and directors at %s; issuer %s, state in %s",
            *(version("media-station"), address, settings.issuer, settings.state),
        )
        try:
            await asyncio.Event().wait()
        finally:
            logger.info("the authentication server ends")


def _status(address: Address) -> ProcessStatus:
    return ProcessStatus(
        pid=os.getpid(), role="authentication", state="serving", address=address.host, media=str(address)
    )
