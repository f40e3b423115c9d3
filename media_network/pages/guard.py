"""Who may ask for a page, and for what is behind it: its own page, a person, and programs.

A page of somebody else's, open in the same browser, can send requests here: under another origin (cross-site request
forgery), or under a host name that it made point to this machine (DNS rebinding). It gets nothing. A program names no
origin and is let through; whether it may give orders is the server's to say.
"""

import hmac
import re
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from media_network.pages.headers import HEADERS

Refusal = Callable[[], web.HTTPException]
"""Makes an answer that refuses."""
_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)


class PageGuard:
    """Lets the requests of one page's own through, and gives every answer the headers that keep the page to itself."""

    def __init__(
        self,
        is_own_name: Callable[[str], bool],
        *,
        token: str,
        misnamed: Refusal,
        foreign: Refusal,
        proxied: bool = False,
    ) -> None:
        """Answer under the host names (without port, in lower case) that `is_own_name` knows.

        `misnamed` refuses those who ask for another host, `foreign` other pages. A proxy in front of a `proxied` page
        may give it another scheme and port, so that only the name of an origin counts there.
        """
        self.token = token
        self._is_own_name = is_own_name
        self._misnamed = misnamed
        self._foreign = foreign
        self._proxied = proxied

    def is_token(self, given: str) -> bool:
        """Whether this is the token; how long that takes says nothing about it."""
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self.token.encode())

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or go on."""
        try:
            self._refuse(request)
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _refuse(self, http: web.Request) -> None:
        host = http.headers.get("Host", "")
        if not self._is_own_host(host):
            raise self._misnamed()
        if not self._is_own_origin(http.headers.get("Origin"), host) or _is_of_another_site(http):
            raise self._foreign()

    def _is_own_host(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        return found is not None and self._is_own_name(found["name"].strip("[]").lower())

    def _is_own_origin(self, origin: str | None, host: str) -> bool:
        if origin in {None, f"http://{host}"}:
            return True
        scheme, _, rest = (origin or "").partition("://")
        return self._proxied and scheme in {"http", "https"} and self._is_own_host(rest)


def _is_of_another_site(http: web.Request) -> bool:
    """Whether the browser says so (Fetch Metadata Request Headers); a link from anywhere may open the page itself."""
    opened_by_a_person = http.path == "/" and http.headers.get("Sec-Fetch-Mode") == "navigate"
    return http.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"} and not opened_by_a_person
