"""What players in pages of other origins may read, and how they ask beforehand (Fetch, 3.2).

Nothing here asks for cookies, so that every origin may be let in; who may have a program says its token or ticket.
"""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

FROM_ANYWHERE: Mapping[str, str] = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Accept-Ranges, Content-Range, ETag, Retry-After, WWW-Authenticate",
    }
)
"""On an answer; on a redirect as well as on what it leads to."""
_METHODS = "GET, HEAD, OPTIONS"
_PREFLIGHT: Mapping[str, str] = MappingProxyType(
    {
        **FROM_ANYWHERE,
        "Allow": _METHODS,
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Authorization, *",  # the asterisk does not stand for it (Fetch, 3.2.3)
        "Access-Control-Max-Age": "86400",
    }
)


async def preflight(_: web.Request) -> web.StreamResponse:
    """Answer `OPTIONS`, of a browser or of anybody."""
    return web.Response(status=204, headers=_PREFLIGHT)
