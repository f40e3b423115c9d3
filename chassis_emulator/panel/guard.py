"""Who may look at the panel, and who may give orders there: what is not plainly allowed is refused.

A page of somebody else's, open in the same browser, can send requests here: under another origin (cross-site request
forgery), or under a host name that it made point to this machine (DNS rebinding). Another user of this machine can
connect to its loopback addresses. None of them may give an order, and none but that last one may read.
"""

import asyncio
import hmac
import os
import random
import re
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler

from chassis_emulator.panel.orders import ACT
from chassis_emulator.panel.peer import user_of
from media_network.address import Address

TOKEN = "Panel-Token"  # noqa: S105 -- the header's name
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
)
"""On every answer: nothing inline, nothing from elsewhere, in nobody's frame, and nothing kept."""
_LOOPBACK_HOST = re.compile(r"(localhost|127(\.\d{1,3}){3})(:\d{1,5})?", re.ASCII)
_ROOT = 0


class Guard:
    """Lets requests of one panel through, or answers them with a sentence."""

    def __init__(self, rng: random.Random, *, control: bool) -> None:
        self.token = f"{rng.getrandbits(256):064x}"
        """The page has it, and shows it with every order."""
        self._control = control

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or go on; either way with the headers that keep the page to itself."""
        try:
            response = await self._refuse(request) or await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def _refuse(self, http: web.Request) -> web.Response | None:
        sentence = _foreign(http)
        if not sentence and http.method not in {"GET", "HEAD"}:
            sentence = self._no_order(http) or await _another_user(http)
        if sentence:
            return web.Response(status=403, text=f"{sentence}\n")
        return None

    def _no_order(self, http: web.Request) -> str:
        if not self._control:
            return "The panel is read-only: it takes orders only where the network was started with --control."
        if "Origin" not in http.headers:
            return "An order has to name the page it comes from (Origin)."
        if not hmac.compare_digest(http.headers.get(TOKEN, "").encode(), self.token.encode()):
            return "This page is from before the emulator's last start: load it again."
        if http.content_type != "application/json":
            return "An order has to be JSON."
        if http.content_length is None or http.content_length > ACT.request_bytes_max:
            return f"An order has to say its length, at most {ACT.request_bytes_max} bytes."
        return ""


def _foreign(http: web.Request) -> str:
    """Why a request does not come from the panel's own page or from somebody's command line; empty if it does."""
    if not _LOOPBACK_HOST.fullmatch(http.headers.get("Host", "")):
        return "The panel answers only to this machine's own names: 127.x.y.z and localhost."
    if http.headers.get("Origin", f"http://{http.host}") != f"http://{http.host}":
        return "The panel answers only its own page."
    opened_by_a_person = http.path == "/" and http.headers.get("Sec-Fetch-Mode") == "navigate"
    if http.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"} and not opened_by_a_person:
        return "The panel answers only its own page."
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
