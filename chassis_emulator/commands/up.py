"""`chassis-emulator up`: a network of media stations comes."""

import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from chassis_emulator.commands import names
from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.data import DEFAULT_EXAMPLE
from chassis_emulator.network.control import OPEN_PANEL, OpenPanel, Readiness, order
from chassis_emulator.network.launch import (
    DAEMON,
    BroughtUp,
    describe_missing,
    find_running,
    revive,
    spawn_daemon,
    start,
    tell_to_end,
    wait_until_ended,
    wait_until_serving,
)
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import NETWORKS_MAX, VIEWER, Topology, find_topology, read_topology
from media_network.cli import FiniteRange, echo_json, json_option, state_dir_option
from media_network.interrupting import INTERRUPTED_STATUS, ended_like_interrupted, putting_off_interrupts

FREE = "free"
_PATIENCE_S = 20.0
_PAGES_SAID = 4
"""Of stations: a network may have thousands."""


class UpReport(Struct, frozen=True, kw_only=True):
    """What `up` says."""

    name: str
    network: int
    was_up: bool
    stations: int
    blades: int
    state: str
    """The folder."""
    revived: tuple[str, ...]
    """Processes that had ended and were started again."""
    changes: tuple[str, ...]
    """What is otherwise than when it was last up in its folder."""
    pages: dict[str, str]
    """Where each center shows an operator its programs, by its name; the headquarters first."""
    watch: dict[str, str]
    """Where each station shows its programs to whoever wants to watch them, a page by the station's name."""
    panel: str | None
    """Where the front panel is served, if it is."""
    centers: dict[str, str]
    """Where each center answers operators, `host:port` by name; the headquarters first."""
    mam: str | None
    """Where the media asset management answers, `host:port`, if there are several centers."""
    login: str | None
    """The command by which a console logs in, if stations ask for tokens."""


