"""A package on a disk: which of its files are its metadata, its film and its picture."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from distribution_center.content.errors import BadPackage, NotAFile
from distribution_center.content.metadata.program_metadata import METADATA_BYTES_MAX, MetadataAsset, ProgramMetadata
from distribution_center.content.metadata.reading import looks_like_metadata, read_metadata
from media_network.pictures import picture_type
from media_network.program_header import ATTACHMENT_BYTES_MAX, Attachment, AttachmentKind, attachment_of

_NAMES_LOOKED_AT = 1000
_ENDINGS = (".xml", ".json")
_FIRST = "adi.xml"
_METADATA_TYPES = {b"<": "application/xml", b"{": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Package:
    """What a program is made of."""

    film: Path
    metadata: ProgramMetadata | None = None
    parts: tuple[tuple[Attachment, bytes], ...] = ()
    """What goes with it."""


@dataclass(frozen=True)
class Document:
    """Metadata, as they came and as they are understood."""

    octets: bytes
    understood: ProgramMetadata
    warnings: list[str] = field(default_factory=list)

    def attachment(self) -> tuple[Attachment, bytes]:
        """It as a part of its program."""
        first = self.octets.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
        return attachment_of(
            AttachmentKind.METADATA, _METADATA_TYPES.get(first, "application/octet-stream"), self.octets
        )


def read_document(path: Path, source: str, zone: tzinfo) -> Document:
    """Read a file of metadata. Raises BadMetadata, OSError."""
    with path.open("rb") as file:
        octets = file.read(METADATA_BYTES_MAX + 1)
    return Document(octets, read_metadata(octets, source, zone))


def document_in(folder: Path, source: str) -> Path:
    """The metadata in a folder, or in the only folder in it. Raises BadPackage, NotAFile: there are none; OSError."""
    for _ in range(2):
        found = list(_documents(folder))
        named = [path for path in found if path.name.lower() == _FIRST]
        if len(named or found) == 1:
            return (named or found)[0]
        if found:
            names = ", ".join(sorted(path.name for path in found)[:5])
            raise BadPackage(source, f"it has {len(found)} files of metadata ({names}): a package is one program")
        folders = [path for path in _entries(folder) if path.is_dir()]
        if len(folders) != 1:
            break
        folder = folders[0]
    raise NotAFile(source, "directory")


def file_beside(document: Path, asset: MetadataAsset, source: str) -> Path:
    """A file that metadata name. Raises BadPackage: it is not there, or not beside them."""
    name = asset.file or ""
    folder = document.parent.resolve()
    try:
        path = (folder / name).resolve()
        if path.is_relative_to(folder) and path.is_file():
            return path
    except (OSError, ValueError):
        pass  # a name that no file has
    raise BadPackage(source, f"its metadata name the {asset.kind} {name[:80]!r}, which is not beside them")


def check(path: Path, asset: MetadataAsset, source: str) -> None:
    """Whether a file is what its metadata say; reads all of it. Raises BadPackage, OSError."""
    length_bytes = path.stat().st_size
    if asset.length_bytes not in {None, length_bytes}:
        raise BadPackage(source, f"{path.name} has {length_bytes} bytes, and its metadata say {asset.length_bytes}")
    for algorithm, digest in (("sha256", asset.sha256), ("md5", asset.md5)):
        if digest is not None:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, algorithm).hexdigest()
            if found != digest:
                raise BadPackage(
                    source, f"the {algorithm.upper()} of {path.name} is {found}, and its metadata say {digest}"
                )


def picture_part(path: Path) -> tuple[Attachment, bytes] | str:
    """A picture as a part of its program; or why it is none, as a sentence. Raises OSError."""
    if path.stat().st_size > ATTACHMENT_BYTES_MAX:
        return f"its picture has more than {ATTACHMENT_BYTES_MAX} bytes and is left out"
    octets = path.read_bytes()
    if media_type := picture_type(octets):
        return attachment_of(AttachmentKind.PICTURE, media_type, octets)
    return "its picture is neither JPEG, PNG, GIF nor BMP and is left out"


def _documents(folder: Path) -> Iterator[Path]:
    for path in _entries(folder):
        if path.name.lower().endswith(_ENDINGS) and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if looks_like_metadata(file.read(512)):
                    yield path


def _entries(folder: Path) -> Iterator[Path]:
    """What is in a folder, as much of it as a package has."""
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= _NAMES_LOOKED_AT:
                return
            yield Path(entry.path)
