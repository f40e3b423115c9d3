"""The files of the page: package data, read once, with what only this start of the server knows filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "page"
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


def page_files(*, token: str, control: bool) -> Mapping[str, PageFile]:
    """Every file by the path it is served at; the page itself at `/`, with its token (hexadecimal digits)."""
    files = {
        f"/{path.name}": PageFile(_TYPES[path.suffix], path.read_bytes())
        for path in sorted(_FOLDER.iterdir())
        if path.suffix in _TYPES and path.name != _INDEX
    }
    text = (_FOLDER / _INDEX).read_text(encoding="utf-8")
    filled = text.replace("{{token}}", token).replace("{{control}}", "allowed" if control else "off")
    return files | {"/": PageFile(_TYPES[".html"], filled.encode())}
