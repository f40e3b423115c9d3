"""A program and the segments it is cut into.

A program is one constant-rate MPEG transport stream. It is cut byte-exactly where a PAT, a PMT and a random access
point stand in a row, so that its segments, one after the other, are the file: the SHA-256 of what a player received is
compared with `Program.sha256`.
"""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.word import Word

TS_PACKET_BYTES = 188
"""Length of a transport stream packet (ISO/IEC 13818-1, 2.4.3.2)."""

PACKETS_PER_DATAGRAM = 7
DATAGRAM_BYTES = PACKETS_PER_DATAGRAM * TS_PACKET_BYTES
"""Payload of a full media datagram: seven packets are what an Ethernet frame of 1500 bytes carries."""

ProgramId = Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$(?!\n)")]
"""Name of a program on every wire and in every path: lower case letters, digits and inner hyphens, at most 64."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""A SHA-256 digest in lower case hexadecimal."""

Rate = Annotated[int, Meta(gt=0, le=10**12)]
"""Bits a second."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


WARNINGS_MAX = 16
"""Most sentences that a program keeps about its film."""


class ProgramState(Word):
    """Life of a program (claim 11)."""

    INACTIVE = "inactive"
    """Whole at the home media station, not yet to be played."""
    PUBLISHED = "published"
    """In service: directors redirect consoles to it."""
    UNKNOWN = "unknown"
    """A state of a newer party: not in service here."""


class Segment(Struct, frozen=True, kw_only=True):
    """One segment of a program: what is stored, located, copied and streamed."""

    number: Count
    """Position in the program, from 0."""
    length_bytes: Annotated[int, Meta(gt=0, le=2**50, multiple_of=TS_PACKET_BYTES)]
    duration_ms: Annotated[int, Meta(gt=0, le=2**50)]
    sha256: Sha256

    @property
    def packets(self) -> int:
        """Transport stream packets in the segment."""
        return self.length_bytes // TS_PACKET_BYTES


LONGEST_SENTENCE = 200

Sentence = Annotated[str, Meta(min_length=1, max_length=LONGEST_SENTENCE)]
"""A short sentence for a person."""


class StreamKind(Word):
    """What a stream of a film is."""

    VIDEO = "video"
    AUDIO = "audio"
    UNKNOWN = "unknown"
    """A kind of a newer party."""


class StreamOrigin(Struct, frozen=True, kw_only=True):
    """What ingest did with one stream of the film that a program was made of."""

    kind: StreamKind
    codec: Annotated[str, Meta(max_length=40)]
    """Of the film's stream."""
    encoded_because: Annotated[tuple[Sentence, ...], Meta(max_length=WARNINGS_MAX)] = ()
    """Why it was encoded anew; empty: it was copied, every picture or sound as it was."""


class ProgramHeader(Struct, frozen=True, kw_only=True):
    """A program without its segments: what weighs the same however long it is."""

    program: ProgramId
    title: str
    rate_bps: Rate
    """Rate of the transport stream, null packets included."""
    sha256: Sha256
    """Digest of the whole program: of its segments, one after the other."""
    length_bytes: Annotated[int, Meta(gt=0, le=2**60, multiple_of=TS_PACKET_BYTES)]
    """Of the whole program."""
    segments: Annotated[int, Meta(gt=0, le=2**32)]
    """How many it is cut into."""


class Program(Struct, frozen=True, kw_only=True):
    """Program information, as the content manager gives it to the media stations (claim 2)."""

    program: ProgramId
    title: str
    rate_bps: Rate
    """Rate of the transport stream, null packets included."""
    sha256: Sha256
    """Digest of the whole program: of its segments, one after the other."""
    segments: Annotated[tuple[Segment, ...], Meta(min_length=1)]
    state: ProgramState = ProgramState.INACTIVE
    film_bytes: Count | None = None
    """Length of the film that it was made of."""
    streams: Annotated[tuple[StreamOrigin, ...], Meta(max_length=2)] = ()
    """What was copied of the film, and what was encoded."""
    warnings: Annotated[tuple[Sentence, ...], Meta(max_length=WARNINGS_MAX)] = ()
    """In what else than its coding it differs from the film."""

    @property
    def length_bytes(self) -> int:
        """Bytes of the whole program."""
        return sum(segment.length_bytes for segment in self.segments)

    @property
    def duration_ms(self) -> int:
        """Playing time."""
        return sum(segment.duration_ms for segment in self.segments)

    @property
    def header(self) -> ProgramHeader:
        """The program without its segments."""
        return ProgramHeader(
            program=self.program,
            title=self.title,
            rate_bps=self.rate_bps,
            sha256=self.sha256,
            length_bytes=self.length_bytes,
            segments=len(self.segments),
        )

    def advance(self, segment: int, packet: int, by_packets: int) -> tuple[int, int] | None:
        """The segment and packet that lie `by_packets` further on, or None past the end of the program."""
        packet += by_packets
        while segment < len(self.segments):
            if packet < self.segments[segment].packets:
                return segment, packet
            packet -= self.segments[segment].packets
            segment += 1
        return None
