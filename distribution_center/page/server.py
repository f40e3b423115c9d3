"""The page's server: its files, what is new at the center, pictures of programs, uploads, and the center's own verbs.

The page says the verbs that any program may say at the control port; here they stand behind the guards of a page.
"""

import pwd
import random
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from distribution_center.page.orders import TOKEN
from distribution_center.page.settings import PageSettings
from distribution_center.page.uploading import Uploading
from distribution_center.page.watch import CenterWatch
from distribution_center.registry.refusals import refuse_store_errors
from distribution_center.registry.repository import Repository, RepositoryError
from media_network.address import Address
from media_network.http.endpoint import Post
from media_network.http.refusing import refusing
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Caller
from media_network.pages.events import Readers
from media_network.pages.guard import PageGuard
from media_network.pages.order_guard import OrderGuard, no_short_json
from media_network.pages.page_files import page_files
from media_network.pictures import picture_type
from media_network.refusal import Reason, Refused
from media_network.settings import SettingsError

_FILES = Path(__file__).parent / "files"
_LOOPBACK_NAME = re.compile(r"localhost|127(\.\d{1,3}){3}", re.ASCII)
_READERS_MAX = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")


class OperatorsPage:
    """What the page answers."""

    def __init__(
        self,
        settings: PageSettings,
        *,
        center: str,
        verbs: Iterable[Post[Any, Any]],
        watch: CenterWatch,
        uploading: Uploading,
        repository: Repository,
        rng: random.Random,
    ) -> None:
        """`verbs` are the center's, of which those for operators are answered here too.

        Raises SettingsError: there is no such user.
        """
        self._watch = watch
        self._repository = repository
        self._readers = Readers(_READERS_MAX)
        guard = _guard(f"{rng.getrandbits(256):064x}")
        self._table = HandlerTable("Operator's page of a distribution center")
        for post in verbs:
            if Caller.OPERATOR in post.verb.callers:
                self._table.posts.append(post)
        uploading.answer(self._table)
        refuse_store_errors(self._table)
        self._most = {f"/{post.verb.path}": post.verb.request_bytes_max for post in self._table.posts}
        self._asks = {f"/{post.verb.path}" for post in self._table.posts if post.verb.reads}
        orders = OrderGuard(
            page=guard,
            token_header=TOKEN,
            aged="This page is from before the center's last start: load it again.",
            stranger="Only the user who runs the center may give orders, and those whom its settings name.",
            users=[_user(name) for name in settings.users],
            unfit=self._unfit,
            only_asks=lambda http: http.method == "POST" and http.path in self._asks,
        )
        self._table.guards = [guard.check, orders.check]
        for path, file in page_files(_FILES, token=guard.token, center=center).items():
            self._table.resource(path, file.answer, "A part of the page.")
        self._table.resource(
            "/changes", self._changes, "Server-sent events: fleet, ingests, deletions, catalogue, moved, quiet."
        )
        self._table.resource("/pictures/{sha256}", self._picture, "A picture that is attached to a program.")

    @property
    def table(self) -> HandlerTable:
        """All of it."""
        return self._table

    def close(self) -> None:
        """Let everybody who looks go."""
        self._readers.close()

    def _unfit(self, http: web.Request) -> str:
        if http.method == "PUT":
            return "" if http.content_length is not None else "An upload has to say its length."
        return no_short_json(http, self._most.get(http.path, 0))

    async def _changes(self, http: web.Request) -> web.StreamResponse:
        if self._readers.full:
            return refusing(Refused(Reason.AT_CAPACITY, f"{_READERS_MAX} pages are open already."))
        return await self._readers.tell(http, self._watch.news())

    async def _picture(self, http: web.Request) -> web.StreamResponse:
        sha256 = http.match_info["sha256"]
        try:
            octets = await self._repository.part(sha256) if _DIGEST.fullmatch(sha256) else None
        except RepositoryError as error:
            return refusing(Refused(Reason.BUSY, str(error)))
        kind = picture_type(octets or b"")
        if octets is None or kind is None:
            return refusing(Refused(Reason.NOT_HERE, "no such picture is here"))
        return web.Response(body=octets, content_type=kind)


@asynccontextmanager
async def serve_page(page: OperatorsPage | None, address: Address | None) -> AsyncIterator[None]:
    """Answer while the context is open, if there is a page. Raises OSError."""
    if page is None or address is None:
        yield
        return
    async with serve(page.table, address):
        try:
            yield
        finally:
            page.close()


def _guard(token: str) -> PageGuard:
    own_names = "The page answers only to this machine's own names: 127.x.y.z and localhost.\n"
    return PageGuard(
        lambda name: _LOOPBACK_NAME.fullmatch(name) is not None,
        token=token,
        misnamed=partial(web.HTTPForbidden, text=own_names),
        foreign=partial(web.HTTPForbidden, text="The center answers only its own page here.\n"),
    )


def _user(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as error:
        reason = f"names {name[:40]!r}, who is no user of this machine"
        raise SettingsError(Path("settings"), "page.users", reason) from error
