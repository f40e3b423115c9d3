"""`delete`, `deletions` and `dismiss`: programs that stations are to let go of."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from distribution_center.commands.conversation import POLL_S, Talk, ask_while_waiting, bar, center_option, talk_with
from media_network import center_names
from media_network.cli import UserError, echo_json, json_option
from media_network.interrupting import INTERRUPTED_STATUS
from media_network.messages.deletion import (
    ASK_DELETION,
    DELETE_PROGRAM,
    DISMISS_DELETION,
    LIST_DELETIONS,
    AskDeletion,
    DeleteProgram,
    DeletionRow,
    DeletionStage,
    DismissDeletion,
    ListDeletions,
)
from media_network.presenting import present, watch_option
from media_network.table import table_or

_HEADINGS = ("PROGRAM", "STATION", "STAGE", "WANTED BY")
_NONE = "No deletion waits; `distribution-center delete PROGRAM --station STATION` wishes one."
_STAYS = "The wish stays, and is carried out when that has changed; `distribution-center deletions` shows it."
_WAITS_S = 30.0
"""How long `delete` waits while the same is in the way."""
_FRACTIONS = {
    DeletionStage.WAITING: 0.1,
    DeletionStage.MOVING: 0.3,
    DeletionStage.DELETING: 0.7,
    DeletionStage.DONE: 1.0,
}


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@click.option("--station", required=True, help="Where.", shell_complete=center_names.stations)
@click.option("--wait/--no-wait", default=True, help="Return when it is deleted (default), or at once.")
@json_option("an object with `program`, `station`, `stage` and more")
@center_option
def delete(*, program: str, station: str, wait: bool, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Delete PROGRAM at a station, as soon as nobody there receives or copies it.

    Its order for that station ends. The last copy at a station is moved to another first, if the program is published
    or ordered; what nobody else holds stays: `withdraw` deletes a program everywhere.

    \b
    Examples:
      distribution-center delete big-buck-bunny-1f3a --station north
      distribution-center delete big-buck-bunny-1f3a --station home --no-wait
    """
    order = DeleteProgram(program=program, station=station)
    try:
        row = talk_with(center, state_dir, lambda talk: _delete(talk, order, wait=wait))
    except KeyboardInterrupt:
        click.echo("\nThe center goes on with it; `distribution-center deletions --watch` shows how far.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    if as_json:
        echo_json(row)
    elif row.stage is DeletionStage.DONE:
        click.echo(f"{program} is deleted at {station}")
    else:
        click.echo(f"{program} is to be deleted at {station}")


@click.command()
@watch_option
@json_option("a list of objects")
@center_option
def deletions(*, watch: bool, as_json: bool, center: str | None, state_dir: Path) -> None:
    """List the deletions that are not carried out, and why.

    \b
    Example:
      distribution-center deletions
    """
    present(lambda: talk_with(center, state_dir, _listed), _table, as_json=as_json, watch=watch)


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@click.option("--station", required=True, help="Where it was denied.", shell_complete=center_names.stations)
@json_option("an object with `program` and `station`")
@center_option
def dismiss(*, program: str, station: str, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Strike a denied deletion of PROGRAM off the list: `deletions` shows it no more.

    \b
    Example:
      distribution-center dismiss big-buck-bunny-1f3a --station north
    """
    order = DismissDeletion(program=program, station=station)
    talk_with(center, state_dir, lambda talk: talk.ask(DISMISS_DELETION, order))
    if as_json:
        echo_json({"program": program, "station": station})
    else:
        click.echo(f"The deletion of {program} at {station} is shown no more; it stays there")


def _table(rows: Sequence[DeletionRow]) -> str:
    return table_or(_NONE, _HEADINGS, [_cells(row) for row in rows], [_remarks(row) for row in rows])


def _cells(row: DeletionRow) -> tuple[str, ...]:
    return row.program, row.station, row.stage, "the station" if row.evicts else "an operator"


def _remarks(row: DeletionRow) -> list[str]:
    return [row.reason] if row.reason else []


async def _delete(talk: Talk, order: DeleteProgram, *, wait: bool) -> DeletionRow:
    loop = asyncio.get_running_loop()
    row = await talk.ask(DELETE_PROGRAM, order)
    what, since = (row.stage, row.reason), loop.time()
    with bar("deleting", reckons=False) as show:
        while wait and row.stage is not DeletionStage.DONE:
            if row.stage is DeletionStage.DENIED:
                raise UserError(
                    f"{order.program} is not deleted at {order.station}: {row.reason}",
                    "`distribution-center programs` shows where it is, and `dismiss` strikes this off the list.",
                )
            if (row.stage, row.reason) != what:
                what, since = (row.stage, row.reason), loop.time()
            if row.stage is DeletionStage.WAITING and row.reason and loop.time() - since > _WAITS_S:
                raise UserError(f"{order.program} is not deleted at {order.station} yet: {row.reason}", _STAYS)
            show(_FRACTIONS.get(row.stage, 0.0), f", {row.reason}" if row.reason else "")
            await asyncio.sleep(POLL_S)
            row = await ask_while_waiting(talk, ASK_DELETION, AskDeletion(program=order.program, station=order.station))
        show(_FRACTIONS.get(row.stage, 0.0))
    return row


async def _listed(talk: Talk) -> list[DeletionRow]:
    rows: list[DeletionRow] = []
    page = await talk.ask(LIST_DELETIONS, ListDeletions())
    rows += page.deletions
    while page.end is not None:
        page = await talk.ask(LIST_DELETIONS, ListDeletions(after=page.end))
        rows += page.deletions
    return rows
