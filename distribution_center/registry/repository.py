"""What the media location registry remembers, whatever stores it.

Every write answers with a `Verdict` once it is durable: a refusal is a value. Reads see what was committed.

RepositoryError                the store could not do it
    RepositoryLost        nobody answered; a write may have been made: saying it again is safe
    RepositoryFailed      it answered that it cannot: a full disk, for instance
    RepositoryUnfit       it would lose what it acknowledges, or is another release's
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from media_network.cut import Cut
from media_network.messages.content import ProgramState
from media_network.program import Program
from media_network.program_header import ProgramHeader

PAGE = 100
"""So much is read at once, where there may be any number."""


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
    """Every segment is at the station. The order stands: it is carried out again when something is lost."""


class DistributionOrder(NamedTuple):
    """A distribution order of a program to a station."""

    state: OrderState
    copies: int
    """On how many engines of the station a segment shall be."""
    rate_bps: int | None = None
    """What copying for it may take; None: whatever there is."""


class WantedPrograms(NamedTuple):
    """What is asked of the programs that are listed."""

    search: str = ""
    """Is in their name or title, whatever the case."""
    state: ProgramState | None = None
    station: str | None = None
    """Holds some of them."""
    now_ms: int = 0
    """When they are in that state."""
    home: str = ""
    """The home station, whose order says nothing of the state."""


ALL_PROGRAMS = WantedPrograms()


class OpenOrder(NamedTuple):
    """A distribution order that is not carried out yet."""

    number: int
    """Of the program, in this registry."""
    program: str
    station: str
    copies: int
    rate_bps: int | None
    losses: int
    """Grows with every word of fewer copies than were ordered, be it that there were fewer before."""
    reached: int
    """With how many copies it was carried out before something was lost; 0: it never was."""


class Change(NamedTuple):
    """The newest change of a program."""

    version: int
    program: str
    header: ProgramHeader | None
    """None: it was withdrawn."""


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

    async def add_program(self, program: Program, attachments: Sequence[bytes] = ()) -> Verdict:
        """Add it with what is attached. `REPEATED` if it is there, `CONFLICT` if another one has its name."""

    async def recall_program(self, program: Program) -> Verdict:
        """Add what a station has told of; `CONFLICT` if its name is known, be it of one that was withdrawn."""

    async def withdraw_program(self, program: str) -> Verdict:
        """Forget a program with its orders and locations, but for the number of this change. `UNKNOWN_PROGRAM`."""

    async def publish_program(self, program: str, at_ms: int, until_ms: int | None = None) -> Verdict:
        """It is in service from then on, until then, milliseconds since 1970. `REPEATED`, `UNKNOWN_PROGRAM`."""

    async def renumber_above(self, version: int) -> Verdict:
        """Give every program a version above this one: stations have heard of it. `REPEATED` if newer ones are."""

    async def set_order(self, program: str, station: str, copies: int, rate_bps: int | None = None) -> Verdict:
        """Order the distribution of a program to a station, which may be unknown yet. An order of before is replaced.

        `REPEATED` if that is ordered, or was carried out; `UNKNOWN_PROGRAM`.
        """

    async def carried_out(self, order: OpenOrder, reached: int) -> Verdict:
        """An order is carried out with so many copies of each segment, unless something was lost since it was read.

        `REPEATED` if something was, or there is no such order any more.
        """

    async def reopen_short_orders(self, station: str, engines: int) -> Verdict:
        """A station has so many engines: orders for which it had too few are to be carried out again."""

    async def see_station(self, station: RegisteredStation) -> Verdict:
        """A station's director reports. `OLD_EPOCH`, `OLD_GENERATION`."""

    async def add_locations(
        self, cut: Cut, station: str, stamp: Stamp, segments: Iterable[int], copies: int = 1
    ) -> Verdict:
        """Segments are durable at so many engines of a station, whatever was known of these beside the inventory of
        this very epoch and generation.

        Those already known are no error. `OLD_EPOCH`, `OLD_GENERATION`, `NO_INVENTORY`, `UNKNOWN_STATION`,
        `NO_SUCH_SEGMENT`; `UNKNOWN_PROGRAM`, too, of a cut that is not what its program is now.
        """

    async def remove_locations(self, cut: Cut, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """Segments are no more at a station. Verdicts as for `add_locations`."""

    async def replace_station(
        self,
        station: str,
        stamp: Stamp,
        segments: Mapping[Cut, Sequence[Iterable[int]]],
        after: str | None = None,
        until: str | None = None,
        *,
        keeps: bool = False,
    ) -> Verdict:
        """A page of a station's inventory: of the programs beyond `after`, up to `until`, it holds just this:
        of each cut what is at one engine at least, what at two, and so on.

        `keeps`: of what it has whole it is to keep one copy, if nothing else is ordered.
        With the page that goes to the end, whose `until` is None, the inventory is known. Cuts that are not what their
        programs are now are left out.

        Verdicts as for `add_locations` without `NO_INVENTORY` and `UNKNOWN_PROGRAM`; `REPEATED` if the inventory of
        this generation is known: locations may have been added since.
        """

    async def programs(
        self, after: str = "", limit: int = PAGE, wanted: WantedPrograms = ALL_PROGRAMS
    ) -> list[ProgramHeader]:
        """Programs by name, a page of them: those that come after a name, and are wanted."""

    async def program(self, program: str) -> ProgramHeader | None:
        """One program."""

    async def changes(self, since: int, limit: int = PAGE) -> list[Change]:
        """What has changed after the change of that number, by number: a page of it."""

    async def newest_version(self) -> int:
        """Number of the newest change; 0: there was none."""

    async def part(self, sha256: str) -> bytes | None:
        """A part of a program by its digest: a segment table, an attachment."""

    async def open_orders(self, after: tuple[int, str] = (0, ""), limit: int = PAGE) -> list[OpenOrder]:
        """Orders that are not carried out, by number of program and station: a page of those that come after one."""

    async def count_open_orders(self) -> int:
        """How many orders are not carried out."""

    async def orders(self, program: str) -> dict[str, DistributionOrder]:
        """Distribution orders of a program by station."""

    async def stations(self) -> list[RegisteredStation]:
        """All stations, by name."""

    async def station(self, station: str) -> RegisteredStation | None:
        """One station."""

    async def stations_with(self, program: str, segment: int) -> list[str]:
        """Names of the stations that hold a segment, in order."""

    async def held(self, program: str, copies: int = 1) -> dict[str, int]:
        """How many segments of a program are at so many engines of each station; stations without any are left out."""

    async def locations(self, program: str) -> dict[str, frozenset[int]]:
        """Segments of a program by station; stations without any are left out."""


async def all_programs(repository: Repository) -> AsyncIterator[ProgramHeader]:
    """Every program by name, a page at a time. Raises `RepositoryError`."""
    page = await repository.programs()
    while page:
        for header in page:
            yield header
        page = await repository.programs(after=page[-1].program)
