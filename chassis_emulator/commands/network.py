"""`chassis-emulator up`, `ps` and `down`: a network of media stations comes, is looked at and goes."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.commands.table import format_table
from chassis_emulator.data import DEFAULT_EXAMPLE
from chassis_emulator.network.control import (
    OPEN_PANEL,
    PROCESSES,
    ListProcesses,
    OpenPanel,
    ProcessRow,
    Readiness,
    order,
)
from chassis_emulator.network.launch import DAEMON, bring_up, describe_missing, take_down, wait_until_serving
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import find_topology, read_topology
from media_network.cli import echo_json, json_option, state_dir_option


@click.command()
@click.argument("topology", default=DEFAULT_EXAMPLE)
@click.option("--wait/--no-wait", default=True, help="Return when every station serves (default), or at once.")
@click.option("--timeout", "timeout_s", default=60.0, show_default=True, help="Seconds to wait for that.")
@click.option("--panel", is_flag=True, help="Serve the front panel too, a web page that shows every chassis.")
@click.option("--control", is_flag=True, help="The same, and let it pull, switch and break things.")
@state_dir_option
@click.pass_context
def up(  # noqa: PLR0917 -- click passes options by name
    context: click.Context,
    topology: str,
    wait: bool,  # noqa: FBT001 -- as above
    timeout_s: float,
    panel: bool,  # noqa: FBT001 -- as above
    control: bool,  # noqa: FBT001 -- as above
    state_dir: Path,
) -> None:
    """Bring up the network that TOPOLOGY describes: a YAML file, or the name of an example.

    If it is up already, whatever part of it has ended is started again.

    \b
    Keys: network, name, center {name, home, providers [{name,
    address}]}, stations [{name, slots, channels, capacity_bps,
    allow_elsewhere, baud_rate, profile, inlet_c, supplies,
    blade_cores}], snmp {community, targets
    [{address, inform, community}]}.

    \b
    Example:
      chassis-emulator up two-stations
    """
    folder = StateFolder(state_dir)
    daemon: Sequence[str] = context.obj or DAEMON
    wanted = read_topology(find_topology(topology))
    revived = bring_up(folder, wanted, daemon)
    if wait:
        progress = ProgressLine(sys.stderr)
        try:
            wait_until_serving(folder, timeout_s, lambda readiness: progress.show(_how_far(readiness)))
        finally:
            progress.end()
    blades = sum(station.slots for station in wanted.stations)
    outcome = "is up" if revived is None else "was up already"
    click.echo(f"{wanted.name} {outcome}: {len(wanted.stations)} stations, {blades} blades, state in {folder.path}")
    if revived:
        click.echo(f"Started again: {', '.join(revived)}")
    if panel or control:
        click.echo(f"Front panel: {order(folder, OPEN_PANEL, OpenPanel(control=control)).url}")


def _how_far(readiness: Readiness) -> str:
    engines = sum(station.engines for station in readiness.stations)
    wanted = sum(station.engines_wanted for station in readiness.stations)
    registered = sum(station.registered for station in readiness.stations)
    missing = "; ".join(describe_missing(readiness))
    return f"engines {engines}/{wanted}, stations {registered}/{len(readiness.stations)}  {missing}"


@click.command()
@json_option("a list of objects, one a process")
@state_dir_option
def ps(as_json: bool, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """List the processes of the network.

    \b
    Example:
      chassis-emulator ps --json
    """
    rows = order(StateFolder(state_dir), PROCESSES, ListProcesses()).processes
    if as_json:
        echo_json(rows)
        return
    click.echo(format_table(_PS_HEADINGS, [_ps_cells(row) for row in rows]))


_PS_HEADINGS = ("NAME", "ROLE", "STATE", "PID", "ADDRESS", "CONTROL", "MEDIA", "SERIAL", "MEMORY")


def _ps_cells(row: ProcessRow) -> tuple[str, ...]:
    state = row.state if row.exit_code is None else f"{row.state} ({row.exit_code})"
    memory = f"{row.pss_bytes / 1024 / 1024:.1f} MiB" if row.pss_bytes else ""
    return (
        row.name,
        row.role.replace("_", " "),
        state,
        str(row.pid or ""),
        row.address,
        row.control or "",
        row.media or "",
        row.serial or "",
        memory,
    )


@click.command()
@state_dir_option
def down(state_dir: Path) -> None:
    """End every process of the network. Its state stays, for the next `up`.

    \b
    Example:
      chassis-emulator down
    """
    ended = take_down(StateFolder(state_dir))
    click.echo(f"The network in {state_dir} is down." if ended else f"No network was up in {state_dir}.")
