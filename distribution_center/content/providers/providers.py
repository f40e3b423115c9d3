"""The providers of a center: each with its credentials, and a file at one of them as a `Remote`."""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from aiohttp import BasicAuth, ClientSession
from yarl import URL

from distribution_center.content.providers.credentials import Credentials, read_credentials
from distribution_center.content.providers.ftp_remote import FtpRemote
from distribution_center.content.providers.http_remote import HttpRemote
from distribution_center.content.providers.provider import (
    ProviderSettings,
    in_words,
    provider_of,
    shown,
    wrong_address,
)
from distribution_center.content.providers.remote import Remote

_LIBRARIES = {"sftp": "asyncssh", "s3": "obstore"}
EXTRA = "providers"


class ProviderUnfit(Exception):
    """A provider's settings cannot be used: a sentence."""


@dataclass(frozen=True)
class Provider:
    """One of them, ready."""

    settings: ProviderSettings
    credentials: Credentials
    tls: ssl.SSLContext | None
    at_once: asyncio.Semaphore

    def remote(self, url: str, session: ClientSession) -> Remote:
        """A file of this provider."""
        parsed = URL(url)
        match parsed.scheme:
            case "ftp" | "ftps":
                return self._ftp(url, parsed)
            case "sftp":
                return self._sftp(url, parsed)
            case "s3":
                return self._s3(url, parsed, session)
        return HttpRemote(
            session=session,
            url=url,
            allows=self.settings.may_redirect_to,
            headers=self._headers(),
            tls=self.tls,
        )

    def _headers(self) -> dict[str, str]:
        known = self.credentials
        if known.token:
            return {"Authorization": f"Bearer {known.token}"}
        return {"Authorization": BasicAuth(known.user, known.password).encode()} if known.user else {}

    def _ftp(self, url: str, parsed: URL) -> Remote:
        tls = (self.tls or ssl.create_default_context()) if parsed.scheme == "ftps" else None
        remote = FtpRemote(url=url, host=parsed.host or "", port=parsed.explicit_port or 21, path=parsed.path, tls=tls)
        if not self.credentials.user:
            return remote
        return FtpRemote(
            url=url,
            host=remote.host,
            port=remote.port,
            path=remote.path,
            user=self.credentials.user,
            password=self.credentials.password,
            tls=tls,
        )

    def _sftp(self, url: str, parsed: URL) -> Remote:
        from distribution_center.content.providers.sftp_remote import SftpRemote  # noqa: PLC0415 -- of an extra

        return SftpRemote(
            url=url,
            host=parsed.host or "",
            port=parsed.explicit_port or 22,
            path=parsed.path,
            host_key=self.settings.host_key,
            user=self.credentials.user,
            password=self.credentials.password or None,
            key=self.credentials.key or None,
            passphrase=self.credentials.passphrase or None,
        )

    def _s3(self, url: str, parsed: URL, session: ClientSession) -> Remote:
        from distribution_center.content.providers.s3_remote import signed_address  # noqa: PLC0415 -- of an extra

        settings, known = self.settings, self.credentials
        endpoint = settings.endpoint or f"https://s3.{settings.region}.amazonaws.com"
        address = signed_address(
            parsed.host or "",
            parsed.path.lstrip("/"),
            endpoint=endpoint,
            region=settings.region,
            access_key=known.access_key,
            secret_key=known.secret_key,
            session_token=known.session_token,
        )
        return HttpRemote(session=session, url=url, address=address, allows=settings.may_redirect_to, tls=self.tls)


class Providers:
    """All of them. What is none's is refused."""

    def __init__(self, settings: Iterable[ProviderSettings]) -> None:
        """Raises ProviderUnfit, SettingsError."""
        self._settings = tuple(settings)
        self._ready = {one.name: _ready(one) for one in self._settings}
        if len(self._ready) < len(self._settings):
            raise ProviderUnfit("two providers have one name: give each its own")

    def of(self, url: str) -> Provider | None:
        """Whose a URL is."""
        found = provider_of(url, self._settings)
        return self._ready[found.name] if found else None

    def refusal(self, source: str) -> str:
        """Why what is no provider's is not fetched, with the legal ones."""
        return f"{shown(source)[:200]} is no provider's: {in_words(self._settings)}"


def _ready(settings: ProviderSettings) -> Provider:
    for address in (settings.address, *settings.also, *([settings.endpoint] if settings.endpoint else ())):
        if wrong := wrong_address(address):
            raise ProviderUnfit(f"provider {settings.name}: {wrong}")
    scheme = URL(settings.address).scheme
    library = _LIBRARIES.get(scheme)
    if library and find_spec(library) is None:
        raise ProviderUnfit(
            f"provider {settings.name}: {scheme} needs the extra `{EXTRA}`: pip install 'media-station[{EXTRA}]'"
        )
    if scheme == "sftp" and not settings.host_key:
        raise ProviderUnfit(f"provider {settings.name}: an SFTP server is known by its `host_key`: name it")
    credentials = read_credentials(Path(settings.credentials)) if settings.credentials else Credentials()
    if scheme == "sftp" and not credentials.user:
        raise ProviderUnfit(f"provider {settings.name}: SFTP wants a `user` in its `credentials`")
    return Provider(settings, credentials, _tls(settings), asyncio.Semaphore(settings.at_once))


def _tls(settings: ProviderSettings) -> ssl.SSLContext | None:
    if not settings.ca:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise ProviderUnfit(f"provider {settings.name}: {settings.ca} has no certificates that can be read") from error
