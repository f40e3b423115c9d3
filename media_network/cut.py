"""A program as it was cut."""

from typing import NamedTuple

from media_network.fields import ProgramId, Sha256


class Cut(NamedTuple):
    """A name, and the digest of the segment table that the name stood for when this was cut.

    Segments belong to a cut: where a name is used again, or a film is cut otherwise, segments of before have the same
    numbers and are others. In JSON an array of the two.
    """

    program: ProgramId
    table: Sha256
