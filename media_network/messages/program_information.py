"""Program information within a station: published to its director, kept by its engines (claims 2, 11)."""

from msgspec import Struct

from media_network.messages.verb import MIB, PROGRAM_BYTES_MAX, Caller, Done, Verb
from media_network.program import Count, Program, ProgramId


class PublishProgram(Struct, frozen=True):
    """Start the service of a program (claim 11)."""

    program: Program


class AskCatalogue(Struct, frozen=True):
    """Ask which program information an engine keeps."""


class KeptCatalogue(Struct, frozen=True):
    """What an engine keeps, for a director that has lost its own and finds the center away."""

    programs: dict[ProgramId, str]
    """Digest of the program information, by program."""


class AskProgram(Struct, frozen=True):
    """Ask for the program information that an engine, or a director, keeps."""

    program: ProgramId


class KeepProgram(Struct, frozen=True, kw_only=True):
    """Keep program information, durably: this engine's blade may be the next director's."""

    epoch: Count
    program: Program


PUBLISH_PROGRAM = Verb(
    "director/publish",
    PublishProgram,
    Done,
    "Start the service of a program (claim 11).",
    callers=(Caller.CENTER,),
    request_bytes_max=PROGRAM_BYTES_MAX,
)

ASK_CATALOGUE = Verb(
    "engine/catalogue",
    AskCatalogue,
    KeptCatalogue,
    "The program information that an engine keeps.",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=4 * MIB,  # grows with the catalogue: 104 bytes a program at most, of 40 000
)

ASK_PROGRAM = Verb(
    "engine/program",
    AskProgram,
    Program,
    "Program information that an engine keeps.",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=PROGRAM_BYTES_MAX,
)

ASK_STATION_PROGRAM = Verb(
    "director/program",
    AskProgram,
    Program,
    "Program information that a station keeps, for a center that has lost its own.",
    callers=(Caller.CENTER,),
    reads=True,
    reply_bytes_max=PROGRAM_BYTES_MAX,
)

KEEP_PROGRAM = Verb(
    "engine/keep-program",
    KeepProgram,
    Done,
    "An engine keeps program information for its directors.",
    callers=(Caller.DIRECTOR,),
    request_bytes_max=PROGRAM_BYTES_MAX,
)
