"""Ask a party: a message goes out, its answer comes back, within a deadline.

A message that may have been lost is said again under the same idempotency key until the deadline, so whoever receives
it twice does it once.
"""

import asyncio
import os
import random
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import msgspec
from aiohttp.client_proto import ResponseHandler

from media_network.address import Address
from media_network.http.errors import NetworkError, Unintelligible, Unreachable
from media_network.identity.identification import Identification
from media_network.messages.verb import Port, Reply, Request, Verb
from media_network.refusal import Refused

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

IDEMPOTENCY_KEY = "Idempotency-Key"
DEADLINE_MS = "Deadline-Ms"

NOT_THE_MESSAGE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the message asked for; the last for brackets nested by the thousand."""

_NOBODY = "its certificate counts no more in this network, or never did"
_CHUNK_BYTES = 256 * 1024
_RETRY_PAUSE_S = 0.1
_PROBE_PAUSE_S = 0.01
"""Between a connection that broke and finding out whether anybody listens there still."""
_ATTEMPT_MIN_S = 0.05
"""Less would not tell a refused connection from a slow answer, when the loop was late to try again."""


class LoopConnector(aiohttp.BaseConnector):
    """A connector that leaves sockets to the event loop, so that the loop may be a simulated one.

    aiohttp's own TCPConnector opens sockets by itself. Ours knows numeric addresses only. Over TLS whoever answers has
    to be at the address that the certificate is for, and count.
    """

    def __init__(self, local_host: str | None = None, identification: Identification | None = None) -> None:
        super().__init__(limit=0, keepalive_timeout=60)
        self._local_addr = (local_host, 0) if local_host else None
        self._identification = identification

    async def _create_connection(
        self,
        req: "ClientRequest",
        traces: list["Trace"],  # noqa: ARG002 -- the signature is aiohttp's
        timeout: "ClientTimeout",  # noqa: ASYNC109 -- the signature is aiohttp's
    ) -> ResponseHandler:
        host, context = req.url.raw_host or "", req.ssl if isinstance(req.ssl, ssl.SSLContext) else None
        try:
            async with asyncio.timeout(timeout.sock_connect):
                transport, protocol = await self._loop.create_connection(
                    self._factory, host, req.url.port or 80, local_addr=self._local_addr, ssl=context
                )
            if context and self._identification and self._identification.peer(transport, host) is None:
                transport.abort()
                raise ssl.SSLError(_NOBODY)
        except OSError as error:
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
        return protocol


class HttpClient:
    """A party's voice: its connections to all others, kept alive between messages."""

    def __init__(
        self, rng: random.Random, local_host: str | None = None, identification: Identification | None = None
    ) -> None:
        """With an `identification` machines are spoken to as the one that it says, over TLS if it has any."""
        self._rng = rng
        self._local_host = local_host
        self._identification = identification
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=LoopConnector(self._local_host, self._identification),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},  # what is compressed may be any length, and digests are of bytes
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=2.0),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """aiohttp's session."""
        if self._session is None:
            raise RuntimeError("the client is used before its 'async with'")
        return self._session

    def _voice(self, peer: Address, what: str) -> aiohttp.ClientSession:
        """The session. Raises Unreachable when it has been closed: who still asks then has nothing to say."""
        if self.session.closed:
            raise Unreachable(peer, what, "who asks has left", received=False)
        return self.session

    async def ask(
        self,
        peer: Address,
        verb: Verb[Request, Reply],
        request: Request,
        *,
        deadline_s: float = 3.0,
        while_refused: bool = True,
    ) -> Reply | Refused:
        """Say `request` to `peer`, again if need be, and return its answer.

        `while_refused` says whether to try again while connections are refused: a process that starts soon listens.
        Raises Unreachable when the deadline passed without one, Unintelligible when the answer is not the verb's.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + deadline_s
        key = f"{self._rng.getrandbits(64):016x}"
        body = msgspec.json.encode(request)
        received, pause_s = False, _RETRY_PAUSE_S if while_refused else _PROBE_PAUSE_S
        while True:
            left_s = max(_ATTEMPT_MIN_S, give_up_at - loop.time())
            try:
                async with asyncio.timeout(left_s):
                    return await self._ask_once(peer, verb, body, key, left_s)
            except Unreachable as error:
                received = received or error.received
                if (
                    self.session.closed
                    or (error.refused and not while_refused)
                    or loop.time() + _RETRY_PAUSE_S >= give_up_at
                ):
                    final = Unreachable(peer, verb.path, error.cause, received=received)
                    final.refused = error.refused
                    raise final from error
            except TimeoutError:
                raise Unreachable(peer, verb.path, f"no answer in {deadline_s:g} s", received=True) from None
            await asyncio.sleep(pause_s)
            pause_s = _RETRY_PAUSE_S

    async def tell(
        self,
        peer: Address,
        verb: Verb[Request, Reply],
        request: Request,
        *,
        deadline_s: float = 3.0,
        while_refused: bool = True,
    ) -> Reply | None:
        """Ask where neither a refusal nor a lost peer needs more than a later try: None for both."""
        try:
            answer = await self.ask(peer, verb, request, deadline_s=deadline_s, while_refused=while_refused)
        except NetworkError:
            return None
        return None if isinstance(answer, Refused) else answer

    async def _ask_once(
        self, peer: Address, verb: Verb[Request, Reply], body: bytes, key: str, left_s: float
    ) -> Reply | Refused:
        headers = {
            "Content-Type": "application/json",
            IDEMPOTENCY_KEY: key,
            DEADLINE_MS: str(max(1, int(left_s * 1000))),
        }
        try:
            async with self._voice(peer, verb.path).post(
                data=body, headers=headers, allow_redirects=False, **self._at(peer, f"/{verb.path}", verb.ports)
            ) as response:
                answer = await _read_body(response, verb.reply_bytes_max)
        except aiohttp.ClientError as error:
            raise _unreachable(peer, verb.path, error) from error
        if answer is None:
            excerpt = f"more than {verb.reply_bytes_max} bytes"
            raise Unintelligible(peer, verb.path, response.status, excerpt)
        return _read_answer(peer, verb, response.status, answer)

    @asynccontextmanager
    async def read(
        self,
        peer: Address,
        path: str,
        *,
        port: Port = Port.MEDIA,
        first_byte: int = 0,
        token: str = "",
        sock_read_s: float = 5.0,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open a resource from `first_byte` on, at a peer's port of that kind; a redirect is not followed.

        `token` is shown (RFC 6750). Raises Unreachable, also while its body is read.
        """
        headers = {"Range": f"bytes={first_byte}-"} if first_byte else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=2.0, sock_read=sock_read_s)
        try:
            async with self._voice(peer, path).get(
                headers=headers, timeout=timeout, allow_redirects=False, **self._at(peer, path, {port})
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(peer, path, error) from error

    def _at(self, peer: Address, path: str, ports: Collection[Port]) -> dict[str, Any]:
        """Where something is that is answered at ports of these kinds, and how one gets there."""
        context = self._identification.client_context if self._identification else None
        if context is None or Port.CONTROL not in ports:
            return {"url": f"http://{peer}{path}"}
        return {"url": f"https://{peer}{path}", "ssl": context}


async def _read_body(response: aiohttp.ClientResponse, bytes_max: int) -> bytes | None:
    """The body; None if it is longer than that, and then the connection is closed."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > bytes_max:
            response.close()
            return None
    return bytes(body)


def _unreachable(peer: Address, what: str, error: Exception) -> Unreachable:
    """What aiohttp found, in our words."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ssl.SSLError):
        return Unreachable(peer, what, _tls_trouble(error.os_error), received=False)
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        # asyncio puts the address into the text; our error names the peer already.
        cause = os.strerror(number).lower() if number and number > 0 else "no connection"
        return Unreachable(peer, what, cause, received=not isinstance(error.os_error, ConnectionRefusedError))
    cause = "no answer" if isinstance(error, TimeoutError) else "the connection broke"
    return Unreachable(peer, what, cause, received=True)


def _tls_trouble(error: ssl.SSLError) -> str:
    """Why there is no TLS with a peer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message.lower()}"
    return _NOBODY if _NOBODY in error.args else "it does not speak TLS as we do"


def _read_answer(peer: Address, verb: Verb[Request, Reply], status: int, answer: bytes) -> Reply | Refused:
    try:
        if status == 200:
            return msgspec.json.decode(answer, type=verb.reply)
        if status >= 400:
            return msgspec.json.decode(answer, type=Refused)
    except NOT_THE_MESSAGE:
        pass
    raise Unintelligible(peer, verb.path, status, answer[:80].decode(errors="replace"))
