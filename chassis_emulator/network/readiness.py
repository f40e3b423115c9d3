"""Does the network serve? Its directors and its centers are asked as anybody would ask them."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from blade_agent.backplane.role import Role
from chassis_emulator.network.control import Readiness, StationReadiness
from chassis_emulator.processes.processes import Process, Processes
from chassis_emulator.topology.plan import ChassisPlan, NetworkPlan
from media_network.address import Address
from media_network.http.all_stations import all_stations_of
from media_network.http.client import HttpClient
from media_network.messages.registry import StationRow
from media_network.messages.watching import ASK_STATION, AskStation, StationView

_PATIENCE_S = 0.25


async def look(client: HttpClient, plan: NetworkPlan, processes: Processes) -> Readiness:
    """How far the network is, at this moment."""
    lists = await asyncio.gather(*(_registered(client, center.address) for center in plan.centers))
    rows = {center.center: known or {} for center, known in zip(plan.centers, lists, strict=True)}
    silent = [center.name for center, known in zip(plan.centers, lists, strict=True) if known is None]
    if plan.mam and not processes.by_name[plan.mam.name].status.control:
        silent.append(plan.mam.name)
    # A director may believe in an engine for a moment longer than it lives, and then in one that has come back and has
    # no role yet: so the engines are heard themselves.
    serving = {process.status.control for process in processes.all if process.status.role == Role.ENGINE}
    stations = await asyncio.gather(
        *(
            _look_at_station(client, chassis, rows[chassis.center_name].get(chassis.known_as), serving, processes)
            for chassis in plan.chassis
        )
    )
    return Readiness(
        center=not silent,
        silent=(*silent, *_silent_accounts(plan, processes)),
        authentication=plan.authentication is None or _serves(processes.by_name[plan.authentication.name]),
        stations=tuple(stations),
        ended=tuple(process.name for process in processes.all if process.pid is None and process.wanted),
    )


async def _registered(client: HttpClient, center: Address) -> dict[str, StationRow] | None:
    """The stations that a center knows, by name; None: it does not answer."""
    listed = await all_stations_of(client, center, deadline_s=_PATIENCE_S)
    return None if listed is None else {row.station: row for row in listed}


def _silent_accounts(plan: NetworkPlan, processes: Processes) -> tuple[str, ...]:
    if plan.accounts is None or _serves(processes.by_name[plan.accounts.name]):
        return ()
    return (plan.accounts.name,)


def _serves(process: Process) -> bool:
    return process.status.state == "serving"


async def _look_at_station(
    client: HttpClient,
    chassis: ChassisPlan,
    row: StationRow | None,
    serving: AbstractSet[str],
    processes: Processes,
) -> StationReadiness:
    present = [processes.by_name[blade.name] for blade in chassis.blades if processes.by_name[blade.name].wanted]
    wanted = max(0, len(present) - 1)
    director = _director(chassis, row, present)
    view = await client.tell(director, ASK_STATION, AskStation(), deadline_s=_PATIENCE_S)
    enlisted = {engine.engine for engine in view.engines} if view else set()
    ours = {str(blade.address) for blade in chassis.blades}
    return StationReadiness(
        station=chassis.station,
        director=view is not None or not present,
        engines=len(enlisted & ours & serving),
        engines_wanted=wanted,
        registered=not present or _is_registered(row, view, wanted),
    )


def _is_registered(row: StationRow | None, view: StationView | None, wanted: int) -> bool:
    return row is not None and view is not None and row.epoch == view.epoch and row.engines >= wanted


def _director(chassis: ChassisPlan, row: StationRow | None, present: Sequence[Process]) -> Address:
    """Where the center saw the director last; before it saw any, who says it is, and at first the first blade."""
    if row:
        return Address.parse(row.director)
    directors = [process for process in present if process.status.role == Role.DIRECTOR]
    names = [process.name for process in directors or present]
    return next((blade.address for blade in chassis.blades if blade.name in names), chassis.blades[0].address)
