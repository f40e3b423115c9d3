"""Deletions as the registry keeps them: of a program at a station (claims 23 and 24)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from distribution_center.registry.deciding import Ruling
from media_network.cut import Cut


class Origin(StrEnum):
    """Who wants a deletion."""

    OPERATOR = "operator"
    EVICTION = "eviction"
    """The station itself, for room."""


class DeletionState(StrEnum):
    """How far one is. What has been carried out is kept no longer."""

    WISHED = "wished"
    GRANTED = "granted"
    """The station may have deleted it: its copies do not count until it has said what it holds since."""
    DENIED = "denied"
    """It stays until an operator wishes it anew."""


class Deletion(NamedTuple):
    """A deletion that is not carried out."""

    number: int
    """Of the program, in this registry."""
    program: str
    station: str
    origin: Origin
    state: DeletionState
    asked_at_ms: int
    """When the station asked last, or an operator."""
    destination: str | None
    """The station to which the program is moved first."""
    reason: str | None
    """Why it was denied."""


ELSEWHERE_MAX = 16
"""More stations than that are not counted: what so many have can be had again."""


class Surplus(NamedTuple):
    """What a station holds without an order, or in more copies than were ordered."""

    cut: Cut
    ordered: int
    """Copies; 0: there is no order."""
    elsewhere: int
    """How many other stations hold some of it, up to `ELSEWHERE_MAX`."""


class SurplusFound(NamedTuple):
    """A page: of so many programs that a station holds those of which it has more than was ordered."""

    surplus: tuple[Surplus, ...]
    until: str | None
    """The last program that was looked at; None: there are no more."""


class Room(NamedTuple):
    """A station with storage to spare."""

    station: str
    room_bytes: int
    """So much it may take in all, and has storage to spare yet."""


class DeletionTerms(NamedTuple):
    """What a decision goes by, beside the registry."""

    home: str
    heard_since_ms: int
    """A station that was not heard since then is out of sight."""
    roomy: Sequence[Room]
    """Stations with storage to spare for the program, as they have said; those with most of it first."""
    now_ms: int


@dataclass
class Asked:
    """What came of a question; put in when it is decided."""

    ruling: Ruling | None = None
    destination: str | None = None
