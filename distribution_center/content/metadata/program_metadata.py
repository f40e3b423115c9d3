"""Program information as a provider wrote it, and what of it was understood (docs/protocols/metadata.md)."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from media_network.program_header import ATTACHMENT_BYTES_MAX

METADATA_BYTES_MAX = ATTACHMENT_BYTES_MAX
"""They become an attachment of their program."""
FIELDS_MAX = 20_000
"""A field is at least five bytes of a document."""


class MetadataForm(StrEnum):
    """How metadata are written."""

    ADI = "adi"
    """CableLabs VOD Metadata 1.1."""
    SCTE_236 = "scte236"
    """Its successor: CableLabs Content 3.0, ANSI/SCTE 236."""
    JSON = "json"
    """The plain form of this project."""


class MetadataField(Struct, frozen=True, kw_only=True):
    """One value under its name, as it came. A name may come again."""

    asset: str
    """Class of the asset that it was said of: `title`, `movie`."""
    name: str
    value: str
    line: int = 0
    """Of the document; 0: its form has none."""


class MetadataAsset(Struct, frozen=True, kw_only=True):
    """Something that belongs to a program and is a file."""

    kind: str
    """Its class in the document's words: `movie`, `poster`, `preview`."""
    identity: str = ""
    file: str | None = None
    """Where it is: a name beside the metadata, or a URL."""
    length_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    line: int = 0


class ProgramMetadata(Struct, frozen=True, kw_only=True):
    """One program."""

    form: MetadataForm
    title: str | None = None
    summary: str | None = None
    rating: str | None = None
    year: str | None = None
    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """As BCP 47 writes them."""
    run_time_ms: int | None = None
    window_begins_ms: Annotated[int, Meta(ge=0)] | None = None
    """Since 1970, UTC: from then on it may be in service."""
    window_ends_ms: Annotated[int, Meta(ge=0)] | None = None
    """From then on it may not."""
    film: MetadataAsset | None = None
    pictures: tuple[MetadataAsset, ...] = ()
    """The one for a person's page first."""
    others: tuple[MetadataAsset, ...] = ()
    """Assets that this system makes nothing of: previews, trick files."""
    fields: tuple[MetadataField, ...] = ()
    """All of it, in the order in which it came, what was not understood too."""
    warnings: tuple[str, ...] = ()
