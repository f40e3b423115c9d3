"""Why a source cannot become a program. Every error carries facts; its sentence names the thing and says what to do."""

from dataclasses import dataclass


@dataclass(eq=False)
class IngestError(Exception):
    """`source` was not ingested, and nothing of it was kept."""

    source: str


@dataclass(eq=False)
class UnreadableSource(IngestError):
    """The operating system does not let us read it."""

    reason: str

    def __str__(self) -> str:
        return f"{self.source} cannot be read ({self.reason}): check the path and its permissions"


class EmptySource(IngestError):
    """Zero bytes."""

    def __str__(self) -> str:
        return f"{self.source} is empty: copy or download it again"


@dataclass(eq=False)
class NotAFile(IngestError):
    """A directory, a pipe or a device: `kind` says which."""

    kind: str

    def __str__(self) -> str:
        if self.kind == "directory":
            return f"{self.source} is a directory without metadata: name a video file in it, or a package"
        return f"{self.source} is a {self.kind}: name a video file"


@dataclass(eq=False)
class EncryptedSource(IngestError):
    """Its pictures or sounds are encrypted."""

    def __str__(self) -> str:
        return f"{self.source} is encrypted (copy protection): name a file without it"


@dataclass(eq=False)
class UnknownColours(IngestError):
    """Its colours can be shown by players of one maker only; `coding` says whose."""

    coding: str

    def __str__(self) -> str:
        return (
            f"{self.source} has colours in {self.coding}, without a picture for other players: "
            "name a version in HDR10, HLG or SDR"
        )


@dataclass(eq=False)
class LostOnTheWay(IngestError):
    """Less or more came out than went in, and nobody knows why: `what` are pictures, sounds or seconds."""

    what: str
    went_in: int
    came_out: int

    def __str__(self) -> str:
        return (
            f"{self.source} was not ingested: of {self.went_in} {self.what} {self.came_out} came out; "
            "convert the file first, or report it"
        )


@dataclass(eq=False)
class BadMetadata(IngestError):
    """Its metadata cannot be used; `line` 0: the reason says where."""

    line: int
    reason: str

    def __str__(self) -> str:
        where = f", line {self.line}" if self.line else ""
        return f"{self.source}{where}: {self.reason}"


@dataclass(eq=False)
class BadPackage(IngestError):
    """An archive, or a folder, of which no program can be made."""

    reason: str

    def __str__(self) -> str:
        return f"{self.source} is no package that can be ingested: {self.reason}"


@dataclass(eq=False)
class NotMedia(IngestError):
    """In no container that we read, or without the container's index."""

    def __str__(self) -> str:
        return (
            f"{self.source} is not a video file or lost its beginning or end: "
            "name a whole MP4, Matroska, MPEG-TS, AVI or similar file"
        )


class NoVideo(IngestError):
    """A container without a video stream that can be decoded."""

    def __str__(self) -> str:
        return f"{self.source} has no video stream that can be decoded: name a file with moving pictures"


@dataclass(eq=False)
class TruncatedSource(IngestError):
    """Shorter than it says it is."""

    declared_ms: int
    found_ms: int

    def __str__(self) -> str:
        return (
            f"{self.source} is cut off: it declares {self.declared_ms / 1000:.1f} s and holds "
            f"{self.found_ms / 1000:.1f} s; copy or download it again"
        )


@dataclass(eq=False)
class DamagedSource(IngestError):
    """Something in the middle cannot be used; `at_ms` counts from the beginning of the source."""

    at_ms: int
    problem: str

    def __str__(self) -> str:
        return (
            f"{self.source} is damaged at {self.at_ms / 1000:.1f} s ({self.problem}): copy it again or convert it first"
        )


@dataclass(eq=False)
class DiskFull(IngestError):
    """The spool folder has no room; `needed_bytes` is at least what was missing."""

    folder: str
    needed_bytes: int
    free_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.source} does not fit into {self.folder}: {self.needed_bytes / 1e6:.1f} MB are needed and "
            f"{self.free_bytes / 1e6:.1f} MB are free; free some space or name another folder"
        )


@dataclass(eq=False)
class DownloadFailed(IngestError):
    """A URL did not give all its bytes. `status` is the last HTTP status, 0 if none came; `length_bytes` -1 if unknown.

    `resumes` tells whether what was received is kept for the next try.
    """

    status: int
    reason: str
    received_bytes: int
    length_bytes: int
    resumes: bool

    def __str__(self) -> str:
        length = f" of {self.length_bytes}" if self.length_bytes >= 0 else ""
        advice = "try again, it resumes where it stopped" if self.resumes else "check the URL"
        return f"{self.source} cannot be downloaded ({self.reason}; {self.received_bytes}{length} bytes came): {advice}"


@dataclass(eq=False)
class ForeignSource(IngestError):
    """Nobody's who is named in the settings; `sentence` names the legal ones."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(eq=False)
class OtherContent(IngestError):
    """What came, or would come, is not what was to come."""

    reason: str

    def __str__(self) -> str:
        return f"{self.source} is not what it should be ({self.reason}): ask its provider"


@dataclass(eq=False)
class AlreadyCut(IngestError):
    """The same film is a program already, cut into other segments. `segment_ms` is their usual length."""

    program: str
    segments: int
    segment_ms: int

    def __str__(self) -> str:
        return (
            f"{self.source} is here already as {self.program}, cut into {self.segments} segments of about "
            f"{self.segment_ms} ms: use that one, or ingest it under another title to have both"
        )


@dataclass(eq=False)
class NameTaken(IngestError):
    """Another film has the program's name."""

    program: str

    def __str__(self) -> str:
        return f"{self.source} cannot be called {self.program}, which is another program: give it another title"


@dataclass(eq=False)
class IngestCrashed(IngestError):
    """The ingest process ended without an answer; negative `exit_code`: the signal that ended it."""

    exit_code: int
    detail: str

    def __str__(self) -> str:
        return (
            f"the ingest process of {self.source} ended with exit code {self.exit_code} ({self.detail}): "
            "convert the file first, or report it"
        )


INGEST_ERRORS: dict[str, type[IngestError]] = {
    error.__name__: error
    for error in (
        UnreadableSource,
        EmptySource,
        NotAFile,
        EncryptedSource,
        UnknownColours,
        LostOnTheWay,
        NotMedia,
        NoVideo,
        TruncatedSource,
        DamagedSource,
        DiskFull,
        DownloadFailed,
        IngestCrashed,
    )
}
"""By name, to hand an error from one process to another."""
