"""What the media location registry remembers, whatever stores it.

Every write answers with a `Verdict` once it is durable: a refusal is a value. Reads see what was committed.

RepositoryError                the store could not do it
    RepositoryLost        nobody answered; a write may have been made: saying it again is safe
    RepositoryFailed      it answered that it cannot: a full disk, for instance
    RepositoryUnfit       it would lose what it acknowledges, or is another release's
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from media_network.program import Program, ProgramState


class Verdict(StrEnum):
    """What became of a write. Only `ACCEPTED` changed anything."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """It had been done before."""
    OLD_EPOCH = "old epoch"
    """The station has a newer director."""
    OLD_GENERATION = "old generation"
    """The station has made a newer inventory."""
    NO_INVENTORY = "no inventory"
    """The inventory that this adds to or takes from has not come: it would replace what was added."""
    UNKNOWN_STATION = "unknown station"
    UNKNOWN_PROGRAM = "unknown program"
    NO_SUCH_SEGMENT = "no such segment"
    CONFLICT = "conflict"
    """A different program has this name."""


class Stamp(NamedTuple):
    """From when a station's message is. Older ones than the newest known are refused."""

    epoch: int
    """Of the station's director: rises when another blade takes over."""
    generation: int
    """Of the station's inventory: rises with every full report; begins again with an epoch."""


class RegisteredStation(Struct, frozen=True, kw_only=True):
    """A media station as its director reports it."""

    station: str
    director: str
    """Address of the media director, host:port."""
    media: str
    """Its media address."""
    stamp: Stamp


class OrderState(StrEnum):
    """How far a distribution order is."""

    ORDERED = "ordered"
    DISTRIBUTED = "distributed"
    """Every segment is at the station."""


class DistributionOrder(NamedTuple):
    """A distribution order of a program to a station."""

    state: OrderState
    copies: int
    """On how many engines of the station a segment shall be."""


@dataclass(eq=False)
class RepositoryError(Exception):
    """The store at fault, and why. `store` is a path or a server, without a password."""

    store: str
    reason: str

    def __str__(self) -> str:
        return f"the registry {self.store}: {self.reason}"


class RepositoryLost(RepositoryError):
    """Nobody answered. A write that was under way may have been made; every write may be said again."""


class RepositoryFailed(RepositoryError):
    """The store answered that it cannot, and nothing was written."""


class RepositoryUnfit(RepositoryError):
    """This store is not to be used."""


class Repository(Protocol):
    """The registry's store.

    Everything but `close` raises `RepositoryError`; writes raise `OverflowError`, too, for a number that no store takes
    (64 bits, signed).
    """

    recalls: bool
    """Whether programs that stations hold and it does not know are asked for: it has lost what it knew."""

    async def close(self) -> None:
        """Commit what is under way and let go of the files."""

    async def add_program(self, program: Program) -> Verdict:
        """`REPEATED` if it is there, `CONFLICT` if another one has its name."""

    async def remove_program(self, program: str) -> Verdict:
        """Forget a program with its orders and locations. `UNKNOWN_PROGRAM`."""

    async def set_state(self, program: str, state: ProgramState) -> Verdict:
        """`REPEATED`, `UNKNOWN_PROGRAM`."""

    async def set_order(self, program: str, station: str, state: OrderState, copies: int) -> Verdict:
        """Order the distribution of a program to a station, or note its progress. The station may be unknown yet.

        `REPEATED`, `UNKNOWN_PROGRAM`.
        """

    async def see_station(self, station: RegisteredStation) -> Verdict:
        """A station's director reports. `OLD_EPOCH`, `OLD_GENERATION`."""

    async def add_locations(self, program: str, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """Segments are durable at a station, beyond the inventory of this very epoch and generation.

        Those already known are no error. `OLD_EPOCH`, `OLD_GENERATION`, `NO_INVENTORY`, `UNKNOWN_STATION`,
        `UNKNOWN_PROGRAM`, `NO_SUCH_SEGMENT`.
        """

    async def remove_locations(self, program: str, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """Segments are no more at a station. Verdicts as for `add_locations`."""

    async def replace_station(self, station: str, stamp: Stamp, segments: Mapping[str, Iterable[int]]) -> Verdict:
        """A station's inventory: this, and nothing else, is there. Programs the registry does not know are left out.

        Verdicts as for `add_locations` without `NO_INVENTORY` and `UNKNOWN_PROGRAM`; `REPEATED` if the inventory of
        this generation is known: locations may have been added since.
        """

    async def programs(self) -> list[Program]:
        """All programs with their states, by name."""

    async def program(self, program: str) -> Program | None:
        """One program with its state."""

    async def orders(self, program: str) -> dict[str, DistributionOrder]:
        """Distribution orders of a program by station."""

    async def stations(self) -> list[RegisteredStation]:
        """All stations, by name."""

    async def station(self, station: str) -> RegisteredStation | None:
        """One station."""

    async def stations_with(self, program: str, segment: int) -> list[str]:
        """Names of the stations that hold a segment, in order."""

    async def locations(self, program: str) -> dict[str, frozenset[int]]:
        """Segments of a program by station; stations without any are left out."""
