"""Answers that need nobody to be waited for, written as the octets that go out (RFC 9112)."""

import gzip
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import BinaryIO, Protocol

from media_network.http.request_head import RequestHead


class FileAnswer(Protocol):
    """An answer whose body is a part of a file, which is in memory. Whoever sends it says how far it has come."""

    head: bytes
    file: BinaryIO
    offset: int
    end: int

    def sent(self, count: int) -> None:
        """So much more has been sent. Raises ConnectionError if it was nothing: the file has become shorter."""

    def over(self) -> None:
        """No more of it will be sent."""


AtOnce = Callable[[RequestHead], bytes | FileAnswer | None]
"""What is answered at once; None: whoever answers in the ordinary way has more to do, or more to say."""

_GZIP_LEVEL = 1
"""What is packed here holds up everybody else."""


def answer(status: HTTPStatus, fields: Mapping[str, str], body: bytes = b"") -> bytes:
    """A whole answer. The values of `fields` are ours, or were read by the grammar of a head: no line ends in them."""
    return answer_head(status, fields, len(body)) + body


def answer_head(status: HTTPStatus, fields: Mapping[str, str], length_bytes: int) -> bytes:
    """The head of an answer with so long a body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    text = f"{_status_line(status)}{lines}Content-Length: {length_bytes}\r\n{_dated(int(time.time()))}\r\n"
    return text.encode("ascii")


def packed(body: bytes) -> bytes:
    """A body in gzip; the same each time."""
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


@lru_cache
def _status_line(status: HTTPStatus) -> str:
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n"


@lru_cache(maxsize=1)
def _dated(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}\r\n"
