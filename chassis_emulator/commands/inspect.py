"""`chassis-emulator inspect`: all that is known of one part of a network."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import msgspec

from chassis_emulator.commands import names
from chassis_emulator.network.control import PROCESSES, ListProcesses, ProcessRow, order
from chassis_emulator.network.errors import NotUp
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder
from chassis_emulator.panel.model import PanelChassis, Picture
from chassis_emulator.topology.plan import plan_network
from media_network.cli import UserError, echo_json, json_option, state_dir_option


@click.command()
@click.argument("name", required=False, shell_complete=names.parts)
@json_option("an object")
@state_dir_option
def inspect(name: str | None, *, as_json: bool, state_dir: Path) -> None:
    """Show all that is known of a part of the network: its process, its slot, its lights, its readings.

    NAME is one of those that `ps` lists, a station, or a supply such as north/supply-1; without it, the network.

    \b
    Examples:
      chassis-emulator inspect north/3
      chassis-emulator inspect north/supply-1 --json
    """
    facts = _facts(StateFolder(state_dir), name)
    if as_json:
        echo_json(facts)
        return
    for line in describe(msgspec.to_builtins(facts)):
        click.echo(line)


def describe(facts: Any, at: str = "") -> Iterator[str]:
    """Facts as `key: value`, one a line; what nobody knows, and what is empty, is left out."""
    if isinstance(facts, dict):
        for key, value in facts.items():
            yield from describe(value, f"{at}.{key}" if at else key)
    elif isinstance(facts, list | tuple) and any(isinstance(each, dict | list | tuple) for each in facts):
        for index, each in enumerate(facts):
            yield from describe(each, f"{at}[{index}]")
    elif isinstance(facts, list | tuple):
        if facts:
            yield f"{at}: {', '.join(map(str, facts))}"
    elif facts is not None and facts != "":
        yield f"{at}: {str(facts).lower() if isinstance(facts, bool) else facts}"


def _facts(folder: StateFolder, name: str | None) -> dict[str, Any]:
    from chassis_emulator.chassis.orders import PICTURE, AskPicture

    rows = {row.name: row for row in order(folder, PROCESSES, ListProcesses()).processes}
    picture = order(folder, PICTURE, AskPicture())
    if name is None:
        return _network(folder, picture)
    parts = dict(_parts(rows, picture))
    if name not in parts:
        near = get_close_matches(name, parts, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UserError(f"The network has no part {name!r}.", f"{hint}There are: {', '.join(parts)}.")
    return parts[name]


def _network(folder: StateFolder, picture: Picture) -> dict[str, Any]:
    record = folder.record()
    if record is None:
        raise NotUp(folder.path)
    others = {"other_centers": picture.other_centers} if picture.other_centers else {}
    return {"network": _overview(folder, record), "center": picture.center, **others, "topology": record.topology}


def _overview(folder: StateFolder, record: NetworkRecord) -> dict[str, Any]:
    plan = plan_network(record.topology, folder.path)
    pages = {center.center: f"http://{center.page}/" for center in plan.centers}
    mam = {"headquarters": str(plan.mam.address)} if plan.mam else {}
    return {
        "name": record.name,
        "number": record.network,
        "addresses": f"127.{record.network}.x.y",
        "state": str(folder.path),
        "logs": str(folder.logs),
        "environment": record.pid,
        "center": record.center,
        **mam,
        "pages": pages,
        "panel": f"http://{plan.panel}/ (when `up --panel` serves it)",
        "services": {chassis.station: str(chassis.service) for chassis in plan.chassis},
    }


def _parts(rows: dict[str, ProcessRow], picture: Picture) -> Iterator[tuple[str, dict[str, Any]]]:
    for center in (picture.center, *picture.other_centers):
        yield center.name, {"process": rows[center.name], "center": center}
    if "authentication" in rows:
        yield "authentication", {"process": rows["authentication"]}
    for chassis in picture.stations:
        yield chassis.station, {"chassis": chassis}
        yield chassis.manager.name, {"process": rows[chassis.manager.name], "manager": chassis.manager}
        yield from _blades(chassis, rows)
        for supply in chassis.supplies:
            yield f"{chassis.station}/{supply.name}", {"supply": supply}


def _blades(chassis: PanelChassis, rows: dict[str, ProcessRow]) -> Iterator[tuple[str, dict[str, Any]]]:
    for slot in chassis.slots:
        yield slot.name, {"process": rows[slot.name], "slot": slot}
