"""Who may give orders at the panel: its own page, where orders are taken at all, opened by whoever runs the network.

Another user of this machine can connect to its loopback addresses. They may look, and not order.
"""

import asyncio
import os

from aiohttp import web
from aiohttp.typedefs import Handler

from chassis_emulator.panel.orders import ACT
from chassis_emulator.panel.peer import user_of
from media_network.address import Address
from media_network.pages.guard import PageGuard

TOKEN = "Panel-Token"  # noqa: S105 -- the header's name
_ROOT = 0


class OrderGuard:
    """Lets orders through, or answers them with a sentence; whoever only looks is not its concern."""

    def __init__(self, page: PageGuard, *, control: bool) -> None:
        self._page = page
        self._control = control

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or go on."""
        if request.method not in {"GET", "HEAD"}:
            sentence = self._no_order(request) or await _another_user(request)
            if sentence:
                raise web.HTTPForbidden(text=f"{sentence}\n")
        return await handler(request)

    def _no_order(self, http: web.Request) -> str:
        if not self._control:
            return "The panel is read-only: it takes orders only where the network was started with --control."
        if "Origin" not in http.headers:
            return "An order has to name the page it comes from (Origin)."
        if not self._page.is_token(http.headers.get(TOKEN, "")):
            return "This page is from before the emulator's last start: load it again."
        if http.content_type != "application/json":
            return "An order has to be JSON."
        if http.content_length is None or http.content_length > ACT.request_bytes_max:
            return f"An order has to say its length, at most {ACT.request_bytes_max} bytes."
        return ""


async def _another_user(http: web.Request) -> str:
    if http.transport is None:
        return "The connection has ended."
    peer = Address(*http.transport.get_extra_info("peername"))
    here = Address(*http.transport.get_extra_info("sockname"))
    user = await asyncio.get_running_loop().run_in_executor(None, user_of, peer, here)
    if user in {os.geteuid(), _ROOT}:
        return ""
    return "Only the user who started the network may give orders."
