"""`distribution-center`: run one, and order it to ingest, distribute and publish programs."""

import asyncio
import random
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from media_network.address import Address
from media_network.cli import (
    Command,
    UserError,
    echo_json,
    json_option,
    run_until_told,
    settings_option,
    state_dir_option,
)
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.content import (
    ASK_INGEST,
    DISTRIBUTE,
    INGEST,
    LIST_PROGRAMS,
    PUBLISH,
    AskIngest,
    Distribute,
    Ingest,
    IngestProgress,
    IngestStage,
    ListPrograms,
    ProgramRow,
    Publish,
)
from media_network.messages.registry import LIST_STATIONS, ListStations
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Refused
from media_network.settings import SettingsError, read_settings
from media_network.whereabouts import find_center

_Result = TypeVar("_Result")

_PATIENCE_S = 10.0
"""How long `distribute` waits while a station says what is in its way, and nothing moves."""
_ORDER_STAYS = "The order stays, and is carried out when that has changed; `distribution-center programs` shows it."

_POLL_S = 0.2
_STAGES = {
    IngestStage.DOWNLOADING: "downloading",
    IngestStage.CONVERTING: "converting ",
    IngestStage.STORING: "storing    ",
    IngestStage.UNKNOWN: "working    ",
}
_FINAL = frozenset({IngestStage.DONE, IngestStage.FAILED})


