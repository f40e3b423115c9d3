"""RTSP messages as octets (RFC 2326, 4 to 7 and 10.12): what comes is cut up, what is answered is put together. No I/O.

Whatever comes, no more is kept than one message within its bounds. What is no message ends the connection: nobody can
say where the next one would begin.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias

HEAD_BYTES_MAX = 8192
"""Of a request line and its headers."""
HEADERS_MAX = 64
BODY_BYTES_MAX = 4096
URI_CHARACTERS_MAX = 4096
INTERLEAVED_BYTES_MIN = 8
"""Nothing that is shorter is RTP or RTCP."""
READ_BYTES = 4096
"""What is read at once: others have their turn before more is."""

_END_OF_HEAD = b"\r\n\r\n"
_INTERLEAVED = b"$"
_INTERLEAVED_HEAD_BYTES = 4
_VERSION = "RTSP/1.0"


class RtspStatus(IntEnum):
    """Status codes that are used here (RFC 2326, 7.1.1)."""

    OK = 200
    MOVED_TEMPORARILY = 302
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    REQUEST_URI_TOO_LONG = 414
    PARAMETER_NOT_UNDERSTOOD = 451
    NOT_ENOUGH_BANDWIDTH = 453
    SESSION_NOT_FOUND = 454
    METHOD_NOT_VALID_IN_THIS_STATE = 455
    INVALID_RANGE = 457
    UNSUPPORTED_TRANSPORT = 461
    INTERNAL_SERVER_ERROR = 500
    NOT_IMPLEMENTED = 501
    SERVICE_UNAVAILABLE = 503
    RTSP_VERSION_NOT_SUPPORTED = 505
    OPTION_NOT_SUPPORTED = 551

    @property
    def phrase(self) -> str:
        """What it is called."""
        return _PHRASES.get(self, self.name.replace("_", " ").capitalize())


_PHRASES = {
    RtspStatus.OK: "OK",
    RtspStatus.REQUEST_URI_TOO_LONG: "Request-URI Too Large",
    RtspStatus.RTSP_VERSION_NOT_SUPPORTED: "RTSP Version not supported",
}


@dataclass(frozen=True, kw_only=True)
class RtspRequest:
    """A request; the names of its headers are in lower case."""

    method: str
    uri: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def number(self) -> int | None:
        """Its CSeq (12.17); None: it has none, or one that is none."""
        text = self.headers.get("cseq", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= len("4294967295") else None


class Interleaved(NamedTuple):
    """Binary data between the messages (10.12)."""

    channel: int
    data: bytes


class Unreadable(NamedTuple):
    """What came is no request; what is to be answered, if anything. Nothing is read after it."""

    status: RtspStatus


Heard: TypeAlias = RtspRequest | Interleaved | Unreadable


class RtspReader:
    """Cuts up what comes over one connection."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._head: RtspRequest | None = None
        """A request whose body has yet to come."""
        self._body_bytes = 0
        self._over = False

    @property
    def kept_bytes(self) -> int:
        """What has come of something that is not whole."""
        return len(self._waiting)

    def feed(self, octets: bytes) -> Iterator[Heard]:
        """What is whole, in order."""
        if self._over:
            return
        self._waiting += octets
        while (heard := self._next()) is not None:
            yield heard
            if isinstance(heard, Unreadable):
                self._over = True
                self._waiting.clear()
                return

    def _next(self) -> Heard | None:
        while not self._head:
            while self._waiting[:2] == b"\r\n":
                del self._waiting[:2]
            if self._waiting.startswith(_INTERLEAVED):
                return self._interleaved()
            end = self._waiting.find(_END_OF_HEAD, 0, HEAD_BYTES_MAX)
            if end < 0:
                return Unreadable(RtspStatus.BAD_REQUEST) if len(self._waiting) >= HEAD_BYTES_MAX else None
            lines = bytes(self._waiting[:end]).split(b"\r\n")
            del self._waiting[: end + len(_END_OF_HEAD)]
            try:
                self._take_head([line.decode("utf-8") for line in lines])
            except UnicodeDecodeError:
                return Unreadable(RtspStatus.BAD_REQUEST)
            except _BadHead as bad:
                return Unreadable(bad.status)
        return self._with_body(self._head)

    def _interleaved(self) -> Interleaved | Unreadable | None:
        if len(self._waiting) < _INTERLEAVED_HEAD_BYTES:
            return None
        length = self._waiting[2] << 8 | self._waiting[3]
        if length < INTERLEAVED_BYTES_MIN:
            return Unreadable(RtspStatus.BAD_REQUEST)
        end = _INTERLEAVED_HEAD_BYTES + length
        if len(self._waiting) < end:
            return None
        found = Interleaved(self._waiting[1], bytes(self._waiting[_INTERLEAVED_HEAD_BYTES:end]))
        del self._waiting[:end]
        return found

    def _take_head(self, lines: list[str]) -> None:
        """A request's is kept; an answer is passed over, for nothing is asked here. Raises _BadHead."""
        if not lines[0].startswith(f"{_VERSION} "):
            self._head = _request_of(lines)
            self._body_bytes = int(self._head.headers.get("content-length", "0"))
        elif _headers(lines[1:]).get("content-length", "0") != "0":
            raise _BadHead  # where it ends is not known

    def _with_body(self, head: RtspRequest) -> RtspRequest | None:
        if len(self._waiting) < self._body_bytes:
            return None
        body = bytes(self._waiting[: self._body_bytes])
        del self._waiting[: self._body_bytes]
        self._head = None
        return RtspRequest(method=head.method, uri=head.uri, headers=head.headers, body=body)


