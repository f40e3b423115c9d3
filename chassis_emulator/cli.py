"""`chassis-emulator`: a network of media stations on this laptop."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
import msgspec

from chassis_emulator.control import PROCESSES, ListProcesses, ProcessRow, Readiness, order
from chassis_emulator.data import DEFAULT_EXAMPLE
from chassis_emulator.errors import EmulatorError, UnknownLog
from chassis_emulator.launch import DAEMON, bring_up, describe_missing, take_down, wait_until_serving
from chassis_emulator.state_folder import ENVIRONMENT_VARIABLE, StateFolder, default_state_folder
from chassis_emulator.table import format_table
from chassis_emulator.topology import find_topology, read_topology

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FOLLOW_PAUSE_S = 0.2


class UserError(click.ClickException):
    """One sentence for a person, and a hint what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint

    def show(self, file: Any = None) -> None:  # noqa: ARG002 -- the signature is click's
        """Print both to standard error."""
        click.echo(f"Error: {self.message}", err=True)
        if self.hint:
            click.echo(f"Hint: {self.hint}", err=True)


class _Commands(click.Group):
    """The one place where what went wrong becomes a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EmulatorError as error:
            raise UserError(str(error), error.hint) from error


def state_dir_option(command: _Command) -> _Command:
    """`--state-dir`, which every command takes that talks to a laptop network."""
    return click.option(
        "--state-dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_read_state_dir,
        help=f"Folder of the network's state (default: {ENVIRONMENT_VARIABLE}, or media-station under XDG_STATE_HOME).",
    )(command)


def _read_state_dir(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> StateFolder:
    return StateFolder((value or default_state_folder(os.environ, Path.home())).absolute())


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="media-station")
def main() -> None:
    """A network of media stations on this laptop: every blade a real process, on its own loopback address."""


@main.command()
@click.argument("topology", default=DEFAULT_EXAMPLE)
@click.option("--wait/--no-wait", default=True, help="Return when every station serves (default), or at once.")
@click.option("--timeout", "timeout_s", default=60.0, show_default=True, help="Seconds to wait for that.")
@state_dir_option
@click.pass_context
def up(context: click.Context, topology: str, wait: bool, timeout_s: float, folder: StateFolder) -> None:  # noqa: FBT001 -- click passes options by name
    """Bring up the network that TOPOLOGY describes: a YAML file, or the name of an example.

    If it is up already, whatever part of it has ended is started again.

    \b
    Keys: network, name, center {name, home}, stations [{name, slots,
    channels, capacity_bps, baud_rate, profile}].

    \b
    Example:
      chassis-emulator up two-stations
    """
    daemon: Sequence[str] = context.obj or DAEMON
    wanted = read_topology(find_topology(topology))
    revived = bring_up(folder, wanted, daemon)
    if wait:
        progress = _Progress(sys.stderr)
        try:
            wait_until_serving(folder, timeout_s, progress.show)
        finally:
            progress.end()
    blades = sum(station.slots for station in wanted.stations)
    outcome = "is up" if revived is None else "was up already"
    click.echo(f"{wanted.name} {outcome}: {len(wanted.stations)} stations, {blades} blades, state in {folder.path}")
    if revived:
        click.echo(f"Started again: {', '.join(revived)}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects, one a process.")
@state_dir_option
def ps(as_json: bool, folder: StateFolder) -> None:  # noqa: FBT001 -- click passes options by name
    """List the processes of the network.

    \b
    Example:
      chassis-emulator ps --json
    """
    rows = order(folder, PROCESSES, ListProcesses()).processes
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    click.echo(format_table(_PS_HEADINGS, [_ps_cells(row) for row in rows]))


_PS_HEADINGS = ("NAME", "ROLE", "STATE", "PID", "ADDRESS", "HTTP", "SERIAL", "MEMORY")


def _ps_cells(row: ProcessRow) -> tuple[str, ...]:
    state = row.state if row.exit_code is None else f"{row.state} ({row.exit_code})"
    memory = f"{row.pss_bytes / 1024 / 1024:.1f} MiB" if row.pss_bytes else ""
    return (
        row.name,
        row.role.replace("_", " "),
        state,
        str(row.pid or ""),
        row.address,
        row.http or "",
        row.serial or "",
        memory,
    )


@main.command()
@state_dir_option
def down(folder: StateFolder) -> None:
    """End every process of the network. Its state stays, for the next `up`.

    \b
    Example:
      chassis-emulator down
    """
    ended = take_down(folder)
    click.echo(f"The network in {folder.path} is down." if ended else f"No network was up in {folder.path}.")


@main.command()
@click.argument("name", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as the logs grow.")
@click.option("--lines", "-n", default=20, show_default=True, help="Lines of each log to begin with.")
@state_dir_option
def logs(name: str | None, follow: bool, lines: int, folder: StateFolder) -> None:  # noqa: FBT001 -- click passes options by name
    """Show what a process printed, or all of them.

    NAME is one of those that `ps` lists, such as north/2, or `environment`.

    \b
    Example:
      chassis-emulator logs north/1 --follow
    """
    chosen = _choose_logs(folder, name)
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


@main.command()
@click.option("--json", "as_json", is_flag=True, help="An object by protocol.")
@state_dir_option
def credentials(as_json: bool, folder: StateFolder) -> None:  # noqa: FBT001 -- click passes options by name
    """Show the users that were generated for the network.

    \b
    Example:
      chassis-emulator credentials --json
    """
    users = folder.read_credentials()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(users)).decode())
        return
    rows = [(protocol, user["user"], user["password"]) for protocol, user in users.items()]
    click.echo(format_table(("PROTOCOL", "USER", "PASSWORD"), rows) if rows else "No protocol of it has users.")


class _Progress:
    """One line on a terminal that says how far the network is; nothing where nobody watches."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._shown = False

    def show(self, readiness: Readiness) -> None:
        if not self._terminal.isatty():
            return
        engines = sum(station.engines for station in readiness.stations)
        wanted = sum(station.engines_wanted for station in readiness.stations)
        registered = sum(station.registered for station in readiness.stations)
        missing = describe_missing(readiness)
        line = f"engines {engines}/{wanted}, stations {registered}/{len(readiness.stations)}  {'; '.join(missing)}"
        self._terminal.write(f"\r\033[K{line[:79]}")
        self._terminal.flush()
        self._shown = True

    def end(self) -> None:
        if self._shown:
            self._terminal.write("\r\033[K")
            self._terminal.flush()
