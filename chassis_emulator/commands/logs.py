"""`chassis-emulator logs`: what the processes printed, as one."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from chassis_emulator.commands.log_reading import Entry, LogReader, in_order
from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import WholeRange, state_dir_option
from media_network.legal_values import did_you_mean

_FOLLOW_PAUSE_S = 0.2


class UnknownLog(EmulatorError):
    """No process of that name has a log."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = tuple(known)
        meant = did_you_mean(name, known)
        self.hint = f"There are logs of: {', '.join(known)}{meant}." if known else "Bring a network up first."

    def __str__(self) -> str:
        return f"There is no log of {self.name!r}."


@click.command()
@click.argument("name", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as the logs grow.")
@click.option(
    "--lines",
    "-n",
    type=WholeRange(min=0),
    default=20,
    show_default=True,
    help="Lines of each log to begin with.",
)
@state_dir_option
def logs(name: str | None, follow: bool, lines: int, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Show what a process printed, or what all of them did, in the order of time.

    NAME is one of those that `ps` lists, such as north/2, or `environment`.

    \b
    Example:
      chassis-emulator logs north/1 --follow
    """
    folder = StateFolder(state_dir)
    readers = {label: LogReader(label, path) for label, path in _choose_logs(folder, name).items()}
    if not readers:
        click.echo(f"Nothing has a log in {state_dir}.")
        return
    width = max(map(len, readers)) if name is None else 0
    _echo(in_order(entry for reader in readers.values() for entry in reader.last(lines)), width)
    while follow:
        time.sleep(_FOLLOW_PAUSE_S)
        if name is None:
            for label, path in _choose_logs(folder, None).items():
                readers.setdefault(label, LogReader(label, path))
        _echo(in_order(_new_entries(readers.values())), width)


def _choose_logs(folder: StateFolder, name: str | None) -> dict[str, Path]:
    known = {process_of(path): path for path in sorted(folder.logs.glob("*.log"))}
    if name is None:
        return known
    if name not in known:
        raise UnknownLog(name, list(known))
    return {name: known[name]}


def process_of(log: Path) -> str:
    """Whose log it is: `north.2.log` of `north/2`, `east.north.2.log` of `east.north/2`."""
    whole, _, part = log.stem.rpartition(".")
    return f"{whole}/{part}" if whole else part


def _new_entries(readers: Iterable[LogReader]) -> list[Entry]:
    entries: list[Entry] = []
    for reader in readers:
        with suppress(OSError):  # one that makes room for the next is there again in a moment
            entries += reader.new()
    return entries


def _echo(entries: Iterable[Entry], width: int) -> None:
    for entry in entries:
        for line in entry.lines:
            click.echo(f"{entry.label:{width}} | {line}" if width else line)
