"""`mam programs`, `where` and `centers`: what the headquarters knows of its centers."""

from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from distribution_center.commands.conversation import Talk
from distribution_center.commands.mam_conversation import mam_option, talk_with_mam
from media_network.cli import UserError, WholeRange, echo_json, json_option
from media_network.messages.headquarters import (
    ASK_WHERE,
    ENTRIES_SHOWN_MAX,
    LIST_CENTERS,
    LIST_ENTRIES,
    AskWhere,
    CatalogueEntry,
    CenterRow,
    EntryKey,
    ListCenters,
    ListEntries,
    StationShare,
    Whereabouts,
)
from media_network.presenting import present, watch_option
from media_network.table import table_or

_CENTER_HEADINGS = ("CENTER", "ADDRESS", "REACHABLE", "HEARD", "NEWEST", "PROGRAMS", "DOWNLOADS")
_ENTRY_HEADINGS = ("PROGRAM", "CENTER", "TITLE", "LENGTH", "SIZE", "SAME FILM AT")
_NO_ENTRIES = "No center has told of such a program; `distribution-center mam order SOURCE --center NAME` brings one."
_PLACE_HEADINGS = ("PROGRAM", "CENTER", "STATION", "SEGMENTS", "AS OF")


@click.command("programs")
@click.option("--search", default="", metavar="WORD", help="Only those with WORD in their name or title.")
@click.option("--center", metavar="NAME", help="Only those of this center.")
@click.option("--limit", type=WholeRange(min=1), help="No more than so many (default: all).")
@json_option("a list of objects")
@mam_option
def list_programs(
    *, search: str, center: str | None, limit: int | None, as_json: bool, mam: str | None, state_dir: Path
) -> None:
    """List the programs of all centers. The same name at two centers may be two programs; SAME FILM tells by the bytes.

    \b
    Examples:
      distribution-center mam programs
      distribution-center mam programs --center east --search bunny --json
    """
    wanted = ListEntries(search=search, center=center)
    present(
        lambda: talk_with_mam(mam, state_dir, lambda talk: _entries(talk, wanted, limit)), _entry_table, as_json=as_json
    )


@click.command("where")
@click.argument("program")
@json_option("a list of objects, one a center")
@mam_option
def find_program(*, program: str, as_json: bool, mam: str | None, state_dir: Path) -> None:
    """Show at which stations of which centers PROGRAM is, by its name or the SHA-256 of its bytes.

    The headquarters knows it from the feeds of the centers; of one that is away it shows what that said last, and how
    long ago it was.

    \b
    Example:
      distribution-center mam where big-buck-bunny-1f3a
    """
    found = talk_with_mam(mam, state_dir, lambda talk: _where(talk, program))
    if not found:
        raise UserError(
            f"no center has told of a program {program!r}", "`distribution-center mam programs` lists them."
        )
    if as_json:
        echo_json(found)
    else:
        click.echo(_place_table(found))


@click.command("centers")
@watch_option
@json_option("a list of objects")
@mam_option
def list_centers(*, watch: bool, as_json: bool, mam: str | None, state_dir: Path) -> None:
    """List the centers: whether each is reachable, when it was heard, its newest change, its programs.

    \b
    Example:
      distribution-center mam centers
    """
    present(
        lambda: talk_with_mam(mam, state_dir, lambda talk: talk.ask(LIST_CENTERS, ListCenters())).centers,
        _center_table,
        as_json=as_json,
        watch=watch,
    )


async def _entries(talk: Talk, wanted: ListEntries, limit: int | None) -> list[CatalogueEntry]:
    found: list[CatalogueEntry] = []
    after: EntryKey | None = None
    more = True
    while more and (limit is None or len(found) < limit):
        left = ENTRIES_SHOWN_MAX if limit is None else min(ENTRIES_SHOWN_MAX, limit - len(found))
        page = await talk.ask(LIST_ENTRIES, _page(wanted, after, left))
        found += page.entries
        after = page.after
        more = after is not None
    return found


def _page(wanted: ListEntries, after: EntryKey | None, limit: int) -> ListEntries:
    return ListEntries(after=after, film=wanted.film, search=wanted.search, center=wanted.center, limit=limit)


async def _where(talk: Talk, program: str) -> list[Whereabouts]:
    entries = await _entries(talk, ListEntries(film=program), None)
    return [await _whereabouts(talk, entry.center, entry.program) for entry in entries]


async def _whereabouts(talk: Talk, center: str, program: str) -> Whereabouts:
    """All stations of a center that hold something of a program, page by page."""
    stations: list[StationShare] = []
    while True:
        after = stations[-1].station if stations else ""
        page = await talk.ask(ASK_WHERE, AskWhere(center=center, program=program, after=after))
        stations += page.stations
        if not page.more:
            return replace(page, stations=tuple(stations))


def _center_table(rows: Sequence[CenterRow]) -> str:
    cells = [
        (
            row.center,
            row.address,
            "yes" if row.reachable else "no",
            _ago(row.heard_ms),
            str(row.newest),
            str(row.programs),
            str(row.open_downloads),
        )
        for row in rows
    ]
    return table_or("", _CENTER_HEADINGS, cells, [[row.obstacle] if row.obstacle else [] for row in rows])


def _ago(heard_ms: int | None) -> str:
    return "never" if heard_ms is None else f"{heard_ms / 1000:.1f} s ago"


def _entry_table(entries: Sequence[CatalogueEntry]) -> str:
    cells = [
        (
            entry.program,
            entry.center,
            entry.title,
            f"{entry.duration_ms / 1000:.1f} s",
            f"{entry.bytes / 1e6:.1f} MB",
            ", ".join(_named(place, entry.program) for place in entry.same_film),
        )
        for entry in entries
    ]
    return table_or(_NO_ENTRIES, _ENTRY_HEADINGS, cells)


def _named(place: EntryKey, program: str) -> str:
    return place.center if place.program == program else f"{place.center} ({place.program})"


def _place_table(found: Sequence[Whereabouts]) -> str:
    """A line a station; below a center's, why it is not from now."""
    cells: list[tuple[str, ...]] = []
    remarks: list[list[str]] = []
    for each in found:
        as_of = _ago(each.age_ms)
        lines = [
            (each.program, each.center, share.station, f"{share.segments}/{share.of}", as_of) for share in each.stations
        ] or [(each.program, each.center, "", "", as_of)]
        cells += lines
        remarks += [[] for _ in lines[1:]] + [[each.obstacle] if each.obstacle else []]
    return table_or("", _PLACE_HEADINGS, cells, remarks)
