"""Downloads a file from a provider (claim 2). An interrupted download resumes where it stopped.

    <name>.part        what has come so far
    <name>.validator   by what the rest is known to belong to it, and how much of it no power cut can take

It goes on from what is durable: behind that a power cut leaves what it will, also zeros, and nobody could tell.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from distribution_center.content.errors import DiskFull, DownloadFailed, OtherContent
from distribution_center.content.providers.remote import (
    UNKNOWN_LENGTH,
    Body,
    DownloadTrouble,
    ForeignPart,
    NotGiven,
    Remote,
)
from media_network.durable_file import DurableFile
from media_network.files import DISK_FULL, DiskFiles

OnBytes = Callable[[int, int], None]
"""Takes the bytes received and the length of the whole, -1 while unknown."""

DURABLE_EVERY_BYTES = 16 << 20
"""How much has to come again at most after a power cut, or a kill."""
FREE_BYTES_MIN = 64 << 20
"""A disk is not filled to the brim: the registry may be on it."""
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a file has to be; None where nobody has said so."""

    length_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    bytes_max: int = 1 << 40
    """More is not taken, whatever comes."""


ANYTHING = Expected()


class _Validator(msgspec.Struct, frozen=True, kw_only=True):
    """By what the provider knows whether the rest still belongs to what we have."""

    text: str
    """Empty: nothing to go by, so begin again."""
    length_bytes: int
    durable_bytes: int
    """Of the part."""


@dataclass
class _Download:
    """One file and what of it is on disk."""

    remote: Remote
    part: Path
    expected: Expected
    text: str = ""
    """See `_Validator`."""
    length_bytes: int = UNKNOWN_LENGTH
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
        """What the provider gave with the first bytes, if they are still here; the part is cut to what is durable."""
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
        return DownloadFailed(self.remote.url, self.status, self.reason, received_bytes, self.length_bytes, resumes)


async def download(
    remote: Remote,
    spool: Path,
    *,
    on_bytes: OnBytes,
    expected: Expected = ANYTHING,
    attempts: int = 5,
    name: str | None = None,
) -> Path:
    """Download a file into `spool` and answer with the path of the whole, durable file, which is what was expected.

    Tries again up to `attempts` times in a row without a byte. Raises `DownloadFailed`: the part of an interrupted
    download stays for the next call, that of a refused one does not; `OtherContent`; `DiskFull`.
    """
    target = _target(remote.url, spool, name)
    state = _Download(remote, target.with_name(f"{target.name}.part"), expected)
    try:
        await _until_whole(state, on_bytes, attempts)
        await asyncio.get_running_loop().run_in_executor(None, _require_expected, state)
    except (OtherContent, DiskFull):
        state.forget()  # it would come again as it is, and a disk that is full would stay so
        raise
    state.part.rename(target)
    state.note.unlink(missing_ok=True)
    DiskFiles().sync_folder(target.parent)
    return target


async def _until_whole(state: _Download, on_bytes: OnBytes, attempts: int) -> None:
    in_vain = 0
    while True:
        before_bytes = state.received_bytes
        if await _attempt(state, on_bytes):
            return
        in_vain = in_vain + 1 if state.received_bytes <= before_bytes else 0
        if in_vain >= attempts:
            raise state.error(resumes=True)
        await asyncio.sleep(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**in_vain))


def forget_download(url: str, spool: Path, name: str | None = None) -> None:
    """Let go of what an interrupted download has left. Raises OSError."""
    target = _target(url, spool, name)
    target.with_name(f"{target.name}.part").unlink(missing_ok=True)
    target.with_name(f"{target.name}.validator").unlink(missing_ok=True)


def _target(url: str, spool: Path, name: str | None) -> Path:
    """Where the file will stand; the same URL is resumed there."""
    DiskFiles().make_folder(spool)
    return spool / (name or hashlib.sha256(url.encode()).hexdigest()[:16])


async def _attempt(state: _Download, on_bytes: OnBytes) -> bool:
    """One try. True if the file is whole, False if it is worth another one."""
    validator = state.validator()
    try:
        async with state.remote.open(state.received_bytes if validator else 0, validator) as body:
            state.status, state.reason = 0, "it ended early"
            await _receive(body, state, on_bytes)
    except NotGiven as trouble:
        state.status, state.reason = trouble.status, trouble.reason
        error = state.error(resumes=False)
        state.forget()
        raise error from trouble
    except DownloadTrouble as trouble:
        state.status, state.reason = trouble.status, trouble.reason
        if isinstance(trouble, ForeignPart):
            state.forget()
        return False
    return state.length_bytes in {UNKNOWN_LENGTH, state.received_bytes}


