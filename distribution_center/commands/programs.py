"""`distribute`, `publish`, `programs` and `stations`: programs, and where they are."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from distribution_center.commands.conversation import POLL_S, Talk, ask_while_waiting, bar, center_option, talk_with
from distribution_center.commands.moment import Moment, in_words
from distribution_center.commands.naming import require_station
from media_network import center_names
from media_network.cli import FiniteRange, UserError, WholeRange, echo_json, json_option
from media_network.interrupting import INTERRUPTED_STATUS
from media_network.messages.content import (
    ASK_PROGRAM_ROW,
    DISTRIBUTE,
    LIST_PROGRAMS,
    PROGRAMS_SHOWN_MAX,
    PUBLISH,
    WITHDRAW,
    AskProgramRow,
    Distribute,
    ListPrograms,
    ProgramRow,
    ProgramState,
    Publish,
    Withdraw,
)
from media_network.messages.holdings import COPIES_MAX
from media_network.messages.places import ASK_PLACES, PLACES_SHOWN_MAX, AskPlaces, StationHolding
from media_network.messages.registry import LIST_STATIONS, ListStations, StationRow
from media_network.presenting import present, watch_option
from media_network.table import table_or

_PROGRAM_HEADINGS = ("PROGRAM", "STATE", "LENGTH", "SIZE", "SEGMENTS AT")
_NO_PROGRAMS = "There is no program yet; `distribution-center ingest FILE` makes one."
_NO_SUCH_PROGRAMS = "There is no such program; without options all are listed."
_STATION_HEADINGS = ("STATION", "DIRECTOR", "EPOCH", "ENGINES", "PROGRAMS", "HEARD", "")
_NO_STATIONS = "No media station has registered yet."
_STATES = [
    state.value
    for state in (
        ProgramState.STORED,
        ProgramState.INACTIVE,
        ProgramState.DISTRIBUTING,
        ProgramState.READY,
        ProgramState.PUBLISHED,
        ProgramState.EXPIRING,
        ProgramState.WITHDRAWN,
        ProgramState.DELETED,
    )
]
"""Those of programs: before them they are ingests. Of the last two are only listed when asked for."""
_NEARLY = 0.99
"""Of the way: every segment is there, and further copies are being made."""
_PATIENCE_S = 10.0
"""How long `distribute` waits while a station says what is in its way, and nothing moves."""
_ORDER_STAYS = "The order stays, and is carried out when that has changed; `distribution-center programs` shows it."


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@click.argument("stations", nargs=-1, required=True, shell_complete=center_names.stations)
@click.option(
    "--copies",
    default=2,
    show_default=True,
    type=WholeRange(1, COPIES_MAX),
    help="On how many engines of each station; on all of one that has fewer.",
)
@click.option("--rate", type=FiniteRange(0.001), metavar="MBIT", help="Mbit/s that copying may take at each.")
@click.option("--wait/--no-wait", default=True, help="Return when the stations have it (default), or at once.")
@json_option("an object with `program`, `stations` and more")
@center_option
def distribute(
    *,
    program: str,
    stations: tuple[str, ...],
    copies: int,
    rate: float | None,
    wait: bool,
    as_json: bool,
    center: str | None,
    state_dir: Path,
) -> None:
    """Bring PROGRAM to STATIONS, and keep it there.

    The order stands: copies that a station loses are made again, until the program is withdrawn.

    \b
    Examples:
      distribution-center distribute big-buck-bunny-1f3a north south
      distribution-center distribute big-buck-bunny-1f3a north --copies 3 --rate 200
    """
    rate_bps = round(rate * 1e6) if rate else None
    order = Distribute(program=program, stations=stations, copies=copies, rate_bps=rate_bps)
    try:
        row = talk_with(center, state_dir, lambda talk: _distribute(talk, order, wait=wait))
    except KeyboardInterrupt:
        click.echo("\nThe center goes on with it; `distribution-center programs --watch` shows how far.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    if as_json:
        echo_json(row)
    else:
        others = [f"{row.holding - len(row.stations)} more"] if row.holding > len(row.stations) else []
        click.echo(f"{row.program} is at {', '.join([*row.stations, *others])}")


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@click.option("--at", "at_ms", type=Moment(), help="When its service begins (default: now).")
@click.option("--until", "until_ms", type=Moment(), help="When its service ends (default: never).")
@json_option("an object with `program`, `state` and more")
@center_option
def publish(
    *, program: str, at_ms: int | None, until_ms: int | None, as_json: bool, center: str | None, state_dir: Path
) -> None:
    """Start the service of PROGRAM at all stations, now or at a time.

    Every station knows the time, and starts by itself, also one that is cut off from the center by then.

    \b
    Examples:
      distribution-center publish big-buck-bunny-1f3a
      distribution-center publish big-buck-bunny-1f3a --at 2026-12-24T20:00 --until +30d
    """
    order = Publish(program, at_ms, until_ms)
    published = talk_with(center, state_dir, lambda talk: talk.ask(PUBLISH, order, deadline_s=10.0))
    if as_json:
        echo_json(published)
        return
    is_in_service = published.state is ProgramState.PUBLISHED
    begins = f", in service from {in_words(at_ms)} on" if at_ms and not is_in_service else ""
    ends = f" until {in_words(published.window_ends_ms)}" if published.window_ends_ms else ""
    click.echo(f"{published.program} is {published.state}{begins}{ends}")


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@json_option("an object with `program`")
@center_option
def withdraw(*, program: str, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Remove PROGRAM from everywhere, the home media station too. Its name can be used again.

    Stations let go of it as soon as they hear of it, whoever is watching; one that is away, when it is back.

    \b
    Example:
      distribution-center withdraw big-buck-bunny-1f3a
    """
    talk_with(center, state_dir, lambda talk: talk.ask(WITHDRAW, Withdraw(program)))
    if as_json:
        echo_json({"program": program})
    else:
        click.echo(f"{program} is withdrawn")


