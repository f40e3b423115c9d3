"""A file at a web server (RFC 9110, 14): it is known again by a strong entity tag or a date, and goes on by a range."""

import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    InvalidURL,
)
from yarl import URL

from distribution_center.content.providers.remote import (
    CONNECT_S,
    SILENCE_S,
    UNKNOWN_LENGTH,
    Body,
    ForeignPart,
    Interrupted,
    NotGiven,
)

_TIMEOUT = ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
_PIECE_BYTES = 128 << 10
"""When a connection ends aiohttp drops what nobody has read yet, up to twice as much: it has to come again."""
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_REDIRECTED_MAX = 5
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def _anywhere(_: str) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class HttpRemote:
    """One URL."""

    session: ClientSession
    url: str
    address: Callable[[], str] | None = None
    """Gives the URL that is asked, anew each time; None: it is `url`."""
    allows: Callable[[str], bool] = _anywhere
    """Whether it may redirect there."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What makes us known, for the origin of the address alone."""
    tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def open(self, begin_bytes: int, validator: str) -> AsyncIterator[Body]:
        """See `Remote`."""
        headers = {"Accept-Encoding": "identity"}  # a range counts bytes of the representation as it is sent
        if validator:
            headers |= {"Range": f"bytes={begin_bytes}-", "If-Range": validator}
        try:
            async with await self._ask(headers) as response:
                _require_bytes(response)
                yield _body(response)
        except InvalidURL as error:
            raise NotGiven("it is no URL") from error
        except (ClientConnectorCertificateError, ClientSSLError) as error:
            raise NotGiven(_of_tls(error)) from error
        except ClientPayloadError as error:
            raise Interrupted("the body ended early") from error
        except TimeoutError as error:
            raise Interrupted("nothing came for too long") from error
        except ClientError as error:
            raise Interrupted(_of_connection(error)) from error

    async def _ask(self, headers: Mapping[str, str]) -> ClientResponse:
        """The answer, at the end of all redirections."""
        try:
            first = at = URL(self.address(), encoded=True) if self.address else URL(self.url)
            first.origin()
        except ValueError as error:
            raise NotGiven("it is no URL") from error
        for _ in range(_REDIRECTED_MAX + 1):
            known = self.headers if at.origin() == first.origin() else {}
            response = await self.session.get(
                at, headers={**headers, **known}, timeout=_TIMEOUT, allow_redirects=False, ssl=self.tls or True
            )
            if response.status not in _REDIRECTIONS or "Location" not in response.headers:
                return response
            response.close()
            at = self._following(at, response.headers["Location"])
        raise NotGiven(f"it redirects more than {_REDIRECTED_MAX} times")

    def _following(self, at: URL, location: str) -> URL:
        try:
            following = at.join(URL(location))
        except ValueError as error:
            raise NotGiven("it redirects to what is no URL") from error
        if following.scheme not in {"http", "https"} or following.host is None:
            raise NotGiven(f"it redirects to {following.scheme[:20]!r}, and not to the web")
        if not self.allows(str(following)):
            raise NotGiven(f"it redirects to {following.origin()}, which is not an address of its provider")
        return following


def _require_bytes(response: ClientResponse) -> None:
    status, reason = response.status, f"HTTP {response.status} {response.reason}"
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise ForeignPart(reason, status)
    raise (Interrupted if status in _TRANSIENT else NotGiven)(reason, status)


def _body(response: ClientResponse) -> Body:
    begin_bytes, length_bytes = 0, response.content_length
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if match is None:
            raise ForeignPart("it does not say where it goes on", response.status)
        begin_bytes = int(match[1])
        length_bytes = None if length_bytes is None else begin_bytes + length_bytes
    tag = response.headers.get("ETag", "")
    return Body(
        begin_bytes=begin_bytes,
        length_bytes=UNKNOWN_LENGTH if length_bytes is None else length_bytes,
        validator=response.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag,
        pieces=response.content.iter_chunked(_PIECE_BYTES),
    )


def _of_tls(error: ClientError) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {cause.verify_message}"
    return "no secure connection comes about with it"


def _of_connection(error: ClientError) -> str:
    """Without the addresses that libraries put in: they may have been signed."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return {"ServerDisconnectedError": "the connection ended"}.get(type(error).__name__, "no connection")
