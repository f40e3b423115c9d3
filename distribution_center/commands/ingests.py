"""`ingest`, `ingests`, `watch-ingest` and `cancel-ingest`: how films become programs, and how far they are."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import click

from distribution_center.commands.conversation import POLL_S, Talk, ask_while_waiting, bar, center_option, talk_with
from media_network import center_names
from media_network.cli import UserError, WholeRange, echo_json, json_option
from media_network.http.errors import NetworkError
from media_network.interrupting import INTERRUPTED_STATUS
from media_network.messages.content import (
    ASK_INGEST,
    ASK_PROGRAM_ROW,
    CANCEL_INGEST,
    INGEST,
    LIST_INGESTS,
    AskIngest,
    AskProgramRow,
    CancelIngest,
    Ingest,
    IngestProgress,
    IngestRow,
    IngestStage,
    ListIngests,
    ProgramRow,
)
from media_network.presenting import present, watch_option
from media_network.table import table_or

_STAGES = {
    IngestStage.WAITING: "waiting    ",
    IngestStage.DOWNLOADING: "downloading",
    IngestStage.CONVERTING: "converting ",
    IngestStage.STORING: "storing    ",
    IngestStage.UNKNOWN: "working    ",
}
_HEADINGS = ("INGEST", "STAGE", "DONE", "LEFT", "BEGUN", "PROGRAM", "SOURCE")
_NOTHING = "There is no ingest under way, and none has ended since the center started."


@click.command()
@click.argument("source", shell_complete=center_names.files)
@click.option("--title", help="What people call it (default: the name of the file).")
@click.option(
    "--segment-ms",
    type=WholeRange(200, 60_000),
    default=2000,
    show_default=True,
    help="Length of a segment to aim at.",
)
@click.option(
    "--longest-segment-ms",
    type=WholeRange(200, 120_000),
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
    """Bring a program from SOURCE to the home media station: a film, or a package of its metadata and it.

    SOURCE is a file, a folder or an archive (tar, zip) of this machine, or a URL of a provider of the center's.

    Prints the program's name, by which everything else knows it; and, on the error output, what was encoded of the
    film and in what else the program differs from it. The center carries it out: it goes on when this command is
    stopped (`distribution-center ingests`).

    \b
    Examples:
      distribution-center ingest clip.mp4 --title "Big Buck Bunny"
      distribution-center ingest package.tar
    """
    if "://" not in source:
        path = Path(source).absolute()
        if not path.exists():
            raise UserError(f"there is no file {source}", "Name a video file, or a URL of a provider of the center's.")
        source = _as_text(path)
    order = Ingest(source=source, title=title, segment_ms=segment_ms, longest_segment_ms=longest_segment_ms)
    try:
        begun = talk_with(center, state_dir, lambda talk: talk.ask(INGEST, order))
    except KeyboardInterrupt:
        click.echo("\nThe center may have taken the order: `distribution-center ingests` shows it then.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    _see_it_through(begun, as_json=as_json, center=center, state_dir=state_dir)


@click.command()
@watch_option
@json_option("a list of objects")
@center_option
def ingests(*, watch: bool, as_json: bool, center: str | None, state_dir: Path) -> None:
    """List the ingests that are under way, and those that ended of late.

    \b
    Example:
      distribution-center ingests
    """
    present(
        lambda: talk_with(center, state_dir, _listed),
        lambda rows: _table(rows, time.time()),
        as_json=as_json,
        watch=watch,
    )


@click.command("watch-ingest")
@click.argument("number", metavar="INGEST", shell_complete=center_names.ingests)
@json_option("an object with `program`, `warnings` and more")
@center_option
def watch_ingest(*, number: str, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Follow INGEST to its end, as `ingest` does that ordered it.

    \b
    Example:
      distribution-center watch-ingest 5f1c09ab22de7781
    """
    progress = talk_with(center, state_dir, lambda talk: talk.ask(ASK_INGEST, AskIngest(number)))
    _see_it_through(progress, as_json=as_json, center=center, state_dir=state_dir)