@click.command()
@click.option("--search", default="", metavar="WORD", help="Only those with WORD in their name or title.")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option(
    "--station",
    metavar="STATION",
    help="Only those of which STATION holds something.",
    shell_complete=center_names.stations,
)
@click.option("--limit", type=WholeRange(min=1), help="No more than so many (default: all).")
@watch_option
@json_option("a list of objects")
@center_option
def programs(
    *,
    search: str,
    state: str | None,
    station: str | None,
    limit: int | None,
    watch: bool,
    as_json: bool,
    center: str | None,
    state_dir: Path,
) -> None:
    """List the programs by name, and where they are.

    \b
    Examples:
      distribution-center programs --json
      distribution-center programs --state published --station north --search bunny --limit 50
    """
    wanted = ListPrograms(search=search, state=ProgramState(state) if state else None, station=station)
    nothing = _NO_SUCH_PROGRAMS if search or state or station else _NO_PROGRAMS
    present(
        lambda: talk_with(center, state_dir, lambda talk: _listed(talk, wanted, limit)),
        lambda rows: _program_table(rows, nothing),
        as_json=as_json,
        watch=watch,
    )


@click.command()
@watch_option
@json_option("a list of objects")
@center_option
def stations(*, watch: bool, as_json: bool, center: str | None, state_dir: Path) -> None:
    """List the media stations that are registered.

    HEARD is how long ago its director was heard last.

    \b
    Example:
      distribution-center stations
    """
    present(
        lambda: talk_with(center, state_dir, _stations),
        _station_table,
        as_json=as_json,
        watch=watch,
    )


def _program_table(rows: Sequence[ProgramRow], nothing: str) -> str:
    """The table; below a program, what is in its way and what it was warned of."""
    return table_or(nothing, _PROGRAM_HEADINGS, [_program_cells(row) for row in rows], [_remarks(row) for row in rows])


def _remarks(row: ProgramRow) -> list[str]:
    making = [f"copies are being made at {each}" for each in row.to_be_carried_out if each not in row.obstacles]
    return [*making, *(f"waits: {each}" for each in row.obstacles.values()), *row.warnings]


def _program_cells(row: ProgramRow) -> tuple[str, ...]:
    held = [f"{station} {count}/{row.segments}" for station, count in row.stations.items()]
    others = row.holding - len(row.stations)
    if others > 0:
        held.append(f"{others} more")
    return row.program, row.state, f"{row.duration_ms / 1000:.1f} s", f"{row.bytes / 1e6:.1f} MB", ", ".join(held)


def _station_table(rows: Sequence[StationRow]) -> str:
    return table_or(_NO_STATIONS, _STATION_HEADINGS, [_station_cells(row) for row in rows])


def _station_cells(row: StationRow) -> tuple[str, ...]:
    return (
        row.station,
        row.director,
        str(row.epoch),
        str(row.engines),
        str(row.programs),
        f"{row.silent_ms / 1000:.1f} s ago",
        "home" if row.home else "",
    )


async def _distribute(talk: Talk, order: Distribute, *, wait: bool) -> ProgramRow:
    row = await talk.ask(DISTRIBUTE, order)
    total = row.segments * len(order.stations)
    best, moved_at = -1, asyncio.get_running_loop().time()
    with bar("distributing") as show:
        while wait:
            places = await _places(talk, order)
            held = sum(place.segments for place in places)
            now = asyncio.get_running_loop().time()
            if held != best:
                best, moved_at = held, now
            in_the_way = next((place.obstacle for place in places if place.obstacle), None)
            if in_the_way and now - moved_at > _PATIENCE_S:
                raise UserError(f"{order.program} is not distributed: {in_the_way}", _ORDER_STAYS)
            waiting = not all(place.carried_out for place in places)
            show(held / total if not waiting else min(held / total, _NEARLY))
            if held == total and not waiting:
                return await talk.ask(ASK_PROGRAM_ROW, AskProgramRow(order.program))
            await asyncio.sleep(POLL_S)
    return row


async def _places(talk: Talk, order: Distribute) -> list[StationHolding]:
    """How far an order is at each of its stations."""
    places: list[StationHolding] = []
    for first in range(0, len(order.stations), PLACES_SHOWN_MAX):
        asked = order.stations[first : first + PLACES_SHOWN_MAX]
        places += (await ask_while_waiting(talk, ASK_PLACES, AskPlaces(program=order.program, only=asked))).places
    return places


async def _stations(talk: Talk) -> list[StationRow]:
    rows: list[StationRow] = []
    more = True
    while more:
        page = await talk.ask(LIST_STATIONS, ListStations(after=rows[-1].station if rows else ""))
        rows += page.stations
        more = page.more
    return rows


async def _listed(talk: Talk, wanted: ListPrograms, limit: int | None) -> list[ProgramRow]:
    rows: list[ProgramRow] = []
    more = True
    while more:
        left = PROGRAMS_SHOWN_MAX if limit is None else min(PROGRAMS_SHOWN_MAX, limit - len(rows))
        page = await talk.ask(LIST_PROGRAMS, replace(wanted, after=rows[-1].program if rows else "", limit=left))
        rows += page.programs
        more = page.more and (limit is None or len(rows) < limit)
    if not rows and wanted.station is not None:
        await require_station(talk, wanted.station)
    return rows
