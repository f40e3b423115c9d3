"""Providers as the settings name them: what is no provider's is not fetched."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated

from msgspec import Meta, Struct
from yarl import URL

_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22, "s3": 0, "file": 0}
SCHEMES = tuple(_PORTS)
_FIRST_LETTER = ord(" ")


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
            description="lower case letters, digits and hyphens, at most 63, the first no hyphen",
        ),
    ]
    address: str
    """A URL of http, https, ftp, ftps, sftp, s3 or file: what is below it may be fetched."""
    also: tuple[str, ...] = ()
    """Addresses that it may redirect to, what is below them."""
    credentials: str = ""
    """Path of a file with mode 0600; empty: it wants none."""
    host_key: str = ""
    """Of an SFTP server: `ssh-ed25519 AAAA...`."""
    ca: str = ""
    """Path of a PEM file with those who vouch for it; empty: the machine's."""
    endpoint: str = ""
    """Of S3; empty: that of AWS."""
    region: str = "us-east-1"
    """Of S3."""
    at_once: Annotated[int, Meta(ge=1, le=16)] = 2
    """Most downloads from it at a time."""
    bytes_max: Annotated[int, Meta(gt=0, le=2**50)] = 200 * 10**9
    """More of one file is not taken."""

    def has(self, url: str) -> bool:
        """Whether it may be fetched from this provider."""
        return _is_below(url, self.address)

    def may_redirect_to(self, url: str) -> bool:
        """Whether a redirection leads to an address of this provider."""
        return any(_is_below(url, address) for address in (self.address, *self.also))


def provider_of(url: str, providers: Iterable[ProviderSettings]) -> ProviderSettings | None:
    """Whose a URL is; of several the one whose address is the longest."""
    return max((one for one in providers if one.has(url)), key=lambda one: len(one.address), default=None)


def in_words(providers: Iterable[ProviderSettings]) -> str:
    """The legal ones, for a sentence."""
    known = [f"{one.name} ({one.address})" for one in providers]
    if not known:
        return "the center's settings name no provider"
    return f"the providers are {', '.join(known)}" if len(known) > 1 else f"the only provider is {known[0]}"


def wrong_address(address: str) -> str | None:
    """Why it cannot be a provider's, as a sentence; None if it can."""
    url = _parsed(address)
    if url is None:
        return f"{address!r} is no address: write {', '.join(f'{scheme}://' for scheme in SCHEMES)}, and no password"
    if url.scheme == "file" and url.host:
        return f"{address!r} names a machine: write file:///folder/"
    if url.scheme != "file" and not url.host:
        return f"{address!r} names no machine"
    return None


def shown(source: str) -> str:
    """A source as people are told of it: without what may be a secret, a login or a signature in its query."""
    scheme, between, rest = source.partition("://")
    if not between:
        return source
    place, question, _ = rest.partition("?")
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}{question}{'...' if question else ''}"


def _is_below(url: str, address: str) -> bool:
    one, above = _parsed(url), _parsed(address)
    if one is None or above is None or one.scheme != above.scheme or one.host != above.host:
        return False
    ports = [each.explicit_port or _PORTS[each.scheme] for each in (one, above)]
    if ports[0] != ports[1]:
        return False
    if one.scheme == "file":
        # A link may lead elsewhere: the place itself counts.
        return Path(one.path).resolve().is_relative_to(Path(above.path).resolve())
    return PurePosixPath(one.path).is_relative_to(PurePosixPath(above.path))


def _parsed(url: str) -> URL | None:
    """The URL, if nothing of it could be read in two ways: no password, no step upwards."""
    if any(not letter.isprintable() for letter in url) or "\\" in url:
        return None
    try:
        parsed = URL(url)
    except ValueError:
        return None
    if parsed.scheme not in _PORTS or parsed.user is not None or parsed.password is not None:
        return None
    path = "/" + url.partition("://")[2].partition("?")[0].partition("#")[0]
    decoded = URL.build(path=path, encoded=True).path
    if ".." in f"{path}/{decoded}".split("/") or any(ord(letter) < _FIRST_LETTER for letter in decoded):
        return None
    return parsed
