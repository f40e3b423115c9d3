"""A page to watch: the programs in service with a picture each, and a player. It gives no orders.

The player, hls.js, is somebody else's and no part of this project: `make player` gets it, and a wheel carries it. Where
it is not there the page says so, and leaves playing to the browser.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec
from aiohttp import web
from msgspec import Struct

from blade_agent.data import data_folder
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.attachments import Attachments
from blade_agent.main_board.director.holdings.library import Library
from media_network.fields import Count, ProgramId, Sha256
from media_network.http.conditions import FOR_EVER, entity_tag, is_known
from media_network.http.refusing import refusing
from media_network.http.server import Resource
from media_network.pages.headers import MEDIA_HEADERS
from media_network.pages.page_files import PageFile, page_files
from media_network.pictures import picture_type
from media_network.program_header import AttachmentKind, ProgramHeader, Title
from media_network.refusal import Reason, Refused

INDEX_PATH, FILE_PATH, SHARED_PATH = "/", "/page/{file}", "/shared/{file}"
TITLES_PATH, ENGINES_PATH = "/titles", "/engines"
PICTURE_PATH = "/programs/{program}/picture/{sha256}"

_FILES = Path(__file__).parent / "page"
_PLAYER = "hls.js"
_SHOWN, _SHOWN_MAX = 24, 96
_LOOKED_THROUGH = 20_000
"""Titles in one answer; whoever found too few asks on."""
_HEADERS_READ = 400
_AT_ONCE = 500
_SEARCH_LENGTH_MAX = 200
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


class ShownTitle(Struct, frozen=True, kw_only=True):
    """A program as the page lists it."""

    program: ProgramId
    title: Title
    duration_ms: Count
    picture: Sha256 | None
    """Digest of its picture; None: it has none."""


class ShownTitles(Struct, frozen=True, kw_only=True):
    """Programs in service, in the order of their names."""

    titles: tuple[ShownTitle, ...]
    after: ProgramId | None
    """Where to ask on from; None: there are no more."""


class ShownEngine(Struct, frozen=True, kw_only=True):
    """An engine of the station, for who sees only where a segment came from."""

    slot: int
    media: str
    """Its media address."""


class WatchPage:
    """What the page is, and what it asks for."""

    def __init__(
        self, station: str, catalogue: Catalogue, roster: Roster, library: Library, attachments: Attachments
    ) -> None:
        self._station = station
        self._catalogue = catalogue
        self._roster = roster
        self._library = library
        self._attachments = attachments

    def answers(self) -> Mapping[str, Resource]:
        """Who answers for which pattern."""
        return {
            INDEX_PATH: self._index,
            FILE_PATH: self._file,
            SHARED_PATH: self._shared,
            TITLES_PATH: self._titles,
            ENGINES_PATH: self._engines,
            PICTURE_PATH: self._picture,
        }

    @cached_property
    def _files(self) -> Mapping[str, PageFile]:
        """Read when the first person comes: most directors are never looked at."""
        player = data_folder("player") / _PLAYER
        files = dict(page_files(_FILES, station=self._station, player="yes" if player.is_file() else ""))
        if player.is_file():
            files[f"/{_PLAYER}"] = PageFile(files["/main.js"].content_type, player.read_bytes())
        return files

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return _file_response(request, self._files.get("/"))

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return _file_response(request, self._files.get(f"/{request.match_info['file']}"))

    async def _shared(self, request: web.Request) -> web.StreamResponse:
        return _file_response(request, self._files.get(f"/shared/{request.match_info['file']}"))

    async def _titles(self, request: web.Request) -> web.StreamResponse:
        """`GET /titles?search=&after=&limit=`: a page of them."""
        limit = request.query.get("limit", "")
        most = min(_SHOWN_MAX, max(1, int(limit))) if _NUMBER.fullmatch(limit) else _SHOWN
        search = request.query.get("search", "")[:_SEARCH_LENGTH_MAX]
        found = await self._find(search, request.query.get("after", ""), most)
        return _json(found)

    async def _engines(self, _: web.Request) -> web.StreamResponse:
        """`GET /engines`: which slot is behind which address."""
        return _json(tuple(ShownEngine(slot=engine.slot, media=str(engine.media)) for engine in self._roster))

    async def _find(self, search: str, after: ProgramId, most: int) -> ShownTitles:
        found: list[ShownTitle] = []
        read = 0
        looked_through = islice(self._catalogue.titles.after(after, search), _LOOKED_THROUGH)
        for looked, (name, matches) in enumerate(looked_through, 1):
            after = name
            if matches:
                read += 1
                header = self._catalogue.published(name)
                if header and self._library.is_in_service(name):
                    found.append(_shown(header))
            if len(found) == most or read == _HEADERS_READ:
                break
            if looked % _AT_ONCE == 0:
                await asyncio.sleep(0)
        there_are_more = next(iter(self._catalogue.titles.after(after)), None) is not None
        return ShownTitles(titles=tuple(found), after=after if there_are_more else None)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/picture/<sha256>`."""
        asked, sha256 = request.match_info["program"], request.match_info["sha256"]
        header = self._catalogue.published(asked) if self._library.is_in_service(asked) else None
        if header is None:
            return refusing(self._library.why_not(asked))
        octets = await self._attachments.get(header, AttachmentKind.PICTURE) if sha256 == _picture_of(header) else None
        kind = picture_type(octets or b"")
        if octets is None or kind is None:
            return refusing(Refused(Reason.NOT_HERE, "no such picture is here"))
        tag = entity_tag(sha256)
        headers = {"Cache-Control": FOR_EVER, "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if is_known(request.headers.get("If-None-Match", ""), tag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=octets, content_type=kind, headers=headers)


def _json(shown: ShownTitles | tuple[ShownEngine, ...]) -> web.StreamResponse:
    return web.Response(body=msgspec.json.encode(shown), content_type="application/json", headers=MEDIA_HEADERS)


def _file_response(request: web.Request, file: PageFile | None) -> web.StreamResponse:
    if file is None:
        return refusing(Refused(Reason.NOT_HERE, "the page has no such part"), MEDIA_HEADERS)
    tag = entity_tag(hashlib.sha256(file.body).hexdigest())
    headers = {**MEDIA_HEADERS, "Cache-Control": "no-cache", "ETag": tag, "Content-Type": file.content_type}
    if is_known(request.headers.get("If-None-Match", ""), tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.body, headers=headers)


def _shown(header: ProgramHeader) -> ShownTitle:
    return ShownTitle(
        program=header.program,
        title=header.title,
        duration_ms=header.duration_ms,
        picture=_picture_of(header),
    )


def _picture_of(header: ProgramHeader) -> Sha256 | None:
    return next((one.sha256 for one in header.attachments if one.kind is AttachmentKind.PICTURE), None)
