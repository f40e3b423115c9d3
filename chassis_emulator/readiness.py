"""Does the network serve? Its directors and its center are asked as anybody would ask them."""

import asyncio
from collections.abc import Set as AbstractSet

from chassis_emulator.control import Readiness, StationReadiness
from chassis_emulator.plan import ChassisPlan, NetworkPlan
from chassis_emulator.processes import Processes
from media_network.address import Address
from media_network.http_client import HttpClient
from media_network.messages.director import ASK_STATION, AskStation
from media_network.messages.registry import LIST_STATIONS, ListStations, StationRow

_PATIENCE_S = 0.25


async def look(client: HttpClient, plan: NetworkPlan, processes: Processes) -> Readiness:
    """How far the network is, at this moment."""
    registered = await client.tell(plan.center.address, LIST_STATIONS, ListStations(), deadline_s=_PATIENCE_S)
    rows = {row.station: row for row in registered.stations} if registered else {}
    # A director may believe in an engine for a moment longer than it lives, so the engines are heard themselves.
    serving = {process.status.http for process in processes.all}
    stations = await asyncio.gather(
        *(_look_at_station(client, chassis, rows.get(chassis.station), serving) for chassis in plan.chassis)
    )
    return Readiness(
        center=registered is not None,
        stations=tuple(stations),
        ended=tuple(process.name for process in processes.all if process.pid is None),
    )


async def _look_at_station(
    client: HttpClient, chassis: ChassisPlan, row: StationRow | None, serving: AbstractSet[str]
) -> StationReadiness:
    wanted = len(chassis.blades) - 1
    director = _director(chassis, row)
    view = await client.tell(director, ASK_STATION, AskStation(), deadline_s=_PATIENCE_S)
    enlisted = {engine.engine for engine in view.engines} if view else set()
    ours = {str(blade.address) for blade in chassis.blades}
    return StationReadiness(
        station=chassis.station,
        director=view is not None,
        engines=len(enlisted & ours & serving),
        engines_wanted=wanted,
        registered=row is not None and view is not None and row.epoch == view.epoch and row.engines >= wanted,
    )


def _director(chassis: ChassisPlan, row: StationRow | None) -> Address:
    """Where the center saw the director last; before it saw any, the first slot is the one."""
    return Address.parse(row.director) if row else chassis.blades[0].address
