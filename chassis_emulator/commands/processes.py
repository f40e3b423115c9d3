"""`chassis-emulator ps` and `restart`: the processes of a network are looked at, and started anew."""

import sys
from pathlib import Path

import click

from chassis_emulator.commands import names
from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.commands.up import how_far
from chassis_emulator.network.control import PROCESSES, RESTART, ListProcesses, ProcessRow, Restart, order
from chassis_emulator.network.launch import wait_until_serving
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import FiniteRange, echo_json, json_option, state_dir_option
from media_network.interrupting import INTERRUPTED_STATUS
from media_network.presenting import present, watch_option
from media_network.table import format_table

_RESTART_TIMEOUT_S = 30.0
_HEADINGS = ("NAME", "ROLE", "STATE", "PID", "CONTROL", "MEDIA", "SNMP", "IPMI", "SERIAL", "MEMORY", "PAGE")


@click.command()
@watch_option
@json_option("a list of objects, one a process")
@state_dir_option
def ps(*, watch: bool, as_json: bool, state_dir: Path) -> None:
    """List the processes of the network, and where each answers.

    CONTROL is for machines and operators (HTTP), MEDIA for consoles and players: of a chassis manager it is the
    station's service address, which leads to whichever blade directs. SERIAL is the service port of a blade's CBC, PAGE
    where a center shows its programs to a browser.

    \b
    Examples:
      chassis-emulator ps --json
      chassis-emulator ps --watch
    """
    folder = StateFolder(state_dir)
    present(lambda: order(folder, PROCESSES, ListProcesses()).processes, _table, as_json=as_json, watch=watch)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=names.processes_and_stations)
@click.option("--wait/--no-wait", default=True, help="Return when every station serves again (default), or at once.")
@click.option(
    "--timeout", "timeout_s", type=FiniteRange(min=0), default=60.0, show_default=True, help="Seconds for that."
)
@json_option("a list of the names of what was restarted")
@state_dir_option
def restart(names: tuple[str, ...], *, wait: bool, timeout_s: float, as_json: bool, state_dir: Path) -> None:
    """End processes in order and start them again, with their lines and their state.

    NAME is one of those that `ps` lists, or a station for its manager and its blades; without any all are restarted.

    \b
    Examples:
      chassis-emulator restart north/3 center
      chassis-emulator restart
    """
    folder = StateFolder(state_dir)
    try:
        restarted = order(folder, RESTART, Restart(names), timeout_s=_RESTART_TIMEOUT_S).names
        if wait:
            _wait(folder, timeout_s)
    except KeyboardInterrupt:
        click.echo("\nWhat has been ordered goes on; `chassis-emulator ps` shows how far it is.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    if as_json:
        echo_json(restarted)
    else:
        click.echo(f"Restarted: {', '.join(restarted)}" if restarted else "There was nothing to restart.")


def _wait(folder: StateFolder, timeout_s: float) -> None:
    progress = ProgressLine(sys.stderr)
    try:
        wait_until_serving(folder, timeout_s, lambda readiness: progress.show(how_far(readiness)))
    finally:
        progress.end()


def _table(rows: tuple[ProcessRow, ...]) -> str:
    return format_table(_HEADINGS, [_cells(row) for row in rows])


def _cells(row: ProcessRow) -> tuple[str, ...]:
    state = row.state if row.exit_code is None else f"{row.state} ({row.exit_code})"
    return (
        row.name,
        row.role.replace("_", " "),
        state,
        str(row.pid or ""),
        row.control or "",
        row.media or "",
        row.snmp or "",
        row.ipmi or "",
        row.serial or "",
        f"{row.pss_bytes / 1024 / 1024:.1f} MiB" if row.pss_bytes else "",
        row.page or "",
    )