class _BadHead(Exception):
    """A head is none."""

    def __init__(self, status: RtspStatus = RtspStatus.BAD_REQUEST) -> None:
        super().__init__(status.phrase)
        self.status = status


def _request_of(lines: list[str]) -> RtspRequest:
    """A request whose body has yet to come. Raises _BadHead."""
    words = lines[0].split(" ")
    if len(words) != len(("method", "uri", "version")) or not _is_token(words[0]):
        raise _BadHead
    method, uri, version = words
    if not uri.isprintable():
        raise _BadHead
    if version != _VERSION:
        raise _BadHead(RtspStatus.RTSP_VERSION_NOT_SUPPORTED if version.startswith("RTSP/") else RtspStatus.BAD_REQUEST)
    if len(uri) > URI_CHARACTERS_MAX:
        raise _BadHead(RtspStatus.REQUEST_URI_TOO_LONG)
    headers = _headers(lines[1:])
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) <= len(str(BODY_BYTES_MAX))):
        raise _BadHead
    if int(length) > BODY_BYTES_MAX:
        raise _BadHead
    return RtspRequest(method=method, uri=uri, headers=headers)


def _headers(lines: list[str]) -> dict[str, str]:
    """By name; of one that comes twice the values are joined, as in HTTP. Raises _BadHead."""
    found: dict[str, str] = {}
    if len(lines) > HEADERS_MAX:
        raise _BadHead
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _is_token(name) or not value.replace("\t", " ").isprintable():
            raise _BadHead
        name, value = name.lower(), value.strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _is_token(text: str) -> bool:
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()


@dataclass(frozen=True, kw_only=True)
class RtspResponse:
    """An answer, as it is before it is known which request it answers."""

    status: RtspStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def octets(self, number: int | None) -> bytes:
        """On the wire, to the request of this number."""
        headers = dict(self.headers)
        if number is not None:
            headers = {"CSeq": str(number), **headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [
            f"{_VERSION} {self.status.value} {self.status.phrase}",
            *(f"{name}: {headers[name]}" for name in headers),
        ]
        return "\r\n".join((*lines, "", "")).encode() + self.body


def interleaved(channel: int, data: bytes) -> bytes:
    """A datagram between the messages (10.12)."""
    return _INTERLEAVED + bytes((channel,)) + len(data).to_bytes(2) + data
