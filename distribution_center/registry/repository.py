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

from distribution_center.registry.deletions import Asked, Deletion, DeletionTerms, SurplusFound
from distribution_center.registry.neighbours import Neighbours
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


class Holder(NamedTuple):
    """A station that holds some of what is wanted."""

    number: int
    """Of the station, in this registry."""
    station: str
    director: str
    held: int
    """How many of the wanted segments."""


class ProgramTally(NamedTuple):
    """At how many stations a program is."""

    stations: int
    """They hold some of it."""
    whole: int
    """They hold all of it."""


class CatalogueTally(NamedTuple):
    """How much there is to hold."""

    programs: int
    segments: int
    in_service: int
    """Programs."""


class FleetTally(NamedTuple):
    """How much is held."""

    stations: int
    segments: int
    """Counted once a station."""


class OrdersElsewhere(NamedTuple):
    """What is ordered of a program at stations that are not the home station."""

    some: bool
    """There are orders."""
    open: bool
    """One of them is not carried out."""


class NumberedProgram(NamedTuple):
    """A program, by its number in this registry."""

    number: int
    header: ProgramHeader
    whole: int
    """Stations that hold all of it."""


class NumberedStation(NamedTuple):
    """A station, by its number in this registry."""

    number: int
    station: RegisteredStation
    whole: int
    """Programs of which it holds all."""


class Withdrawn(NamedTuple):
    """A program that was withdrawn: its tombstone. Of those of earlier releases the name is all that is known."""

    program: str
    is_left: bool
    """Some station may still hold some of it."""
    title: str | None
    sha256: str | None
    segments: int | None
    length_bytes: int | None
    duration_ms: int | None
    rate_bps: int | None


class Change(NamedTuple):
    """The newest change of a program."""

    version: int
    program: str
    header: ProgramHeader | None
    """None: it was withdrawn."""
    is_damaged: bool = False
    """What the registry has as its header is none (and `header` is None): nothing can be said of it."""


class ShareChange(NamedTuple):
    """The newest change of how much of a program a station holds."""

    version: int
    """Number of the change, in a feed of its own."""
    program: str
    station: str
    segments: int
    """So many are there; 0: none any more."""
    of: int
    """So many the program has; 0: it was withdrawn."""


class FeedStanding(NamedTuple):
    """How far the feed of shares is."""

    begun_at_ms: int
    """Since when its numbers go on, milliseconds since 1970: who has followed one that began at another time has heard
    of what this registry has lost."""
    newest: int
    """Number of the newest change; 0: there was none."""


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


class HeaderUnreadable(RepositoryFailed):
    """What it has as the header of a program is none."""


class RepositoryUnfit(RepositoryError):
    """This store is not to be used."""


