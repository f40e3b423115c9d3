"""HLS playlists (RFC 8216), as far as a console needs them: which segments, in which order."""

from urllib.parse import SplitResult, urljoin, urlsplit

from chassis_emulator.media_console.errors import BadPlaylist, BadUrl
from media_network.address import Address
from media_network.segment_set import SEGMENTS_PER_PROGRAM_MAX

PLAYLIST_BYTES_MAX = 16 * 1024 * 1024
URL_LENGTH_MAX = 4096

_VARIANT = "#EXT-X-STREAM-INF"
_PARTIAL = {
    _VARIANT: "it lists other playlists, not segments",
    "#EXT-X-BYTERANGE": "its segments are parts of files (EXT-X-BYTERANGE)",
    "#EXT-X-MAP": "its segments need an initialization section (EXT-X-MAP)",
    "#EXT-X-KEY": "its segments are encrypted (EXT-X-KEY)",
}
"""Tags of playlists whose segments, one after the other, are not the program."""


def only_variant(body: bytes, url: str) -> str | None:
    """URL of the media playlist that a multivariant one leads to; None: it is none. Raises BadPlaylist, BadUrl."""
    lines = _lines(body, url)
    variants = sum(line.startswith(f"{_VARIANT}:") for line in lines)
    if not variants:
        return None
    uris = [line for line in lines if line and not line.startswith("#")]
    if variants != 1 or len(uris) != 1:
        raise BadPlaylist(url, f"it lists {variants} variants, and which one is the program it does not say")
    return join(url, uris[0])


def parse_playlist(body: bytes, url: str) -> tuple[str, ...]:
    """URLs of the segments, in order, of the playlist that came from `url`. Raises BadPlaylist, BadUrl."""
    lines = _lines(body, url)
    tags = {line.partition(":")[0] for line in lines if line.startswith("#EXT") and line != "#EXT-X-KEY:METHOD=NONE"}
    for tag, reason in _PARTIAL.items():
        if tag in tags:
            raise BadPlaylist(url, reason)
    if "#EXT-X-ENDLIST" not in tags:
        raise BadPlaylist(url, "it has no end (EXT-X-ENDLIST)")
    uris = [line for line in lines if line and not line.startswith("#")]
    if not 0 < len(uris) <= SEGMENTS_PER_PROGRAM_MAX:
        raise BadPlaylist(url, f"it has {len(uris)} segments")
    return tuple(join(url, uri) for uri in uris)


def _lines(body: bytes, url: str) -> list[str]:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadPlaylist(url, "it is not text") from None
    lines = [line.strip() for line in text.splitlines()]
    if not lines or lines[0].removeprefix("\ufeff") != "#EXTM3U":
        raise BadPlaylist(url, "it does not begin with #EXTM3U")
    return lines


def join(base: str, reference: str) -> str:
    """A URL that can be fetched from a reference, such as a segment's or a redirect's. Raises BadUrl."""
    try:
        url = urljoin(base, reference)
    except ValueError:
        raise BadUrl(reference, "it is not a URL") from None
    split_url(url)
    return url


def split_url(url: str) -> tuple[Address, str]:
    """Where to connect to, and what to ask for there. Raises BadUrl."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadUrl(url, "it is not a URL") from None
    reason = _objection(url, parts)
    if reason:
        raise BadUrl(url, reason)
    path = parts.path or "/"
    return Address(parts.hostname or "", 80 if port is None else port), f"{path}?{parts.query}" if parts.query else path


def _objection(url: str, parts: SplitResult) -> str:
    if len(url) > URL_LENGTH_MAX:
        return "it is too long"
    if parts.scheme != "http":
        return "only http:// is spoken here"
    if not parts.hostname or ":" in parts.hostname or not url.isprintable() or " " in url:
        return "it names no IPv4 host"
    return "it names no port to connect to" if parts.port == 0 else ""
