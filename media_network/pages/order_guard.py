"""Who may give orders at a page: the page itself, where orders are taken at all, opened by a user who may.

Another user of this machine can connect to its loopback addresses. They may look, and not order.
"""

import asyncio
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from media_network.pages.guard import PageGuard
from media_network.pages.peer import user_of

_ROOT = 0


@dataclass(frozen=True, kw_only=True)
class OrderGuard:
    """Lets orders through, or answers them with a sentence; whoever only looks is not its concern."""

    page: PageGuard
    token_header: str
    """Where an order has the page's token."""
    closed: str = ""
    """Why no orders are taken at all; empty: they are."""
    aged: str
    """What is said to a page of an earlier start."""
    stranger: str
    """What is said to other users."""
    users: Collection[int] = ()
    """Who may order beside the user that this process runs as, and root."""
    unfit: Callable[[web.Request], str]
    """Why what an order carries is not to be read, by its headers; empty: it is."""
    only_asks: Callable[[web.Request], bool] = lambda _: False
    """Whether a request that is no GET changes nothing."""

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or go on."""
        if request.method not in {"GET", "HEAD"} and not self.only_asks(request):
            sentence = self._no_order(request) or await self._another_user(request)
            if sentence:
                raise web.HTTPForbidden(text=f"{sentence}\n")
        return await handler(request)

    def _no_order(self, http: web.Request) -> str:
        if self.closed:
            return self.closed
        if "Origin" not in http.headers:
            return "An order has to name the page it comes from (Origin)."
        if not self.page.is_token(http.headers.get(self.token_header, "")):
            return self.aged
        return self.unfit(http)

    async def _another_user(self, http: web.Request) -> str:
        if http.transport is None:
            return "The connection has ended."
        peer, here = (http.transport.get_extra_info(end) for end in ("peername", "sockname"))
        user = await asyncio.get_running_loop().run_in_executor(None, user_of, peer, here)
        return "" if user in {os.geteuid(), _ROOT, *self.users} else self.stranger


def no_short_json(http: web.Request, bytes_max: int) -> str:
    """Why a request carries no JSON of at most so many bytes; empty: it says that it does."""
    if http.content_type != "application/json":
        return "An order has to be JSON."
    if http.content_length is None or http.content_length > bytes_max:
        return f"An order has to say its length, at most {bytes_max} bytes."
    return ""
