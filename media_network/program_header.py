"""What everybody may know of a program, however long it is (docs/protocols/program.md, "Header")."""

import hashlib
from typing import Annotated

from msgspec import Meta, Struct

from media_network.cut import Cut
from media_network.fields import Count, ProgramId, Rate, Sentence, Sha256
from media_network.packets import TICKS_PER_MS, TS_PACKET_BYTES
from media_network.segment_table import SEGMENTS_MAX
from media_network.word import Word

HEADER_BYTES_MAX = 64 * 1024
"""With all that it may say, in letters of four bytes."""

WARNINGS_MAX = 16
"""Most sentences that a program keeps about its film."""

TRACKS_MAX = RENDITIONS_MAX = ATTACHMENTS_MAX = 16
ATTACHMENT_BYTES_MAX = 1 << 20

TITLE_LENGTH_MAX = 200

Title = Annotated[str, Meta(max_length=TITLE_LENGTH_MAX)]
Codec = Annotated[str, Meta(max_length=40)]
Language = Annotated[str, Meta(max_length=35)]
"""As BCP 47 writes it."""

Milliseconds = Annotated[int, Meta(ge=0, lt=2**53)]
"""A time of day: since 1970, UTC."""


class StreamKind(Word):
    """What a stream of a film is."""

    VIDEO = "video"
    AUDIO = "audio"
    UNKNOWN = "unknown"
    """A kind of a newer party."""


class StreamOrigin(Struct, frozen=True, kw_only=True):
    """What ingest did with one stream of the film that a program was made of."""

    kind: StreamKind
    codec: Codec
    """Of the film's stream."""
    encoded_because: Annotated[tuple[Sentence, ...], Meta(max_length=WARNINGS_MAX)] = ()
    """Why it was encoded anew; empty: it was copied, every picture or sound as it was."""


class TrackKind(Word):
    """What a track is to a viewer."""

    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    UNKNOWN = "unknown"
    """A kind of a newer party."""


class Role(Word):
    """What a track is for."""

    MAIN = "main"
    COMMENTARY = "commentary"
    DESCRIPTION = "description"
    """Tells those who cannot see what is to be seen."""
    CAPTIONS = "captions"
    """Tells those who cannot hear what is to be heard."""
    UNKNOWN = "unknown"
    """A role of a newer party."""


class Track(Struct, frozen=True, kw_only=True):
    """One elementary stream of the transport stream."""

    kind: TrackKind
    codec: Codec
    """As RFC 6381 writes it: `avc1.64001f`."""
    language: Language | None = None
    """None: it is not known."""
    role: Role = Role.MAIN
    channels: Annotated[int, Meta(ge=0, le=64)] = 0
    """Of sound."""


class Picture(Struct, frozen=True, kw_only=True):
    """The video as it is shown."""

    width: Annotated[int, Meta(gt=0, le=65_535)]
    height: Annotated[int, Meta(gt=0, le=65_535)]
    frame_rate: tuple[Annotated[int, Meta(gt=0, lt=2**31)], Annotated[int, Meta(gt=0, lt=2**31)]] | None = None
    """Pictures a second as a fraction; None: they come as they like."""


class Rendition(Struct, frozen=True, kw_only=True):
    """What a player may choose beside the program: cut where it is, and stored and copied with it."""

    number: Annotated[int, Meta(gt=0, le=RENDITIONS_MAX)]
    kind: TrackKind
    codec: Codec
    language: Language | None = None
    role: Role = Role.MAIN
    channels: Annotated[int, Meta(ge=0, le=64)] = 0
    rate_bps: Rate
    length_bytes: Count
    table: Sha256


class AttachmentKind(Word):
    """What an attachment is."""

    PICTURE = "picture"
    """For the page of a person."""
    KEY_PICTURES = "key_pictures"
    """All key pictures of the program."""
    METADATA = "metadata"
    """As the provider wrote it."""
    UNKNOWN = "unknown"
    """A kind of a newer party."""


class Attachment(Struct, frozen=True, kw_only=True):
    """Bytes that belong to a program."""

    kind: AttachmentKind
    media_type: Annotated[str, Meta(max_length=100)]
    length_bytes: Annotated[int, Meta(ge=0, le=ATTACHMENT_BYTES_MAX)]
    sha256: Sha256
    language: Language | None = None


def attachment_of(kind: AttachmentKind, media_type: str, octets: bytes) -> tuple[Attachment, bytes]:
    """Bytes, and how a header names them."""
    sha256 = hashlib.sha256(octets).hexdigest()
    return Attachment(kind=kind, media_type=media_type, length_bytes=len(octets), sha256=sha256), octets


class ProgramHeader(Struct, frozen=True, kw_only=True):
    """A program without what grows with it. The segment table that it names proves all the rest."""

    program: ProgramId
    version: Count = 0
    """Number of the change that made this header; 0: no center has seen it yet."""
    changed_at_ms: Milliseconds = 0
    """When the center made that change."""
    title: Title
    rate_bps: Rate
    """Rate of the transport stream, null packets included."""
    peak_bps: Rate
    """Rate of the segment with most bits a second."""
    length_bytes: Annotated[int, Meta(gt=0, le=2**60, multiple_of=TS_PACKET_BYTES)]
    """Of the whole program."""
    duration_ticks: Annotated[int, Meta(gt=0, le=2**60)]
    segments: Annotated[int, Meta(gt=0, le=SEGMENTS_MAX)]
    """How many it is cut into."""
    sha256: Sha256
    """Digest of the whole program: of its segments, one after the other."""
    table: Sha256
    """Digest of its segment table."""
    picture: Picture | None = None
    tracks: Annotated[tuple[Track, ...], Meta(max_length=TRACKS_MAX)] = ()
    """What is in the transport stream, in the order of its program map."""
    renditions: Annotated[tuple[Rendition, ...], Meta(max_length=RENDITIONS_MAX)] = ()
    attachments: Annotated[tuple[Attachment, ...], Meta(max_length=ATTACHMENTS_MAX)] = ()
    film_bytes: Count | None = None
    """Length of the film that it was made of."""
    streams: Annotated[tuple[StreamOrigin, ...], Meta(max_length=2)] = ()
    """What was copied of the film, and what was encoded."""
    warnings: Annotated[tuple[Sentence, ...], Meta(max_length=WARNINGS_MAX)] = ()
    """In what else than its coding it differs from the film."""
    publish_at_ms: Milliseconds | None = None
    """It is in service from then on; None: that is not decided yet."""
    window_ends_ms: Milliseconds | None = None
    """It is not in service from then on; None: it stays."""

    def is_in_service(self, now_ms: int) -> bool:
        """Whether directors redirect consoles to it."""
        begun = self.publish_at_ms is not None and self.publish_at_ms <= now_ms
        return begun and (self.window_ends_ms is None or now_ms < self.window_ends_ms)

    @property
    def cut(self) -> Cut:
        """What its segments belong to."""
        return Cut(self.program, self.table)

    @property
    def duration_ms(self) -> int:
        """Playing time, to the nearest millisecond."""
        return round(self.duration_ticks / TICKS_PER_MS)
