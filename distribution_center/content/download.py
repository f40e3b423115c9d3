"""Downloads a film from a provider (claim 2). An interrupted download resumes where it stopped (RFC 9110, 14)."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import msgspec
from aiohttp import ClientError, ClientPayloadError, ClientResponse, ClientSession, ClientTimeout, InvalidURL

from distribution_center.content.errors import DiskFull, DownloadFailed
from media_network.files import DISK_FULL

OnBytes = Callable[[int, int], None]
"""Takes the bytes received and the length of the whole, -1 while unknown."""

_CHUNK_BYTES = 1 << 20
_TIMEOUT = ClientTimeout(total=None, sock_connect=15, sock_read=30)
_FIRST_PAUSE_S = 0.25
_TRANSIENT = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _Validator(msgspec.Struct, frozen=True, kw_only=True):
    """By what the server knows whether the rest still belongs to what we have."""

    text: str
    """A strong entity tag or a date; empty: nothing to go by, so begin again."""
    length_bytes: int


@dataclass
class _Download:
    """One URL and what of it is on disk."""

    url: str
    part: Path
    length_bytes: int = -1
    status: int = 0
    reason: str = "no answer"

    @property
    def received_bytes(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    @property
    def note(self) -> Path:
        """Where the validator is kept."""
        return self.part.with_suffix(".validator")

    def validator(self) -> str:
        """What the server gave with the first bytes, if they are still here."""
        if not self.received_bytes or not self.note.exists():
            return ""
        try:
            validator = msgspec.json.decode(self.note.read_bytes(), type=_Validator)
        except msgspec.DecodeError:  # torn by a power cut
            return ""
        self.length_bytes = validator.length_bytes
        return validator.text

    def forget(self) -> None:
        """Begin again next time."""
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def error(self, *, resumes: bool) -> DownloadFailed:
        """Why it is not whole."""
        received_bytes = self.received_bytes
        return DownloadFailed(self.url, self.status, self.reason, received_bytes, self.length_bytes, resumes)


async def download(
    session: ClientSession, url: str, spool: Path, *, on_bytes: OnBytes, attempts: int = 5, name: str | None = None
) -> Path:
    """Download `url` into `spool` and answer with the path of the whole, durable file.

    Tries again up to `attempts` times in a row without a byte. Raises `DownloadFailed`: the part of an interrupted
    download stays for the next call, that of a refused one does not; `DiskFull`.
    """
    target = _target(url, spool, name)
    state = _Download(url, target.with_name(f"{target.name}.part"))
    in_vain = 0
    while True:
        before_bytes = state.received_bytes
        if await _attempt(session, state, on_bytes):
            state.part.rename(target)
            state.note.unlink(missing_ok=True)
            return target
        in_vain = in_vain + 1 if state.received_bytes <= before_bytes else 0
        if in_vain >= attempts:
            raise state.error(resumes=True)
        await asyncio.sleep(_FIRST_PAUSE_S * 2**in_vain)


def forget_download(url: str, spool: Path, name: str | None = None) -> None:
    """Let go of what an interrupted download has left. Raises OSError."""
    target = _target(url, spool, name)
    _Download(url, target.with_name(f"{target.name}.part")).forget()


def _target(url: str, spool: Path, name: str | None) -> Path:
    """Where the file will stand; the same URL is resumed there."""
    spool.mkdir(parents=True, exist_ok=True)
    return spool / (name or sha256(url.encode()).hexdigest()[:16])


async def _attempt(session: ClientSession, state: _Download, on_bytes: OnBytes) -> bool:
    """One request. True if the file is whole, False if it is worth another try."""
    headers = {"Accept-Encoding": "identity"}  # a range counts bytes of the representation as it is sent
    validator = state.validator()
    if validator:
        headers |= {"Range": f"bytes={state.received_bytes}-", "If-Range": validator}
    try:
        async with session.get(state.url, headers=headers, timeout=_TIMEOUT) as response:
            state.status, state.reason = response.status, f"HTTP {response.status} {response.reason}"
            if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
                _refused(state)
                return False
            await _receive(response, state, on_bytes)
    except InvalidURL as error:
        state.reason = f"not a URL: {error}"
        raise state.error(resumes=False) from error
    except ClientPayloadError:
        state.reason = "the body ended early"
    except (ClientError, TimeoutError) as error:
        state.reason = str(error) or type(error).__name__
    else:
        return state.length_bytes in {-1, state.received_bytes}
    return False


def _refused(state: _Download) -> None:
    """An answer without bytes: worth another try, or the end."""
    if state.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        state.forget()
    if state.status not in _TRANSIENT:
        error = state.error(resumes=False)
        state.forget()
        raise error


async def _receive(response: ClientResponse, state: _Download, on_bytes: OnBytes) -> None:
    """Append the body to what is there, or begin again if the server sends the whole."""
    begin = 0
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        begin = int(match[1]) if match else -1
    if begin not in {0, state.received_bytes}:
        state.forget()
        return
    if begin == 0:
        state.length_bytes = -1 if response.content_length is None else response.content_length
        _keep_validator(response, state)
    loop = asyncio.get_running_loop()
    with _room(state), state.part.open("ab") as file:
        file.truncate(begin)
        received_bytes = begin
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            await loop.run_in_executor(None, file.write, chunk)
            received_bytes += len(chunk)
            on_bytes(received_bytes, state.length_bytes)
        await loop.run_in_executor(None, _make_durable, file)


def _keep_validator(response: ClientResponse, state: _Download) -> None:
    tag = response.headers.get("ETag", "")
    text = response.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag
    state.note.write_bytes(msgspec.json.encode(_Validator(text=text, length_bytes=state.length_bytes)))


def _make_durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextlib.contextmanager
def _room(state: _Download) -> Iterator[None]:
    """Turn a full disk into its error."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        free_bytes = shutil.disk_usage(state.part.parent).free
        needed_bytes = max(free_bytes + 1, state.length_bytes - state.received_bytes)
        raise DiskFull(state.url, str(state.part.parent), needed_bytes, free_bytes) from error
