"""`chassis-emulator`: a network of media stations on this laptop."""

import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from chassis_emulator.commands.chassis import identify, insert, power, pull, reset
from chassis_emulator.commands.demo import Demo, DemoFailed, demo_state
from chassis_emulator.commands.faults import fault, faults
from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.commands.scenario import scenario
from chassis_emulator.commands.table import format_table
from chassis_emulator.data import DEFAULT_EXAMPLE
from chassis_emulator.errors import EmulatorError, UnknownLog
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
from chassis_emulator.topology.state_folder import StateFolder, write_secret
from chassis_emulator.topology.topology import find_topology, read_topology
from media_network.cli import UserError, echo_json, json_option, state_dir_option

_FOLLOW_PAUSE_S = 0.2


class _Commands(click.Group):
    """The one place where what went wrong becomes a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EmulatorError as error:
            raise UserError(str(error), error.hint) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="media-station")
def main() -> None:
    """A network of media stations on this laptop: every blade a real process, on its own loopback address."""


@main.command()
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
    Keys: network, name, center {name, home}, stations [{name, slots,
    channels, capacity_bps, allow_elsewhere, baud_rate, profile,
    inlet_c, supplies, blade_cores}], snmp {community, targets [{address, inform, community}]}.

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


@main.command()
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
def down(state_dir: Path) -> None:
    """End every process of the network. Its state stays, for the next `up`.

    \b
    Example:
      chassis-emulator down
    """
    ended = take_down(StateFolder(state_dir))
    click.echo(f"The network in {state_dir} is down." if ended else f"No network was up in {state_dir}.")


@main.command()
@click.argument("name", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as the logs grow.")
@click.option("--lines", "-n", default=20, show_default=True, help="Lines of each log to begin with.")
@state_dir_option
def logs(name: str | None, follow: bool, lines: int, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Show what a process printed, or all of them.

    NAME is one of those that `ps` lists, such as north/2, or `environment`.

    \b
    Example:
      chassis-emulator logs north/1 --follow
    """
    chosen = _choose_logs(StateFolder(state_dir), name)
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
@json_option("an object by protocol")
@state_dir_option
def credentials(as_json: bool, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Show the users that were generated for the network.

    \b
    Example:
      chassis-emulator credentials --json
    """
    users = StateFolder(state_dir).read_credentials()
    if as_json:
        echo_json(users)
        return
    rows = [row for protocol, known in users.items() for row in _user_rows(protocol, known)]
    headings = ("PROTOCOL", "USER", "PASSWORD", "PRIVACY")
    click.echo(format_table(headings, rows) if rows else "No protocol of it has users.")


def _user_rows(protocol: str, known: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    if "password" in known:
        yield protocol, known["user"], known["password"], ""
        return
    for user in known.values():
        auth = f"{user['auth_protocol']} {user['auth_password']}"
        yield protocol, user["user"], auth, f"{user['priv_protocol']} {user['priv_password']}"


@main.command("nms-settings")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file for it, readable for you alone."
)
@click.option("--http-port", default=8070, show_default=True, help="Where the page is to be; 0: anywhere.")
@state_dir_option
def write_nms_settings(output: Path | None, http_port: int, state_dir: Path) -> None:
    """Print the settings with which a network management system sees the network.

    It gets the read-only user that was generated, and the addresses of the
    center and of every chassis manager; blades it finds by itself.

    \b
    Example:
      chassis-emulator nms-settings --output nms.toml
      distribution-center nms run --settings nms.toml
    """
    from chassis_emulator.network.nms_settings import as_toml, nms_settings

    folder = StateFolder(state_dir)
    text = as_toml(nms_settings(folder, http_port), folder.path)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_secret(output, text)
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror}", "Name a file in a folder of yours.") from error
    click.echo(f"Now run: distribution-center nms run --settings {shlex.quote(str(output))}")
    if http_port:
        click.echo(f"The page will be at http://127.0.0.1:{http_port}/")


@main.command()
@click.argument("topology", default=DEFAULT_EXAMPLE)
@click.option(
    "--clip",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The video that goes in, and comes out again.",
)
@click.option("--keep", is_flag=True, help="Leave the network up, in the usual state folder.")
@state_dir_option
def demo(topology: str, clip: Path, keep: bool, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Do the main job once: bring a network up, a program in, and play it both ways.

    TOPOLOGY is a YAML file, or the name of an example, as for `up`.

    \b
    Example:
      chassis-emulator demo --clip film.mp4
    """
    with demo_state(keep=state_dir if keep else None) as state:
        run = Demo(topology, state, click.echo)
        try:
            run.play_the_main_job(clip)
            if keep:
                run.leave_up()
        except DemoFailed as error:
            raise UserError(str(error), f"The logs are in {state / 'logs'}; --keep keeps them.") from error
        finally:
            if not keep:
                run.take_down()
    click.echo("demo: ok")


for _command in (pull, insert, power, reset, identify, fault, faults, scenario):
    main.add_command(_command)


def _how_far(readiness: Readiness) -> str:
    engines = sum(station.engines for station in readiness.stations)
    wanted = sum(station.engines_wanted for station in readiness.stations)
    registered = sum(station.registered for station in readiness.stations)
    missing = "; ".join(describe_missing(readiness))
    return f"engines {engines}/{wanted}, stations {registered}/{len(readiness.stations)}  {missing}"