def center_option(command: Command) -> Command:
    """`--center` and `--state-dir`: where the center is."""
    center = click.option("--center", metavar="HOST:PORT", help="Address of the center, if not on this laptop.")
    return center(state_dir_option(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="media-station")
def main() -> None:
    """A distribution center: knows where every segment is, and brings programs to the stations."""


@main.command()
@settings_option("/etc/media-station/center.toml", "name, address, state, home")
def run(path: Path) -> None:
    """Run a distribution center.

    \b
    Example:
      distribution-center run --settings /etc/media-station/center.toml
    """
    from distribution_center.center import run_center
    from distribution_center.registry.repository import RepositoryError
    from distribution_center.settings import CenterSettings

    try:
        run_until_told(run_center(read_settings(path, CenterSettings), random.SystemRandom()))
    except SettingsError as error:
        raise UserError(str(error), "docs/operations/center.md describes every key.") from error
    except RepositoryError as error:
        raise UserError(
            str(error), f"Check `registry` in {path}; docs/operations/center.md has a section on it."
        ) from error
    except OSError as error:
        raise UserError(f"the center cannot run: {error}", f"Check `address` and `state` in {path}.") from error


@main.group()
def nms() -> None:
    """The network management system: sees every station, chassis and blade."""


@nms.command("run")
@settings_option("/etc/media-station/nms.toml", "centers, state, user")
def run_management(path: Path) -> None:
    """Run a network management system, and its page.

    \b
    Example:
      distribution-center nms run --settings /etc/media-station/nms.toml
    """
    from distribution_center.network_management.history import HistoryError
    from distribution_center.network_management.run import run_nms
    from distribution_center.network_management.settings import NmsSettings

    try:
        run_until_told(run_nms(read_settings(path, NmsSettings), random.SystemRandom()))
    except (SettingsError, HistoryError) as error:
        raise UserError(str(error), "docs/operations/nms.md describes every key.") from error
    except OSError as error:
        raise UserError(
            f"the network management system cannot run: {error}", f"Check the addresses in {path}."
        ) from error


@main.command()
@click.argument("source")
@click.option("--title", help="What people call it (default: the name of the file).")
@click.option("--segment-ms", default=2000, show_default=True, help="Length of a segment to aim at.")
@click.option(
    "--longest-segment-ms",
    type=int,
    help="Copy groups of pictures up to this (default: six segments, 12 s at most); encode longer ones.",
)
@json_option("an object with `program`, `warnings` and more")
@center_option
def ingest(
    *,
    source: str,
    title: str | None,
    segment_ms: int,
    longest_segment_ms: int | None,
    as_json: bool,
    center: str | None,
    state_dir: Path,
) -> None:
    """Bring a program from SOURCE, a file or an http(s) URL, to the home media station.

    Prints the program's name, by which everything else knows it; and, on the error output, what was encoded of the
    film and in what else the program differs from it.

    \b
    Example:
      distribution-center ingest clip.mp4 --title "Big Buck Bunny"
    """
    if "://" not in source:
        path = Path(source).absolute()
        if not path.exists():
            raise UserError(f"there is no file {source}", "Name a video file, or an http(s) URL.")
        source = _as_text(path)
    elif not source.startswith(("http://", "https://")):
        raise UserError(f"{source} is neither a file nor an http(s) URL", "Name a video file, or an http(s) URL.")
    order = Ingest(source=source, title=title, segment_ms=segment_ms, longest_segment_ms=longest_segment_ms)
    row = _talk(center, state_dir, lambda talk: _ingest(talk, order))
    if as_json:
        echo_json(row)
    else:
        for line in _told(row):
            click.echo(line, err=True)
        click.echo(row.program)


@main.command()
@click.argument("program")
@click.argument("stations", nargs=-1, required=True)
@click.option("--copies", default=2, show_default=True, help="On how many engines of each station.")
@click.option("--wait/--no-wait", default=True, help="Return when the stations have it (default), or at once.")
@json_option("an object with `program`, `stations` and more")
@center_option
def distribute(
    *,
    program: str,
    stations: tuple[str, ...],
    copies: int,
    wait: bool,
    as_json: bool,
    center: str | None,
    state_dir: Path,
) -> None:
    """Bring PROGRAM to STATIONS.

    \b
    Example:
      distribution-center distribute big-buck-bunny-1f3a north south
    """
    order = Distribute(program=program, stations=stations, copies=copies)
    row = _talk(center, state_dir, lambda talk: _distribute(talk, order, wait=wait))
    if as_json:
        echo_json(row)
    else:
        click.echo(f"{row.program} is at {', '.join(row.stations)}")


@main.command()
@click.argument("program")
@json_option("the program's information")
@center_option
def publish(*, program: str, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Start the service of PROGRAM at all stations.

    \b
    Example:
      distribution-center publish big-buck-bunny-1f3a
    """
    published = _talk(center, state_dir, lambda talk: talk.ask(PUBLISH, Publish(program), deadline_s=10.0))
    if as_json:
        echo_json(published)
    else:
        click.echo(f"{published.program} is {published.state}")


@main.command()
@json_option("a list of objects")
@center_option
def programs(*, as_json: bool, center: str | None, state_dir: Path) -> None:
    """List the programs, and where they are.

    \b
    Example:
      distribution-center programs --json
    """
    rows = _talk(center, state_dir, lambda talk: talk.ask(LIST_PROGRAMS, ListPrograms())).programs
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        held = ", ".join(f"{station} {count}/{row.segments}" for station, count in row.stations.items())
        click.echo(f"{row.program:40} {row.state:10} {row.duration_ms / 1000:8.1f} s {row.bytes / 1e6:8.1f} MB  {held}")
        for obstacle in row.obstacles.values():
            click.echo(f"  waits: {obstacle}")
        for warning in row.warnings:
            click.echo(f"    {warning}")


@main.command()
@json_option("a list of objects")
@center_option
def stations(*, as_json: bool, center: str | None, state_dir: Path) -> None:
    """List the media stations that are registered.

    \b
    Example:
      distribution-center stations
    """
    rows = _talk(center, state_dir, lambda talk: talk.ask(LIST_STATIONS, ListStations())).stations
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        home = "  home" if row.home else ""
        click.echo(
            f"{row.station:24} {row.director:21} epoch {row.epoch:<4} {row.engines:2} engines"
            f" {row.programs:5} programs  heard {row.silent_ms / 1000:.1f} s ago{home}"
        )


def _as_text(path: Path) -> str:
    """The path itself, or a file URI where its name is not UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return str(path)


def _told(row: ProgramRow) -> list[str]:
    """What became of a film, a line each."""
    lines = []
    for stream in row.streams:
        why = "; ".join(stream.encoded_because)
        lines.append(f"{stream.kind}: encoded anew, {why}" if why else f"{stream.kind}: copied, {stream.codec}")
    if row.film_bytes is not None and row.bytes > row.film_bytes:
        sizes = f"{row.bytes / 1e6:.1f} MB of {row.film_bytes / 1e6:.1f} MB"
        lines.append(f"the program is larger than its film ({sizes}): null packets keep its rate constant")
    return [*lines, *(f"warning: {warning}" for warning in row.warnings)]


class _Talk:
    """A conversation with one center, whose refusals end the command."""

    def __init__(self, http: HttpClient, center: Address) -> None:
        self._http = http
        self._center = center

    async def ask(self, verb: Verb[Request, Reply], request: Request, *, deadline_s: float = 5.0) -> Reply:
        answer = await self._http.ask(self._center, verb, request, deadline_s=deadline_s)
        if isinstance(answer, Refused):
            raise UserError(str(answer), "`distribution-center programs` and `stations` list what there is.")
        return answer


async def _ingest(talk: _Talk, order: Ingest) -> ProgramRow:
    progress = await talk.ask(INGEST, order)
    while progress.stage not in _FINAL:
        progress = await _watch_stage(talk, progress)
    if progress.stage is IngestStage.FAILED:
        raise UserError(progress.error or "the ingest failed", "No program was made of it.")
    rows = (await talk.ask(LIST_PROGRAMS, ListPrograms())).programs
    return _row_of(progress.program, rows)


async def _watch_stage(talk: _Talk, progress: IngestProgress) -> IngestProgress:
    """Follow the present stage to its end, with a bar where somebody watches."""
    stage = progress.stage
    with _bar(_STAGES[stage]) as bar:
        while progress.stage is stage:
            bar.update(round(progress.fraction * 1000) - bar.pos)
            await asyncio.sleep(_POLL_S)
            progress = await talk.ask(ASK_INGEST, AskIngest(progress.ingest))
        if progress.stage is not IngestStage.FAILED:
            bar.update(1000 - bar.pos)
    return progress


async def _distribute(talk: _Talk, order: Distribute, *, wait: bool) -> ProgramRow:
    row = await talk.ask(DISTRIBUTE, order)
    total = row.segments * len(order.stations)
    best, moved_at = -1, asyncio.get_running_loop().time()
    with _bar("distributing") as bar:
        while wait:
            held = sum(row.stations.get(station, 0) for station in order.stations)
            now = asyncio.get_running_loop().time()
            if held != best:
                best, moved_at = held, now
            in_the_way = next((row.obstacles[each] for each in order.stations if each in row.obstacles), None)
            if in_the_way and now - moved_at > _PATIENCE_S:
                raise UserError(f"{order.program} is not distributed: {in_the_way}", _ORDER_STAYS)
            bar.update(round(held / total * 1000) - bar.pos)
            if held == total:
                break
            await asyncio.sleep(_POLL_S)
            rows = (await talk.ask(LIST_PROGRAMS, ListPrograms())).programs
            row = _row_of(order.program, rows)
    return row


def _row_of(program: str | None, rows: tuple[ProgramRow, ...]) -> ProgramRow:
    row = next((row for row in rows if row.program == program), None)
    if row is None:
        raise UserError(
            f"{program} is not there any more", "It was given up meanwhile; `programs` shows what there is."
        )
    return row


def _bar(label: str) -> Any:
    return click.progressbar(length=1000, label=label, file=sys.stderr, show_eta=False)


def _talk(center: str | None, state_dir: Path, converse: Callable[[_Talk], Coroutine[Any, Any, _Result]]) -> _Result:
    address = _center_address(center, state_dir)

    async def conversation() -> _Result:
        async with HttpClient(random.SystemRandom()) as http:
            return await converse(_Talk(http, address))

    try:
        return asyncio.run(conversation())
    except NetworkError as error:
        raise UserError(
            str(error), "Is the center up? `chassis-emulator ps` shows a network on this laptop."
        ) from error


def _center_address(center: str | None, state_dir: Path) -> Address:
    if center:
        try:
            return Address.parse(center)
        except ValueError as error:
            raise UserError(str(error), "Name the center as HOST:PORT.") from error
    address = find_center(state_dir)
    if address is None:
        raise UserError(
            f"no distribution center has run in {state_dir}",
            "Bring a network up with `chassis-emulator up`, or name a center with --center.",
        )
    return address