class Repository(Protocol):
    """The registry's store.

    Everything but `close` raises `RepositoryError`; writes raise `OverflowError`, too, for a number that no store takes
    (64 bits, signed).
    """

    recalls: bool
    """Whether programs that stations hold and it does not know are asked for: it has lost what it knew."""

    troubles: dict[str, str]
    """What is wrong with it, for people, by what it is about: `writes` fail, it is an older `copy`."""

    neighbours: Neighbours
    """Other processes of the center on this registry; and news of its feed, whoever made it grow."""

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
        """Give every program a version above this one: stations have heard of it. The feed of shares begins anew.

        `REPEATED` if newer ones are known.
        """

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

    async def hear_station(self, station: str, now_ms: int) -> Verdict:
        """A station was there at that time: what it holds counts when others ask whether they may delete."""

    async def wish_deletion(self, program: str, station: str) -> Verdict:
        """An operator wishes that a station deletes a program, when it may; durable until it is carried out, or denied.

        `REPEATED` if that is wished already; `UNKNOWN_PROGRAM`, `UNKNOWN_STATION`.
        """

    async def request_deletion(
        self, cut: Cut, station: str, stamp: Stamp, terms: DeletionTerms, asked: Asked
    ) -> Verdict:
        """A station asks whether it may delete a program (claim 23); `asked` gets the ruling.

        Leave ends its order for the program, and the copies that it holds count for nobody from then on.
        `REPEATED` if it had leave; verdicts as for `add_locations` otherwise.
        """

    async def deletion_done(self, cut: Cut, station: str, stamp: Stamp) -> Verdict:
        """A station has deleted a program: it holds nothing of it. Verdicts as for `add_locations`."""

    async def end_deletion(self, program: str, station: str) -> Verdict:
        """Nobody wishes a deletion any more. `REPEATED` if there is none, or the station has leave for it."""

    async def dismiss_deletion(self, program: str, station: str) -> Verdict:
        """Nobody needs to know any more that a deletion was denied. `REPEATED` if there is none, `CONFLICT` if it was
        not."""

    async def look_elsewhere(self, program: str, station: str) -> Verdict:
        """The station to which a program was to be moved before another deletes it does not take it."""

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

    async def shares(self, since: int, limit: int = PAGE) -> list[ShareChange]:
        """Of which programs other stations hold more or less after the change of that number, by number: a page."""

    async def share_feed(self) -> FeedStanding:
        """How far that feed is."""

    async def part(self, sha256: str) -> bytes | None:
        """A part of a program by its digest: a segment table, an attachment."""

    async def open_orders(self, after: tuple[int, str] = (0, ""), limit: int = PAGE) -> list[OpenOrder]:
        """Orders that are not carried out, by number of program and station: a page of those that come after one."""

    async def open_order(self, program: str, station: str) -> OpenOrder | None:
        """An order, if it is not carried out."""

    async def open_orders_at(self, station: str, after: int = 0, limit: int = PAGE) -> list[OpenOrder]:
        """Those of a station, by number of the program: a page of those after one."""

    async def count_open_orders(self) -> int:
        """How many orders are not carried out."""

    async def orders(self, program: str, after: str = "", limit: int = PAGE) -> dict[str, DistributionOrder]:
        """Distribution orders of a program by station: a page of those after one."""

    async def order(self, program: str, station: str) -> DistributionOrder | None:
        """One of them."""

    async def open_orders_of(self, program: str, limit: int = PAGE) -> dict[str, int]:
        """The first stations, by name, whose orders of a program are not carried out, and how much of it they hold."""

    async def orders_elsewhere(self, program: str, home: str) -> OrdersElsewhere:
        """Whether there are orders of a program, but for that of the home station."""

    async def deletions(
        self, after: tuple[int, str] = (0, ""), limit: int = PAGE, *, denied: bool = False
    ) -> list[Deletion]:
        """Deletions that are not carried out, by number of program and station; with `denied` those that are not going
        to be, too: a page of those that come after one."""

    async def deletion(self, program: str, station: str) -> Deletion | None:
        """One of them, denied or not."""

    async def surplus(self, station: str, after: str = "", limit: int = PAGE) -> SurplusFound:
        """Of what a station holds more than was ordered there: of so many of its programs, by number, after one."""

    async def stations(self, after: str = "", limit: int = PAGE, *, begins: str = "") -> list[RegisteredStation]:
        """Stations by name: a page of those after one; with `begins` of those whose names begin so."""

    async def whole_programs(self, stations: Sequence[str]) -> dict[str, int]:
        """Of how many programs each of these stations holds all; those that hold none are left out."""

    async def numbered_stations(self, after: int = 0, limit: int = PAGE) -> list[NumberedStation]:
        """Stations by number: a page of those after one."""

    async def numbered_programs(self, after: int = 0, limit: int = PAGE) -> list[NumberedProgram]:
        """Programs by number: a page of those after one."""

    async def numbered_holdings(
        self, after: tuple[int, int] = (0, -1), limit: int = PAGE
    ) -> list[tuple[tuple[int, int], int]]:
        """Segments at stations, by number of program and station: a page of those after one."""

    async def station_number(self, station: str) -> int | None:
        """Number of a station in this registry."""

    async def station_names(self, limit: int) -> list[str]:
        """Names of stations, the first of them."""

    async def station(self, station: str) -> RegisteredStation | None:
        """One station."""

    async def some_holders(self, program: str, wanted: Sequence[int], after: int) -> list[Holder]:
        """Stations that hold some of these segments, which are of one chunk: a page of those numbered above `after`.

        Of very many that hold others of the chunk, not all are looked at.
        """

    async def holders_among(self, program: str, wanted: Sequence[int], stations: Sequence[str]) -> list[Holder]:
        """Those of the named stations that hold some of these segments, which are of one chunk."""

    async def count_held(self, program: str, chunks: Sequence[int], stations: Sequence[int]) -> dict[int, int]:
        """How many segments of these chunks each of the stations of these numbers holds, if any."""

    async def held(self, program: str, copies: int = 1, after: str = "", limit: int = PAGE) -> dict[str, int]:
        """How many segments of a program are at so many engines of each station, by name: a page of those after one.

        Stations without any are left out.
        """

    async def held_at(self, program: str, station: str, copies: int = 1) -> int:
        """How many segments of a program are at so many engines of a station."""

    async def least_held(self, program: str, limit: int) -> dict[str, int]:
        """Of the stations that hold some of a program those that hold least of it, and how much."""

    async def whole_at(self, program: str, after: str = "", limit: int = PAGE) -> list[RegisteredStation]:
        """Stations that hold all of a program, by name: a page of those after one."""

    async def program_tally(self, program: str) -> ProgramTally:
        """At how many stations a program is."""

    async def catalogue_tally(self, now_ms: int) -> CatalogueTally:
        """How many programs there are, and are in service at that time."""

    async def fleet_tally(self) -> FleetTally:
        """How many stations there are, and how much they hold."""

    async def withdrawn(
        self, after: str = "", limit: int = PAGE, wanted: WantedPrograms = ALL_PROGRAMS
    ) -> list[Withdrawn]:
        """Programs that were withdrawn, by name: a page of those after one; of `wanted` state `WITHDRAWN` some are left
        of, of `DELETED` nothing is."""

    async def withdrawn_program(self, program: str) -> Withdrawn | None:
        """One of them."""

    async def left_at(self, program: str, limit: int) -> dict[str, int]:
        """Some stations that may still hold some of a program that was withdrawn, and how much."""

    async def locations(self, program: str) -> dict[str, frozenset[int]]:
        """Segments of a program by station; stations without any are left out."""


async def all_stations(repository: Repository) -> AsyncIterator[RegisteredStation]:
    """Every station by name, a page at a time. Raises `RepositoryError`."""
    page = await repository.stations()
    while page:
        for station in page:
            yield station
        page = await repository.stations(after=page[-1].station)
