"""Types of fields that many messages have, with the bounds that a peer's value is held to."""

from typing import Annotated

from msgspec import Meta

ProgramId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$(?!\n)",
        description="at most 64 lower case letters, digits and inner hyphens",
    ),
]
"""Name of a program on every wire and in every path: lower case letters, digits and inner hyphens, at most 64."""

Token = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$(?!\n)",
        description="at most 64 lower case letters, digits and inner hyphens",
    ),
]
"""A word that its sender has chosen, by which a thing is known on every wire and in every path."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="64 hexadecimal digits in lower case")]
"""A SHA-256 digest in lower case hexadecimal."""

Rate = Annotated[int, Meta(gt=0, le=10**12)]
"""Bits a second."""

TokenText = Annotated[str, Meta(max_length=2048)]
"""A token of an authentication server, or what should be one."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]

LONGEST_SENTENCE = 200

Sentence = Annotated[str, Meta(min_length=1, max_length=LONGEST_SENTENCE)]
"""A short sentence for a person."""

StationText = Annotated[str, Meta(max_length=64)]
"""Name of a media station, or what somebody takes for one."""

Zone = Annotated[
    str,
    Meta(
        pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)?$(?!\n)",
        description="at most 32 lower case letters, digits and inner hyphens, or empty",
    ),
]
"""Where a station is, in the words of who operates it: a city, a room, a rack. Empty: nobody has said."""

Fraction = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]

PathText = Annotated[str, Meta(min_length=1, description="a path")]
"""A path on this machine, in a file that a person writes."""
