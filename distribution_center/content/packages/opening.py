"""Opening a source (claims 2, 11): a film, or a package of metadata and film, on a disk or at a provider.

    async with opening.open(source, downloaded) as package: ...

What was downloaded or unpacked for it is gone afterwards.
"""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from distribution_center.content.errors import BadPackage, DownloadFailed, ForeignSource, OtherContent
from distribution_center.content.fetching import Fetching, is_local, local_path
from distribution_center.content.metadata.program_metadata import MetadataAsset
from distribution_center.content.metadata.reading import looks_like_metadata
from distribution_center.content.packages.package import (
    Document,
    Package,
    check,
    document_in,
    file_beside,
    picture_part,
    read_document,
)
from distribution_center.content.packages.unpack_process import unpack_apart
from distribution_center.content.packages.unpacking import HEAD_BYTES, looks_like_archive
from distribution_center.content.providers.download import ANYTHING, FREE_BYTES_MIN, Expected, OnBytes
from distribution_center.content.providers.provider import shown
from media_network.callback import do_nothing
from media_network.files import DiskFiles
from media_network.program_header import ATTACHMENT_BYTES_MAX, Attachment

_Result = TypeVar("_Result")

_PREFIX = ".package-"
_UNPACKED_AT_ONCE = 2
"""Each may take its share of the room that there is when it begins."""
_UNPACKED_MAX = 1 << 40


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How sources are opened."""

    fetching: Fetching
    spool: Path
    zone: tzinfo
    """Of times in metadata that have none."""
    unpacking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UNPACKED_AT_ONCE))
    fetched: dict[str, set[str]] = field(default_factory=dict)
    """What was asked of providers for a source: parts of it may be left."""

    @asynccontextmanager
    async def open(self, source: str, downloaded: OnBytes) -> AsyncIterator[Package]:
        """What a program is to be made of. Raises `IngestError`, OSError."""
        async with AsyncExitStack() as stack:
            if is_local(source):
                path = local_path(source)
            else:
                path = await self._fetched(stack, source, source, downloaded)
            head = await _in_thread(partial(_head, path))
            if head is None:
                yield await self._from_folder(path, source)
            elif looks_like_archive(head):
                yield await self._from_folder(await self._unpacked(stack, path, source), source)
            elif not looks_like_metadata(head):
                yield Package(film=path)
            elif is_local(source):
                yield await self._beside(path, source)
            else:
                yield await self._at_provider(stack, path, source, downloaded)
            # Whoever ends well, or in an error of the package itself, has left nothing.
            self.fetched.pop(source, None)

    def forget(self, source: str) -> None:
        """Let go of what interrupted downloads have left. Raises OSError."""
        for url in {source, *self.fetched.pop(source, ())}:
            self.fetching.forget(url, _name(source, url))

    async def _fetched(
        self, stack: AsyncExitStack, source: str, url: str, downloaded: OnBytes, expected: Expected = ANYTHING
    ) -> Path:
        self.fetched.setdefault(source, set()).add(url)
        path = await self.fetching.fetch(url, downloaded, expected, _name(source, url))
        stack.callback(path.unlink, missing_ok=True)
        return path

    async def _unpacked(self, stack: AsyncExitStack, archive: Path, source: str) -> Path:
        DiskFiles().make_folder(self.spool)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self.spool))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        async with self.unpacking:
            room_bytes = (shutil.disk_usage(self.spool).free - FREE_BYTES_MIN) // _UNPACKED_AT_ONCE
            await unpack_apart(archive, folder, source=source, bytes_max=max(0, min(_UNPACKED_MAX, room_bytes)))
        return folder

    async def _from_folder(self, folder: Path, source: str) -> Package:
        return await self._beside(await _in_thread(partial(document_in, folder, source)), source)

    async def _beside(self, document: Path, source: str) -> Package:
        """A package whose files are beside its metadata."""
        said = await _in_thread(partial(read_document, document, source, self.zone))
        film = file_beside(document, _film(said, source), source)
        await _in_thread(partial(check, film, _film(said, source), source))
        parts = [said.attachment()]
        for asset in said.understood.pictures[:1]:
            try:
                path = file_beside(document, asset, source)
                await _in_thread(partial(check, path, asset, source))
                _add_picture(said, parts, await _in_thread(partial(picture_part, path)))
            except BadPackage as error:
                said.warnings.append(f"{error.reason}: it is left out")
        return _package(film, said, parts)

    async def _at_provider(self, stack: AsyncExitStack, document: Path, source: str, downloaded: OnBytes) -> Package:
        """A package whose files are fetched from where its metadata were."""
        said = await _in_thread(partial(read_document, document, source, self.zone))
        asset = _film(said, source)
        film = await self._fetched(stack, source, self._url(asset, source), downloaded, _expected(asset))
        parts = [said.attachment()]
        for picture in said.understood.pictures[:1]:
            expected = replace(_expected(picture), bytes_max=ATTACHMENT_BYTES_MAX)
            try:
                path = await self._fetched(stack, source, self._url(picture, source), do_nothing, expected)
                _add_picture(said, parts, await _in_thread(partial(picture_part, path)))
            except (DownloadFailed, OtherContent, ForeignSource, BadPackage) as error:
                said.warnings.append(f"its picture is left out: {error}")
        return _package(film, said, parts)

    def _url(self, asset: MetadataAsset, source: str) -> str:
        """Where a file is that metadata at a URL name. Raises `ForeignSource`: at another provider than they are, who
        would give it for other credentials."""
        url = _url(asset, source)
        providers = self.fetching.providers
        if providers.of(url) is not providers.of(source):
            raise ForeignSource(url, f"{shown(url)} is not at the provider of the metadata that name it")
        return url


def _name(source: str, url: str) -> str | None:
    """What a file is downloaded as that a package names: another package may ask for the same at the same time."""
    return None if url == source else hashlib.sha256(f"{source} {url}".encode()).hexdigest()[:16]


def _film(said: Document, source: str) -> MetadataAsset:
    film = said.understood.film
    if film is None or film.file is None:
        raise BadPackage(source, "its metadata name no film")
    return film


def _url(asset: MetadataAsset, source: str) -> str:
    """Where a file is that metadata at a URL name; whether it may be fetched is seen when it is."""
    name = asset.file or ""
    if not name:
        raise BadPackage(source, f"its metadata name no file of the {asset.kind}")
    return name if "://" in name else f"{source.partition('?')[0].rpartition('/')[0]}/{quote(name)}"


def _expected(asset: MetadataAsset) -> Expected:
    return Expected(length_bytes=asset.length_bytes, md5=asset.md5, sha256=asset.sha256)


def _add_picture(said: Document, parts: list[tuple[Attachment, bytes]], found: tuple[Attachment, bytes] | str) -> None:
    if isinstance(found, str):
        said.warnings.append(found)
    else:
        parts.append(found)


def _package(film: Path, said: Document, parts: list[tuple[Attachment, bytes]]) -> Package:
    understood = msgspec.structs.replace(said.understood, warnings=(*said.understood.warnings, *said.warnings))
    return Package(film=film, metadata=understood, parts=tuple(parts))


def _head(path: Path) -> bytes | None:
    """How a file begins; None of a folder. What cannot be read is left to those who say it better."""
    if path.is_dir():
        return None
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(None, work)
