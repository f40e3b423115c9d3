"""The keys of the authentication server, as a blade knows them: fetched again and again, and kept on its disk.

Every blade has them, whatever its role: who becomes director while the authentication server is away lets viewers in.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from media_network.durable_file import DurableFile
from media_network.files import Files
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.authentication import JWKS_PATH
from media_network.os_trouble import in_words
from media_network.tokens.keys import JWKS_BYTES_MAX, KeySet, KeysUnreadable
from media_network.tokens.settings import TokenSettings

logger = logging.getLogger(__name__)

KEYS_FILE = "issuer-keys.json"
_REBUILT = "the authentication server is asked"
_LOOK_AGAIN_S = 5.0
"""A token with an unknown key makes us ask at once, but not more often: anybody can make one up."""
_ANSWER_WITHIN_S = 2.0
_KEPT_AGAIN_S = 86_400.0
"""So old the time on the disk may be."""
_CLOCK_DIFFERS_S = 2.0
"""A date has whole seconds, and takes time to come."""


class _Kept(Struct, frozen=True, kw_only=True):
    """The file."""

    jwks: str
    told_at: float
    """The server's clock when it gave them, seconds since 1970."""


class IssuerKeys:
    """Keeps them."""

    def __init__(self, settings: TokenSettings, state: Path, files: Files, rng: random.Random, host: str) -> None:
        """`host` is whose voice asks the server."""
        self.settings = settings
        self.keys = KeySet()
        self._file = DurableFile(state / KEYS_FILE, _parse, rebuilt=_REBUILT, files=files, keeps_before=False)
        self._rng = rng
        self._host = host
        self._http: HttpClient | None = None
        self._asking: asyncio.Task[bool] | None = None
        self._asked_at = -_LOOK_AGAIN_S
        self._ahead_s = 0.0
        """How much the server's clock is ahead of ours."""
        self._heard = False
        """Whether the server has said since the start what time it is."""
        self._told_at = 0.0
        """The time that is kept with the keys."""
        self._trouble = ""

    def now(self) -> float:
        """Seconds since 1970 by the server's clock, as far as it is known: that of a blade may be wrong."""
        ours = time.time() + self._ahead_s
        return ours if self._heard else max(ours, self._told_at)

    async def run(self) -> None:
        """Keep them up to date until cancelled."""
        await self._load()
        async with self._voice():
            while True:
                heard = await self._ask_once()
                pause_s = self.settings.refresh_s if heard else min(self.settings.refresh_s, _LOOK_AGAIN_S)
                await asyncio.sleep(pause_s * self._rng.uniform(0.8, 1.0))

    async def look_again(self) -> bool:
        """A token names a key that is not known: ask whether there are others now. Whether that was asked, and heard.

        Who asks again too soon is not waited for, so that nobody can have the server asked as often as he likes.
        """
        now = asyncio.get_running_loop().time()
        if self._asking is None and now - self._asked_at < _LOOK_AGAIN_S:
            return False
        return await self._ask_once()

    async def _ask_once(self) -> bool:
        """Ask, or wait for the answer that somebody waits for already; whether it came."""
        if self._http is None:
            return False
        if self._asking is None:
            self._asked_at = asyncio.get_running_loop().time()
            self._asking = asyncio.create_task(self._ask(self._http), name="issuer keys")
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, _: asyncio.Task[bool]) -> None:
        self._asking = None

    @asynccontextmanager
    async def _voice(self) -> AsyncIterator[None]:
        async with HttpClient(self._rng, self._host) as http:
            self._http = http
            try:
                yield
            finally:
                if self._asking:
                    self._asking.cancel()
                    await asyncio.wait([self._asking])
                self._http = None

    async def _ask(self, http: HttpClient) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                octets, told_at = await self._fetch(http)
            keys = KeySet.parse(octets)
        except (NetworkError, TimeoutError, KeysUnreadable, ConnectionError) as error:
            self._say(
                f"the keys of the authentication server at {self.settings.server} cannot be had: {error or 'no answer'}"
            )
            return False
        self._say("")
        await self._take(keys, told_at)
        return True

    async def _fetch(self, http: HttpClient) -> tuple[bytes, float]:
        """A JWKS, and when it was given. Raises NetworkError, KeysUnreadable."""
        body = bytearray()
        async with http.read(self.settings.address, JWKS_PATH) as response:
            if response.status != 200:
                raise KeysUnreadable(f"it answers with HTTP status {response.status}")
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > JWKS_BYTES_MAX:
                    raise KeysUnreadable(f"it gives more than {JWKS_BYTES_MAX} bytes")
            return bytes(body), _date(response.headers.get("Date", ""))

    async def _take(self, keys: KeySet, told_at: float) -> None:
        self._heard = True
        ahead_s = told_at - time.time()
        self._ahead_s = ahead_s if abs(ahead_s) >= _CLOCK_DIFFERS_S else 0.0
        if set(keys) != set(self.keys):
            logger.info("the authentication server has %s keys: %s", "other" if self.keys else "these", ", ".join(keys))
        elif abs(told_at - self._told_at) < _KEPT_AGAIN_S:
            return
        self.keys, self._told_at = keys, told_at
        kept = msgspec.json.encode(_Kept(jwks=keys.jwks().decode(), told_at=told_at))
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._file.keep, kept)
        except OSError as error:
            logger.warning("%s cannot be kept: %s", self._file.path, in_words(error))

    async def _load(self) -> None:
        try:
            found = await asyncio.get_running_loop().run_in_executor(None, self._file.read)
        except OSError as error:
            logger.warning("%s cannot be read: %s", self._file.path, in_words(error))
            return
        if found.value is not None:
            self.keys, self._told_at = KeySet.parse(found.value.jwks.encode()), found.value.told_at

    def _say(self, trouble: str) -> None:
        """In the log, when it begins."""
        if trouble and not self._trouble:
            kept = "what was heard before is good meanwhile" if len(self.keys) else "no viewer is let in"
            logger.warning("%s; %s", trouble, kept)
        self._trouble = trouble


def _parse(octets: bytes) -> _Kept:
    kept = msgspec.json.decode(octets, type=_Kept)
    KeySet.parse(kept.jwks.encode())
    return kept


def _date(text: str) -> float:
    """The time in a `Date` header; ours, if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()