async def _receive(body: Body, state: _Download, on_bytes: OnBytes) -> None:
    """Append the body to what is there, or begin again if the provider sends the whole."""
    begin = body.begin_bytes
    if begin not in {0, state.received_bytes}:
        raise ForeignPart("it goes on elsewhere than asked")
    if begin == 0:
        state.length_bytes, state.text = body.length_bytes, body.validator
    _require_length(state, state.length_bytes)
    loop = asyncio.get_running_loop()
    with _room(state):
        _require_room(state, state.length_bytes - begin)
        if begin == 0:
            # Before the first byte that belongs to it: an earlier one would vouch for what is written now.
            await loop.run_in_executor(None, state.keep_note, 0)
        with state.part.open("ab") as file:
            file.truncate(begin)
            try:
                await _append(body, state, file, begin, on_bytes)
            finally:
                await loop.run_in_executor(None, _make_durable, file, state)


async def _append(body: Body, state: _Download, file: BinaryIO, begin: int, on_bytes: OnBytes) -> None:
    loop = asyncio.get_running_loop()
    received_bytes = durable_bytes = begin
    async for piece in body.pieces:
        received_bytes += len(piece)
        if UNKNOWN_LENGTH < state.length_bytes < received_bytes:
            raise NotGiven(f"more comes than the {state.length_bytes} bytes that it said")
        if state.length_bytes == UNKNOWN_LENGTH:
            _require_no_more(state, received_bytes)
        await loop.run_in_executor(None, _write, file, piece)
        if received_bytes - durable_bytes >= DURABLE_EVERY_BYTES:
            await loop.run_in_executor(None, _make_durable, file, state)
            durable_bytes = received_bytes
            _require_room(state, 0)
        on_bytes(received_bytes, state.length_bytes)


def _require_length(state: _Download, length_bytes: int) -> None:
    """Before a byte is taken: what the provider says that it gives is what was expected."""
    expected_bytes = state.expected.length_bytes
    if length_bytes == UNKNOWN_LENGTH:
        return
    if expected_bytes is not None and length_bytes != expected_bytes:
        raise OtherContent(state.remote.url, f"it has {length_bytes} bytes, and its metadata say {expected_bytes}")
    _require_no_more(state, length_bytes)


def _require_no_more(state: _Download, length_bytes: int) -> None:
    most_bytes = state.expected.bytes_max
    if state.expected.length_bytes is not None:
        most_bytes = min(most_bytes, state.expected.length_bytes)
    if length_bytes > most_bytes:
        raise OtherContent(state.remote.url, f"it has more than the {most_bytes} bytes that it may have")


def _require_expected(state: _Download) -> None:
    """Afterwards: it is what was expected. Blocks, for as long as reading the file takes."""
    expected, received_bytes = state.expected, state.received_bytes
    if expected.length_bytes not in {None, received_bytes}:
        raise OtherContent(
            state.remote.url, f"it has {received_bytes} bytes, and its metadata say {expected.length_bytes}"
        )
    for algorithm, digest in (("sha256", expected.sha256), ("md5", expected.md5)):
        if digest is None:
            continue
        with state.part.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()  # noqa: B023 -- called at once
        if found != digest:
            raise OtherContent(state.remote.url, f"its {algorithm.upper()} is {found}, and its metadata say {digest}")


def _write(file: BinaryIO, piece: bytes) -> None:
    """So that the file is as long as what has come."""
    file.write(piece)
    file.flush()


def _make_durable(file: BinaryIO, state: _Download) -> None:
    """First the bytes, then the word that they are there."""
    os.fsync(file.fileno())
    state.keep_note(state.received_bytes)


def _require_room(state: _Download, needed_bytes: int) -> None:
    """Raises DiskFull."""
    free_bytes = shutil.disk_usage(state.part.parent).free
    if free_bytes - max(0, needed_bytes) < FREE_BYTES_MIN:
        raise DiskFull(state.remote.url, str(state.part.parent), max(0, needed_bytes) + FREE_BYTES_MIN, free_bytes)


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
        raise DiskFull(state.remote.url, str(state.part.parent), needed_bytes, free_bytes) from error