@click.command("cancel-ingest")
@click.argument("number", metavar="INGEST", shell_complete=center_names.ingests)
@json_option("how far the ingest is: `stage` is `cancelled`, or how it had ended before")
@center_option
def cancel_ingest(*, number: str, as_json: bool, center: str | None, state_dir: Path) -> None:
    """End INGEST. Nothing of it stays, unless it was over already.

    \b
    Example:
      distribution-center cancel-ingest 5f1c09ab22de7781
    """
    order = CancelIngest(number)
    progress = talk_with(center, state_dir, lambda talk: talk.ask(CANCEL_INGEST, order, deadline_s=30.0))
    if as_json:
        echo_json(progress)
    elif progress.stage is IngestStage.CANCELLED:
        click.echo(f"{number} is cancelled" + (f", but {progress.error}" if progress.error else ""))
    else:
        program = f": {progress.program}" if progress.program else ""
        click.echo(f"{number} was over already, it is {progress.stage}{program}")


def _table(rows: Sequence[IngestRow], now_s: float) -> str:
    """The table; below an ingest that failed, why."""
    errors = [[row.progress.error] if row.progress.error else [] for row in rows]
    return table_or(_NOTHING, _HEADINGS, [_cells(row, now_s) for row in rows], errors)


def _cells(row: IngestRow, now_s: float) -> tuple[str, ...]:
    progress, ago_s = row.progress, max(0.0, now_s - row.begun_at_s)
    done = "" if progress.is_over else f"{progress.fraction:.0%}"
    ago = f"{ago_s / 60:.0f} min ago" if ago_s < 3600 else f"{ago_s / 3600:.0f} h ago"
    return progress.ingest, progress.stage, done, _left(progress.remaining_s), ago, progress.program or "", row.source


def _see_it_through(begun: IngestProgress, *, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Follow an ingest to its end, and say what became of it. Raises UserError."""
    try:
        row = talk_with(center, state_dir, lambda talk: _follow(talk, begun))
    except KeyboardInterrupt:
        click.echo(
            f"\nThe ingest goes on in the center. `distribution-center watch-ingest {begun.ingest}` shows it again,"
            f" `distribution-center cancel-ingest {begun.ingest}` ends it.",
            err=True,
        )
        raise SystemExit(INTERRUPTED_STATUS) from None
    if as_json:
        echo_json(row)
        return
    for line in _told(row):
        click.echo(line, err=True)
    click.echo(row.program)


async def _listed(talk: Talk) -> list[IngestRow]:
    rows: list[IngestRow] = []
    more = True
    while more:
        page = await talk.ask(LIST_INGESTS, ListIngests(rows[-1].progress.ingest if rows else None))
        rows += page.ingests
        more = page.more
    return rows


async def _follow(talk: Talk, progress: IngestProgress) -> ProgramRow:
    try:
        while not progress.is_over:
            progress = await _watch_stage(talk, progress)
    except NetworkError as error:
        hint = f"The center goes on with it when it is back: `distribution-center watch-ingest {progress.ingest}`."
        raise UserError(str(error), hint) from error
    if progress.stage is IngestStage.FAILED:
        raise UserError(progress.error or "the ingest failed", "No program was made of it.")
    if progress.stage is IngestStage.CANCELLED:
        raise UserError(f"{progress.ingest} was cancelled", "`distribution-center ingests` lists what there is.")
    return await talk.ask(ASK_PROGRAM_ROW, AskProgramRow(progress.program or ""))


async def _watch_stage(talk: Talk, progress: IngestProgress) -> IngestProgress:
    """Follow the present stage to its end, with a bar where somebody watches."""
    stage = progress.stage
    with bar(_STAGES[stage], reckons=False) as show:
        while progress.stage is stage:
            show(progress.fraction, f" {_left(progress.remaining_s):12}")
            await asyncio.sleep(POLL_S)
            progress = await ask_while_waiting(talk, ASK_INGEST, AskIngest(progress.ingest))
        if progress.stage not in (IngestStage.FAILED, IngestStage.CANCELLED):
            show(1.0, f" {'':12}")
    return progress


def _left(remaining_s: int | None) -> str:
    """How long a stage still takes, as a person says it."""
    if remaining_s is None:
        return ""
    if remaining_s < 60:
        return f"{remaining_s} s left"
    minutes = -(-remaining_s // 60)
    return f"{minutes} min left" if minutes < 120 else f"{minutes // 60} h left"


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
