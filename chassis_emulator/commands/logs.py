"""`chassis-emulator logs`: what the processes printed."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import state_dir_option

_FOLLOW_PAUSE_S = 0.2


class UnknownLog(EmulatorError):
    """No process of that name has a log."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = tuple(known)
        self.hint = f"There are logs of: {', '.join(known)}." if known else "Bring a network up first."

    def __str__(self) -> str:
        return f"There is no log of {self.name!r}."


@click.command()
@click.argument("name", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as the logs grow.")
@click.option(
    "--lines", "-n", type=click.IntRange(min=0), default=20, show_default=True, help="Lines of each log to begin with."
)
@state_dir_option
def logs(name: str | None, follow: bool, lines: int, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Show what a process printed, or all of them.

    NAME is one of those that `ps` lists, such as north/2, or `environment`.

    \b
    Example:
      chassis-emulator logs north/1 --follow
    """
    chosen = _choose_logs(StateFolder(state_dir), name)
    if not chosen:
        click.echo(f"Nothing has a log in {state_dir}.")
        return
    width = max((len(label) for label in chosen), default=0) if name is None else 0
    opened = [(f"{label:{width}} | " if width else "", path.open(errors="replace")) for label, path in chosen.items()]
    for prefix, log in opened:
        for line in log.readlines()[-lines:] if lines else []:
            _echo_line(prefix, line)
    while follow:
        new = sum(_echo_new_lines(prefix, log) for prefix, log in opened)
        if not new:
            time.sleep(_FOLLOW_PAUSE_S)


def _choose_logs(folder: StateFolder, name: str | None) -> dict[str, Path]:
    known = {path.stem.replace(".", "/"): path for path in sorted(folder.logs.glob("*.log"))}
    if name is None:
        return known
    if name not in known:
        raise UnknownLog(name, list(known))
    return {name: known[name]}


def _echo_new_lines(prefix: str, log: TextIO) -> int:
    lines = log.readlines()
    for line in lines:
        _echo_line(prefix, line)
    return len(lines)


def _echo_line(prefix: str, line: str) -> None:
    click.echo(f"{prefix}{line}", nl=not line.endswith("\n"))
