"""`chassis-emulator fault` and `faults`: break something on purpose, look at what is broken, mend it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from chassis_emulator.commands import names
from chassis_emulator.faults.book import FaultRow
from chassis_emulator.faults.kinds import KINDS, Direction, Fault, LineFault, Victim, summary_of
from chassis_emulator.faults.parameters import parameters_of
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import Commands, FiniteRange, WholeRange, echo_json, json_option, state_dir_option
from media_network.presenting import present, watch_option
from media_network.table import table_or

_TARGETS = {
    Victim.BLADE: "STATION[/SLOT]",
    Victim.PROCESS: "PROCESS",
    Victim.SUPPLY: "STATION/supply-N",
    Victim.CHASSIS: "STATION",
    Victim.CHANNEL: "STATION/SLOT[/CHANNEL]",
}


@click.group(cls=Commands)
def fault() -> None:
    """Break something on purpose: a line, a blade, its disks, its cooling or its power.

    It stays broken until `fault clear`, for the time given with --for, or until the network ends.

    \b
    Example:
      chassis-emulator fault over-temperature north/3 --for 60
    """


@fault.command()
@click.argument("ids", metavar="[ID]... | all", nargs=-1, required=True, shell_complete=names.fault_ids)
@json_option("a list of objects, one a fault that has ended")
@state_dir_option
def clear(ids: tuple[str, ...], *, as_json: bool, state_dir: Path) -> None:
    """End faults by the ids that `faults` shows, or all of them.

    \b
    Example:
      chassis-emulator fault clear all
    """
    from chassis_emulator.chassis.orders import END_FAULTS, EndFaults
    from chassis_emulator.network.control import order

    wanted = None if ids == ("all",) else ids
    ended = order(StateFolder(state_dir), END_FAULTS, EndFaults(wanted), timeout_s=_TIMEOUT_S).faults
    if as_json:
        echo_json(ended)
        return
    for row in ended:
        click.echo(f"{row.id} has ended: {row.kind} at {row.target}")
    if not ended:
        click.echo("There was nothing to end.")


@click.command()
@watch_option
@json_option("a list of objects, one a fault")
@state_dir_option
def faults(*, watch: bool, as_json: bool, state_dir: Path) -> None:
    """List what is broken on purpose.

    \b
    Example:
      chassis-emulator faults --json
    """
    from chassis_emulator.chassis.orders import FAULTS, ListFaults
    from chassis_emulator.network.control import order

    folder = StateFolder(state_dir)
    present(lambda: order(folder, FAULTS, ListFaults()).faults, _table, as_json=as_json, watch=watch)


def _table(rows: Sequence[FaultRow]) -> str:
    return table_or("Nothing is broken on purpose.", _HEADINGS, [_cells(row) for row in rows])


def _cells(row: FaultRow) -> tuple[str, ...]:
    still = "" if row.until_s is None else f"{row.until_s:.0f} s"
    facts = ", ".join(f"{name} {value}" for name, value in row.facts.items())
    return row.id, row.kind, row.target, f"{row.since_s:.0f} s", still, facts


_HEADINGS = ("ID", "KIND", "TARGET", "SINCE", "STILL", "FACTS")
_TIMEOUT_S = 20.0


def _begin(kind: type[Fault], state_dir: Path, target: str, for_s: float | None, facts: dict[str, Any]) -> FaultRow:
    from chassis_emulator.chassis.orders import BEGIN_FAULT, BeginFault
    from chassis_emulator.network.control import order
    from media_network.cli import UserError
    from media_network.strict_reading import StrictReader

    reader = StrictReader("fault", lambda at, reason: UserError(f"{at} {reason}", "`--help` shows every option."))
    fault: Any = reader.struct(kind, {"target": target, **facts}, "")
    return order(StateFolder(state_dir), BEGIN_FAULT, BeginFault(fault=fault, for_s=for_s), timeout_s=_TIMEOUT_S)


def _command_for(name: str, kind: type[Fault]) -> click.Command:
    def run(target: str, *, for_s: float | None, as_json: bool, state_dir: Path, **facts: Any) -> None:
        given = {field: value for field, value in facts.items() if value is not None}
        begun = _begin(kind, state_dir, target, for_s, given)
        echo_json(begun) if as_json else click.echo(f"{begun.id}: {begun.kind} at {begun.target}")

    blade = "\n\nThe target is a slot, or a station for all of its slots." if kind.befalls is Victim.BLADE else ""
    command = click.Command(
        name,
        callback=run,
        params=[_target(kind.befalls), *_options(kind)],
        help=f"{summary_of(kind)}{blade}\n\n\b\nExample:\n  chassis-emulator fault {name} {kind.example}",
    )
    run.__name__ = name
    return state_dir_option(json_option("an object: the fault")(command))


def _target(befalls: Victim) -> click.Argument:
    return click.Argument(["target"], metavar=_TARGETS[befalls], shell_complete=names.victims[befalls])


def _options(kind: type[Fault]) -> list[click.Option]:
    options = [_option(one.name, one.number, one.default, one.help) for one in parameters_of(kind)]
    if issubclass(kind, LineFault):
        ways = click.Choice([way.value for way in Direction])
        which_way = "Which way: what goes to the blade, to the chassis manager, or both."
        options.append(_option("direction", ways, Direction.BOTH.value, which_way))
        seed = "Of the randomness; without it one is drawn and shown."
        options.append(click.Option(["--seed"], type=WholeRange(), help=seed))
    options.append(
        click.Option(["--for", "for_s"], type=FiniteRange(min=0, min_open=True), help="Seconds until it ends.")
    )
    return options


def _option(name: str, kind: Any, default: Any, words: str) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
    return click.Option([flag, name], type=kind, default=default, show_default=True, help=words)


for _name, _kind in KINDS.items():
    fault.add_command(_command_for(_name, _kind))
