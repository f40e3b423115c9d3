"""What an archive holds, written into a folder: plain files below it, as many and as long as they may be."""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

FILES_MAX = 1000
RATIO_MAX = 100
"""Films cannot be packed: what grows by more is made to fill a disk."""
ALWAYS_ALLOWED_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20
_NAME_LENGTH_MAX = 255
_ENCRYPTED = 0x1
_ZIP, _TARS = b"PK\x03\x04", (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_USTAR_AT, _USTAR = 257, b"ustar"
HEAD_BYTES = 512
"""By so much it is seen what a file is."""


class BadArchive(Exception):
    """A sentence."""


class _Member(NamedTuple):
    name: str
    length_bytes: int
    file: IO[bytes]


def looks_like_archive(head: bytes) -> bool:
    """Whether a file that begins so may be one."""
    return head.startswith((_ZIP, *_TARS)) or head[_USTAR_AT : _USTAR_AT + len(_USTAR)] == _USTAR


def unpack(archive: Path, folder: Path, bytes_max: int) -> None:
    """Unpack it into an empty folder. Raises BadArchive, OSError; then what was written so far is there."""
    bytes_max = min(bytes_max, ALWAYS_ALLOWED_BYTES + RATIO_MAX * archive.stat().st_size)
    written_bytes = count = 0
    with _opened(archive) as members:
        for member in members:
            count += 1
            if count > FILES_MAX:
                raise BadArchive(f"it holds more than {FILES_MAX} files")
            if written_bytes + member.length_bytes > bytes_max:
                raise BadArchive(f"it would become more than {bytes_max} bytes")
            written_bytes += _write(member, folder)


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Member]]:
    try:
        with archive.open("rb") as file:
            if file.read(len(_ZIP)) == _ZIP:
                file.seek(0)
                with zipfile.ZipFile(file) as packed:
                    yield _of_zip(packed)
            else:
                file.seek(0)
                with tarfile.open(fileobj=file, mode="r|*") as packed_tar:
                    yield _of_tar(packed_tar)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise BadArchive("it is damaged, or ends early") from error
    except (NotImplementedError, RuntimeError) as error:  # zipfile: a way of packing, or an encryption, that it lacks
        raise BadArchive("it is packed in a way that nobody knows") from error
    except MemoryError as error:
        raise BadArchive("what it says of itself takes too much memory") from error


def _of_zip(packed: zipfile.ZipFile) -> Iterator[_Member]:
    for entry in packed.infolist():
        if entry.is_dir():
            continue
        if entry.flag_bits & _ENCRYPTED:
            raise BadArchive("it is encrypted")
        if (entry.external_attr >> 28) not in {0, 0o10}:  # of a Unix: the kind of the file, in the highest bits
            raise BadArchive(f"{_shown(entry.filename)} is a link, or no file")
        with packed.open(entry) as file:
            yield _Member(entry.filename, entry.file_size, file)


def _of_tar(packed: tarfile.TarFile) -> Iterator[_Member]:
    for entry in packed:
        if entry.isdir():
            continue
        file = packed.extractfile(entry) if entry.isreg() else None
        if file is None:
            raise BadArchive(f"{_shown(entry.name)} is a link, or no file")
        yield _Member(entry.name, entry.size, file)


def _write(member: _Member, folder: Path) -> int:
    """Write a member; no more of it than it has said."""
    path = _path_in(folder, member.name)
    left_bytes = member.length_bytes
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadArchive(f"{_shown(member.name)} comes twice") from error
    with open(descriptor, "wb") as file:
        while piece := member.file.read(min(_PIECE_BYTES, left_bytes + 1)):
            left_bytes -= len(piece)
            if left_bytes < 0:
                raise BadArchive(f"{_shown(member.name)} is longer than it says")
            file.write(piece)
    return member.length_bytes


def _path_in(folder: Path, name: str) -> Path:
    """Where a member goes: below the folder. Raises BadArchive."""
    steps = PurePosixPath(name).parts
    bad = (
        not steps
        or name.startswith("/")
        or "\\" in name
        or ".." in steps
        or not name.isprintable()
        or any(len(os.fsencode(step)) > _NAME_LENGTH_MAX for step in steps)
        or len(steps) > 16
    )
    if bad:
        raise BadArchive(f"{_shown(name)} leads out of it, or is no name")
    return folder.joinpath(*steps)


def _shown(name: str) -> str:
    return repr(name[:60])
