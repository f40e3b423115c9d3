"""Names that a shell completes: processes, stations, slots and faults of the network in the state folder."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from chassis_emulator.data import examples, scenarios
from chassis_emulator.errors import EmulatorError
from chassis_emulator.faults.kinds import Victim
from media_network.default_state import default_state_folder

if TYPE_CHECKING:
    from chassis_emulator.network.state_folder import StateFolder
    from chassis_emulator.topology.plan import NetworkPlan

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _from(names: Callable[["StateFolder"], Iterable[str]], *, or_file: bool = False) -> Completer:
    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        items = [CompletionItem(name) for name in names(_folder_of(context)) if name.startswith(begun)]
        return [*items, CompletionItem(begun, type="file")] if or_file else items

    return complete


def _folder_of(context: click.Context) -> "StateFolder":
    from chassis_emulator.network.state_folder import StateFolder

    return StateFolder(context.params.get("state_dir") or default_state_folder(os.environ, Path.home()).absolute())


def _plan(folder: "StateFolder") -> "NetworkPlan | None":
    from chassis_emulator.topology.plan import plan_network

    record = folder.record()
    return plan_network(record.topology, folder.path) if record else None


def _stations(folder: "StateFolder") -> list[str]:
    plan = _plan(folder)
    return [chassis.station for chassis in plan.chassis] if plan else []


def _blades(folder: "StateFolder") -> list[str]:
    plan = _plan(folder)
    return [blade.name for blade in plan.blades] if plan else []


def _processes(folder: "StateFolder") -> list[str]:
    plan = _plan(folder)
    if plan is None:
        return []
    return [*plan.processes_of_no_station, *(chassis.name for chassis in plan.chassis), *_blades(folder)]


def _supplies(folder: "StateFolder") -> list[str]:
    plan = _plan(folder)
    chassis = plan.chassis if plan else ()
    return [f"{each.station}/supply-{number}" for each in chassis for number in range(1, each.supplies + 1)]


def _channels(folder: "StateFolder") -> list[str]:
    from chassis_emulator.faults.targets import channel_names

    plan = _plan(folder)
    return [name for blade in plan.blades for name in channel_names(blade)] if plan else []


def _fault_ids(folder: "StateFolder") -> list[str]:
    from chassis_emulator.chassis.orders import FAULTS, ListFaults
    from chassis_emulator.network.control import order

    try:
        return ["all", *(row.id for row in order(folder, FAULTS, ListFaults(), timeout_s=1.0).faults)]
    except EmulatorError:
        return []


blades = _from(_blades)
processes_and_stations = _from(lambda folder: [*_processes(folder), *_stations(folder)])
parts = _from(lambda folder: [*_processes(folder), *_stations(folder), *_supplies(folder)])
fault_ids = _from(_fault_ids)
topologies = _from(lambda _: examples(), or_file=True)
scenario_names = _from(lambda _: scenarios(), or_file=True)
victims = {
    Victim.BLADE: _from(lambda folder: [*_blades(folder), *_stations(folder)]),
    Victim.PROCESS: processes_and_stations,
    Victim.SUPPLY: _from(_supplies),
    Victim.CHASSIS: _from(_stations),
    Victim.CHANNEL: _from(lambda folder: [*_blades(folder), *_channels(folder)]),
}
