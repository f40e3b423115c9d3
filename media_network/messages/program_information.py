"""Program information (claims 2, 11; docs/protocols/program.md): headers come in a feed of numbered changes, parts are
resources under their digests.

The center numbers each change of a program; directors hear of them and tell their engines, and engines a new director.
Of each program the newest change is kept, so all changes after number 0 are the whole catalogue.
"""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId
from media_network.messages.verb import MIB, Caller, Done, Verb
from media_network.program_header import HEADER_BYTES_MAX, Milliseconds, ProgramHeader

FEED_WAIT_MAX_MS = 30_000

PART_PATH = "/parts/{sha256}"
"""Where a part of a program is a resource, at the media port of whoever has it."""


class PublishProgram(Struct, frozen=True):
    """Start the service of a program (claim 11)."""

    header: ProgramHeader


class AskChanges(Struct, frozen=True, kw_only=True):
    """Which programs have changed since? The whole catalogue are the changes since 0."""

    since: Count
    """Number of the last change that is known, with all before it."""
    wait_ms: Annotated[int, Meta(ge=0, le=FEED_WAIT_MAX_MS)] = 0
    """So long a center may take to answer while there is nothing new. One with too many that wait answers at once, as
    do engines."""


class ProgramChange(Struct, frozen=True, kw_only=True):
    """The newest change of a program."""

    version: Count
    program: ProgramId
    header: ProgramHeader | None = None
    """None: it was withdrawn, and whatever is kept of it goes."""


class Changes(Struct, frozen=True, kw_only=True):
    """Changes in the order of their numbers."""

    changes: tuple[ProgramChange, ...]
    until: Count
    """All changes up to this one are known to who knows these, and those before."""
    more: bool = False
    """There are later ones already."""
    now_ms: Milliseconds = 0
    """The center's time of day, as far as who answers has heard it."""


class KeepChanges(Struct, frozen=True, kw_only=True):
    """Keep program information, durably: this engine's blade may be the next director's."""

    epoch: Count
    changes: Changes


class AskProgram(Struct, frozen=True):
    """Ask for the program information that somebody keeps."""

    program: ProgramId


ASK_CHANGES = Verb(
    "content/changes",
    AskChanges,
    Changes,
    "What has changed in the catalogue, now or as soon as anything has (claims 2, 3).",
    callers=(Caller.DIRECTOR, Caller.HEADQUARTERS),
    reads=True,
    reply_bytes_max=MIB,
)

ASK_CENTER_PROGRAM = Verb(
    "content/program",
    AskProgram,
    ProgramHeader,
    "What the center knows of a program (claim 2).",
    callers=(Caller.CONSOLE, Caller.OPERATOR),
    reads=True,
    reply_bytes_max=HEADER_BYTES_MAX,
)

PUBLISH_PROGRAM = Verb(
    "director/publish",
    PublishProgram,
    Done,
    "Start the service of a program (claim 11).",
    callers=(Caller.CENTER,),
    request_bytes_max=HEADER_BYTES_MAX,
)

ASK_ENGINE_CHANGES = Verb(
    "engine/changes",
    AskChanges,
    Changes,
    "The changes that an engine has heard of, for a director that has not.",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=MIB,
)

ASK_STATION_PROGRAM = Verb(
    "director/program",
    AskProgram,
    ProgramHeader,
    "Program information that a station keeps, for a center that has lost its own.",
    callers=(Caller.CENTER,),
    reads=True,
    reply_bytes_max=HEADER_BYTES_MAX,
)

KEEP_CHANGES = Verb(
    "engine/keep-changes",
    KeepChanges,
    Done,
    "An engine keeps program information for its directors.",
    callers=(Caller.DIRECTOR,),
    request_bytes_max=MIB,
)
