"""Downloads a film from a provider (claim 2). An interrupted download resumes where it stopped (RFC 9110, 14).

    <name>.part        what has come so far
    <name>.validator   by what the rest is known to belong to it, and how much of it no power cut can take

It goes on from what is durable: behind that a power cut leaves what it will, also zeros, and nobody could tell.
"""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import msgspec
from aiohttp import ClientError, ClientPayloadError, ClientResponse, ClientSession, ClientTimeout, InvalidURL

from distribution_center.content.errors import DiskFull, DownloadFailed
from media_network.durable_file import DurableFile
from media_network.files import DISK_FULL, DiskFiles

OnBytes = Callable[[int, int], None]
"""Takes the bytes received and the length of the whole, -1 while unknown."""

_CHUNK_BYTES = 1 << 20
DURABLE_EVERY_BYTES = 16 << 20
"""How much has to come again at most after a power cut, or a kill."""
_TIMEOUT = ClientTimeout(total=None, sock_connect=15, sock_read=30)
_FIRST_PAUSE_S = 0.25
_TRANSIENT = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _Validator(msgspec.Struct, frozen=True, kw_only=True):
    """By what the server knows whether the rest still belongs to what we have."""

    text: str
    """A strong entity tag or a date; empty: nothing to go by, so begin again."""
    length_bytes: int
    durable_bytes: int
    """Of the part."""


@dataclass
class _Download:
    """One URL and what of it is on disk."""

    url: str
    part: Path
    text: str = ""
    """See `_Validator`."""
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
        """What the server gave with the first bytes, if they are still here; the part is cut to what is durable."""
        kept = self._note_file.read().value if self.received_bytes else None
        if kept is None or not kept.text:
            return ""
        self.text, self.length_bytes = kept.text, kept.length_bytes
        if kept.durable_bytes < self.received_bytes:
            os.truncate(self.part, kept.durable_bytes)
        return kept.text if self.received_bytes else ""

    def keep_note(self, durable_bytes: int) -> None:
        """Keep the validator, and how much of the part is durable. Blocks; raises OSError."""
        note = _Validator(text=self.text, length_bytes=self.length_bytes, durable_bytes=durable_bytes)
        self._note_file.keep(msgspec.json.encode(note))

    @property
    def _note_file(self) -> "DurableFile[_Validator]":
        parse = partial(msgspec.json.decode, type=_Validator)
        return DurableFile(self.note, parse, rebuilt="the download begins again", keeps_before=False)

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
            DiskFiles().sync_folder(target.parent)
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
    DiskFiles().make_folder(spool)
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
    loop = asyncio.get_running_loop()
    with _room(state):
        if begin == 0:
            state.length_bytes = -1 if response.content_length is None else response.content_length
            state.text = _validator_of(response)
            # Before the first byte that belongs to it: an earlier one would vouch for what is written now.
            await loop.run_in_executor(None, state.keep_note, 0)
        with state.part.open("ab") as file:
            file.truncate(begin)
            try:
                await _append(response, state, file, begin, on_bytes)
            finally:
                await loop.run_in_executor(None, _make_durable, file, state)


async def _append(response: ClientResponse, state: _Download, file: BinaryIO, begin: int, on_bytes: OnBytes) -> None:
    loop = asyncio.get_running_loop()
    received_bytes = durable_bytes = begin
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        await loop.run_in_executor(None, file.write, chunk)
        received_bytes += len(chunk)
        if received_bytes - durable_bytes >= DURABLE_EVERY_BYTES:
            await loop.run_in_executor(None, _make_durable, file, state)
            durable_bytes = received_bytes
        on_bytes(received_bytes, state.length_bytes)


def _validator_of(response: ClientResponse) -> str:
    tag = response.headers.get("ETag", "")
    return response.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag


def _make_durable(file: BinaryIO, state: _Download) -> None:
    """First the bytes, then the word that they are there."""
    file.flush()
    os.fsync(file.fileno())
    state.keep_note(state.received_bytes)


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
