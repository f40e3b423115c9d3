"""Fetching (claim 2): what is on a disk of the center's is taken as it is, what a provider has is downloaded."""

import dataclasses
from pathlib import Path

from aiohttp import ClientSession, DummyCookieJar

from distribution_center.content.errors import ForeignSource
from distribution_center.content.ingest_report import path_of, uri_of
from distribution_center.content.providers.download import ANYTHING, Expected, OnBytes, download, forget_download
from distribution_center.content.providers.providers import Providers

_ATTEMPTS = 9
"""With the pauses between them: a minute and a half without a byte."""
_FILE = "file:///"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fetching:
    """Where sources are, and who may be asked for them."""

    providers: Providers
    downloads: Path
    """Folder of what is downloaded, and of what broke off."""
    local_files: bool
    """Any file of this machine may be ingested; else only those below a provider's `file:///` address."""

    def refusal(self, source: str) -> str | None:
        """Why a source is not fetched, whatever it is: a sentence; None if it may be."""
        if not is_local(source):
            return None if self.providers.of(source) else self.providers.refusal(source)
        if not source.startswith(_FILE) and not Path(source).is_absolute():
            return f"{source[:200]} is neither a URL nor an absolute path"
        if self.local_files or self.providers.of(uri_of(local_path(source))):
            return None
        return self.providers.refusal(source)

    async def fetch(
        self, source: str, on_bytes: OnBytes, expected: Expected = ANYTHING, name: str | None = None
    ) -> Path:
        """The file of a URL; it is the caller's, and whole. `name` is that of what breaks off, where the URL's own will
        not do. Raises `IngestError`."""
        provider = self.providers.of(source)
        if provider is None:
            raise ForeignSource(source, self.providers.refusal(source))
        bounded = dataclasses.replace(expected, bytes_max=min(expected.bytes_max, provider.settings.bytes_max))
        async with provider.at_once, ClientSession(cookie_jar=DummyCookieJar()) as session:
            on_bytes(0, 0)
            remote = provider.remote(source, session)
            return await download(
                remote, self.downloads, on_bytes=on_bytes, expected=bounded, attempts=_ATTEMPTS, name=name
            )

    def forget(self, source: str, name: str | None = None) -> None:
        """Let go of what a download has left. Raises OSError."""
        if not is_local(source):
            forget_download(source, self.downloads, name)


def is_local(source: str) -> bool:
    """Whether it is a path on this machine, or a file URI."""
    return "://" not in source or source.startswith(_FILE)


def local_path(source: str) -> Path:
    """The path of a local source."""
    return path_of(source) if source.startswith(_FILE) else Path(source)
