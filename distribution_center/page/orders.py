"""The one verb that the page has beside the center's own: a file is announced before it is sent."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.messages.verb import Caller, Verb
from media_network.program_header import Title

TOKEN = "Page-Token"  # noqa: S105 -- the header's name
UPLOAD_PATH = "/uploads/{upload:[0-9a-f]{16}}"
"""Where the bytes of a file are PUT that was announced."""


class BeginUpload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A film, or a package in an archive, is about to be sent, and to be ingested."""

    name: Annotated[str, Meta(min_length=1, max_length=1000)]
    """Of the file, as the person has it."""
    length_bytes: Annotated[int, Meta(ge=1, lt=2**60)]
    title: Title | None = None
    """None: taken from its name, or from the metadata in it."""


class UploadBegun(Struct, frozen=True, kw_only=True):
    """There is room for it."""

    upload: str
    """Its bytes are to be PUT to `/uploads/<upload>`, within half a minute."""


BEGIN_UPLOAD = Verb(
    "uploads/begin",
    BeginUpload,
    UploadBegun,
    "Announce a film or package that is about to be uploaded (claim 11).",
    callers=(Caller.OPERATOR,),
)
