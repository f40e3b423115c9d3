"""The files of a page, and those that all pages share: package data, read once."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_SHARED = Path(__file__).parent / "shared"
_INDEX = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class PageFile:
    """What is served at one path."""

    content_type: str
    body: bytes

    async def answer(self, _: web.Request) -> web.StreamResponse:
        """Give it to whoever asks."""
        return web.Response(body=self.body, headers={"Content-Type": self.content_type})


def page_files(folder: Path, **known: str) -> Mapping[str, PageFile]:
    """Every file by the path it is served at: `index.html` at `/`, the shared ones below `/shared/`.

    What only this start of the server knows goes into the page itself, wherever it has the name in braces: `{{token}}`.
    """
    page = (folder / _INDEX).read_text(encoding="utf-8")
    for name, text in known.items():
        page = page.replace(f"{{{{{name}}}}}", html.escape(text))
    files = _files(folder, "/") | _files(_SHARED, "/shared/")
    return files | {"/": PageFile(_TYPES[".html"], page.encode())}


def _files(folder: Path, under: str) -> dict[str, PageFile]:
    return {
        f"{under}{path.name}": PageFile(_TYPES[path.suffix], path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.suffix in _TYPES and path.name != _INDEX
    }