class NetworkNumber(click.ParamType[int | str]):
    """A network number, or `free`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """See `click.ParamType`."""
        if value == FREE:
            return FREE
        try:
            number = int(value)
        except ValueError:
            number = 0
        if not 1 <= number <= NETWORKS_MAX:
            self.fail(f"{value!r} is neither a number from 1 to {NETWORKS_MAX} nor `{FREE}`.", param, ctx)
        return number


@click.command()
@click.argument("topology", required=False, shell_complete=names.topologies)
@click.option(
    "--network",
    "number",
    type=NetworkNumber(),
    metavar=f"NUMBER|{FREE}",
    help=f"Network number in place of the topology's; {FREE}: another one where that is taken.",
)
@click.option("--wait/--no-wait", default=True, help="Return when every station serves (default), or at once.")
@click.option(
    "--timeout", "timeout_s", type=FiniteRange(min=0), default=60.0, show_default=True, help="Seconds to wait for that."
)
@click.option("--panel", is_flag=True, help="Serve the front panel too, a web page that shows every chassis.")
@click.option("--control", is_flag=True, help="The same, and let it pull, switch and break things.")
@json_option("an object with `name`, `network`, `panel` and more")
@state_dir_option
@click.pass_context
def up(
    context: click.Context,
    *,
    topology: str | None,
    number: int | str | None,
    wait: bool,
    timeout_s: float,
    panel: bool,
    control: bool,
    as_json: bool,
    state_dir: Path,
) -> None:
    """Bring up the network that TOPOLOGY describes: a YAML file, or the name of an example.

    Without TOPOLOGY it goes on with the network of the state folder; where there is none yet, with two-stations. If
    the network is up already, whatever part of it has ended is started again. Ctrl-C ends what this has started.

    A state folder belongs to the first network that was up in it. The network may grow, and its numbers may change;
    a topology of another name, or without a station, slot or channel that has state there, is refused.

    \b
    Keys: network, name, center {name, home, providers [{name,
    address}], cost {bandwidth, distance, copying, load, missing,
    stale}}, stations [{name, zone, slots, channels,
    capacity_bps, pause_s, allow_elsewhere, playlists_name_engines,
    baud_rate, profile, inlet_c, supplies, blade_cores}], other_centers [{name, home,
    providers, cost, stations}], distances {default_km, between
    [{zones, km}]}, authentication, snmp {community, targets
    [{address, inform, community}]}.

    \b
    Example:
      chassis-emulator up two-stations
    """
    folder = StateFolder(state_dir)
    with ended_like_interrupted():
        network = _bring_up(folder, topology, number, context.obj or DAEMON, timeout_s if wait else None)
    url = order(folder, OPEN_PANEL, OpenPanel(control=control)).url if panel or control else None
    report = _report(network, folder, url)
    echo_json(report) if as_json else click.echo(_sentences(report))


def _bring_up(
    folder: StateFolder, named: str | None, number: int | str | None, daemon: Sequence[str], timeout_s: float | None
) -> BroughtUp:
    """Bring it up, and wait until it serves if there is a `timeout_s`."""
    given = read_topology(find_topology(named)) if named is not None else None
    running = find_running(folder)
    wanted = given or (running.topology if running else _own_topology(folder))
    wanted = replace(wanted, network=number) if isinstance(number, int) else wanted
    any_number = number == FREE
    process = None
    try:
        if running is None:
            process = spawn_daemon(folder, daemon)
            network = start(process, folder, wanted, any_number=any_number)
        else:
            network = revive(folder, running, wanted, any_number=any_number)
        if timeout_s is not None:
            _wait_until_serving(folder, timeout_s)
    except KeyboardInterrupt:
        if running:
            click.echo("\nThe network stays up; `chassis-emulator ps` shows how far it is.", err=True)
        else:
            _take_back(folder, process)
        raise SystemExit(INTERRUPTED_STATUS) from None
    return network


def _own_topology(folder: StateFolder) -> Topology:
    """Of the network that was last up in the folder, or the one to begin with."""
    record = folder.record()
    return record.topology if record else read_topology(find_topology(DEFAULT_EXAMPLE))


def _take_back(folder: StateFolder, process: subprocess.Popen[bytes] | None) -> None:
    """End what has been started; its state stays as after `down`."""
    click.echo("\nStopped: what has been started is ended again.", err=True)
    try:
        with putting_off_interrupts():
            tell_to_end(folder)
        if process:
            process.wait(_PATIENCE_S)
        wait_until_ended(folder)
    except subprocess.TimeoutExpired:
        click.echo("It does not end; `chassis-emulator down` waits longer.", err=True)
    except KeyboardInterrupt:
        click.echo("\nIt goes on ending by itself; `chassis-emulator down` waits for that.", err=True)
    else:
        click.echo("Nothing of it is up any more.", err=True)


def _wait_until_serving(folder: StateFolder, timeout_s: float) -> None:
    progress = ProgressLine(sys.stderr)
    try:
        wait_until_serving(folder, timeout_s, lambda readiness: progress.show(how_far(readiness)))
    finally:
        progress.end()


def how_far(readiness: Readiness) -> str:
    """How far a network is, in a line."""
    engines = sum(station.engines for station in readiness.stations)
    wanted = sum(station.engines_wanted for station in readiness.stations)
    registered = sum(station.registered for station in readiness.stations)
    missing = "; ".join(describe_missing(readiness))
    return f"engines {engines}/{wanted}, stations {registered}/{len(readiness.stations)}  {missing}"


def _report(network: BroughtUp, folder: StateFolder, panel: str | None) -> UpReport:
    topology = network.topology
    plan = plan_network(topology, folder.path)
    return UpReport(
        name=topology.name,
        network=topology.network,
        was_up=network.revived is not None,
        stations=len(plan.chassis),
        blades=len(plan.blades),
        state=str(folder.path),
        revived=network.revived or (),
        changes=network.changes,
        pages={center.center: f"http://{center.page}/" for center in plan.centers},
        watch={chassis.station: f"http://{chassis.service}/" for chassis in plan.chassis},
        panel=panel,
        centers={center.center: str(center.address) for center in plan.centers},
        mam=str(plan.mam.address) if plan.mam else None,
        login=f"media-console login {VIEWER}" if topology.authentication else None,
    )


def _pages(report: UpReport) -> list[str]:
    """Where a person sees the programs of each center; of several also how commands call it."""
    if len(report.pages) == 1:
        return [f"Programs of the center: {page}" for page in report.pages.values()]
    return [
        f"Programs of {name}: {page} (operators at {report.centers[name]}, `--center {name}`)"
        for name, page in report.pages.items()
    ]


def _sentences(report: UpReport) -> str:
    outcome = "was up already" if report.was_up else "is up"
    size = f"{report.stations} stations, {report.blades} blades, addresses 127.{report.network}.x.y"
    lines = [f"{report.name} {outcome}: {size}, state in {report.state}"]
    if report.changes:
        lines.append(f"Otherwise than when it was last up: {'; '.join(report.changes)}")
    if report.revived:
        lines.append(f"Started again: {', '.join(report.revived)}")
    lines += _pages(report)
    lines += [f"Watch at {station}: {page}" for station, page in islice(report.watch.items(), _PAGES_SAID)]
    if len(report.watch) > _PAGES_SAID:
        lines.append(f"Watch at the other {len(report.watch) - _PAGES_SAID} stations: `chassis-emulator up --json`")
    if report.mam:
        lines.append(f"Headquarters: {report.mam} (`distribution-center mam centers`)")
    if report.panel:
        lines.append(f"Front panel: {report.panel}")
    if report.login:
        lines.append(f"Consoles have to show tokens: {report.login} (`chassis-emulator credentials`: the password)")
    return "\n".join(lines)
