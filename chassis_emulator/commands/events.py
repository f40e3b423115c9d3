"""`chassis-emulator events`: the event logs of all chassis as one."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import click
from msgspec import Struct

from blade_agent.chassis_manager.orders import EVENTS, AskEvents, EventRow
from chassis_emulator.network.control import NETWORK, AskNetwork, order
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.plan import ChassisPlan, plan_network
from media_network import local_orders
from media_network.cli import echo_json, echo_json_line, json_option, state_dir_option
from media_network.refusal import Refused
from media_network.table import table_or

_FOLLOW_PAUSE_S = 0.5
_HEADINGS = ("TIME", "STATION", "WHERE", "SEVERITY", "SENSOR", "EVENT")
_WIDTHS = (19, 12, 7, 8, 16)
"""Of the columns when lines come one by one."""


class StationEvent(Struct, frozen=True, kw_only=True):
    """A record of a chassis' event log, and whose it is."""

    station: str
    event: EventRow


class _Chassis:
    """One event log, read from where it was read to."""

    def __init__(self, plan: ChassisPlan) -> None:
        self._plan = plan
        self._after = 0
        self.away = False

    def new(self) -> list[StationEvent]:
        """What has come since; nothing while its manager does not answer."""
        try:
            told = local_orders.order(self._plan.orders, EVENTS, AskEvents(self._after))
        except (local_orders.NobodyListens, local_orders.OrderLost):
            self.away = True
            return []
        if isinstance(told, Refused):
            return []
        self.away = False
        self._after = told.last
        return [StationEvent(station=self._plan.station, event=row) for row in told.events]


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on as events come.")
@json_option("a list of objects; with --follow an object a line")
@state_dir_option
def events(follow: bool, as_json: bool, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Show what has happened to the chassis of the network: their event logs, in the order of time.

    \b
    Example:
      chassis-emulator events --follow
    """
    folder = StateFolder(state_dir)
    topology = order(folder, NETWORK, AskNetwork()).topology
    chassis = [_Chassis(plan) for plan in plan_network(topology, folder.path).chassis]
    rows = _in_order(chassis)
    if follow:
        _follow(chassis, rows, as_json=as_json)
    elif as_json:
        echo_json(rows)
    else:
        click.echo(table_or("Nothing has happened yet.", _HEADINGS, [_cells(row) for row in rows]))
    silent = [each for each in chassis if each.away]
    if silent:
        click.echo(f"{len(silent)} of {len(chassis)} chassis managers do not answer.", err=True)


def _follow(chassis: Sequence[_Chassis], rows: list[StationEvent], *, as_json: bool) -> None:
    while not all(each.away for each in chassis):
        for row in rows:
            echo_json_line(row) if as_json else click.echo(_line(row))
        time.sleep(_FOLLOW_PAUSE_S)
        rows = _in_order(chassis)


def _line(row: StationEvent) -> str:
    *cells, event = _cells(row)
    return "  ".join([*(f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)), event])


def _in_order(chassis: Iterable[_Chassis]) -> list[StationEvent]:
    return sorted((row for each in chassis for row in each.new()), key=lambda row: row.event.time)


def _cells(row: StationEvent) -> tuple[str, ...]:
    event = row.event
    moment = datetime.fromtimestamp(event.time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    where = "chassis" if event.slot is None else f"slot {event.slot}"
    return moment, row.station, where, event.severity, event.sensor, event.event
