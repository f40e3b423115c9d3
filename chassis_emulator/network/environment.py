"""The environment of a network on a laptop: it composes lines and processes, and takes orders.

It holds no role and no management logic: the chassis managers are processes of their own that run the real software,
and what ends by itself stays ended, to be seen, until somebody orders otherwise.
"""

import asyncio
import os
import random
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Any

from chassis_emulator.chassis.chassis_desk import ChassisDesk
from chassis_emulator.chassis.living_chassis import LivingChassis
from chassis_emulator.chassis.living_slot import SlotPresence
from chassis_emulator.chassis.orders import PICTURE
from chassis_emulator.chassis.panel_source import NetworkView
from chassis_emulator.chassis.striking import FaultsInForce
from chassis_emulator.faults.targets import Targets
from chassis_emulator.lines.emulated_line import open_line
from chassis_emulator.network.composition import compose
from chassis_emulator.network.control import (
    END,
    NETWORK,
    OPEN_PANEL,
    PROCESSES,
    READINESS,
    REVIVE,
    AskNetwork,
    AskReadiness,
    EndNetwork,
    ListProcesses,
    ProcessRow,
    ProcessRows,
    Readiness,
    Revive,
    Revived,
    RunningNetwork,
)
from chassis_emulator.network.credentials import first_account, first_subscriber, network_users
from chassis_emulator.network.front_panel import FrontPanel
from chassis_emulator.network.identities import EMULATOR, keep_identities, network_identities
from chassis_emulator.network.nms_settings import nms_folder
from chassis_emulator.network.readiness import look
from chassis_emulator.network.restarting import RestartDesk
from chassis_emulator.network.service_switch import ServiceSwitch
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder
from chassis_emulator.processes.memory import pss_bytes
from chassis_emulator.processes.nursery_client import NurseryClient
from chassis_emulator.processes.processes import Process, Processes
from chassis_emulator.topology.plan import NetworkPlan
from distribution_center.accounts.settings import AccountsSettings
from media_network.http.client import HttpClient
from media_network.identity.credentials import credentials_of
from media_network.local_orders import Answer, take_orders
from media_network.messages.verb import Done, Verb
from media_network.status import ProcessStatus


async def run_environment(
    plan: NetworkPlan,
    folder: StateFolder,
    nursery: socket.socket,
    announce: Callable[[], None],
    watched: Callable[[Callable[[], None]], AbstractContextManager[None]],
) -> None:
    """Bring the network up, `announce` that all its processes have been started, and end it when ordered to.

    While `watched` is open, it calls what it is given if whoever wanted the network has gone: it is ended then, too.
    """
    rng = random.Random()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with AsyncExitStack() as stack:
        identities = network_identities(plan, folder.path)
        own = credentials_of(identities.get(EMULATOR))
        client = await stack.enter_async_context(HttpClient(rng, identification=own))
        tended = await stack.enter_async_context(NurseryClient(nursery))
        lines = {blade.name: stack.enter_context(open_line(blade.baud_rate)) for blade in plan.blades}
        users = network_users(folder, plan.topology)
        if plan.authentication:
            first_subscriber(folder, plan.authentication.state)
            if plan.accounts:
                await first_account(AccountsSettings(state=str(plan.accounts.state)), plan.authentication.state)
        processes = Processes(compose(plan, lines, folder, users, identities), tended)
        boot = _leave_traces(plan, folder, rng)
        chassis = {each.station: LivingChassis(each, processes.by_name, lines, processes) for each in plan.chassis}
        for each in chassis.values():
            each.lay_out()
        environment = _Environment(plan, processes, client, end)
        targets = Targets(plan)
        faults = FaultsInForce(targets, chassis, processes, rng)
        desk = ChassisDesk(targets, chassis, faults)
        view = NetworkView(
            plan=plan,
            chassis=chassis,
            processes=processes,
            faults=faults,
            desk=desk,
            boot=boot,
            nms=nms_folder(folder.path),
        )
        panel = await stack.enter_async_context(FrontPanel(plan.panel, view))
        for station in plan.chassis:
            await stack.enter_async_context(ServiceSwitch(station, processes))
        with watched(end.set):
            await processes.start_missing()
        answers: dict[Verb[Any, Any], Answer] = {
            **environment.answers,
            **desk.answers,
            **RestartDesk(processes).answers,
            PICTURE: view.answer_picture,
            OPEN_PANEL: panel.open,
        }
        await stack.enter_async_context(take_orders(folder.control, answers))
        async with asyncio.TaskGroup() as tasks:
            lives = [tasks.create_task(each.live(), name=f"chassis {name}") for name, each in chassis.items()]
            lives.append(tasks.create_task(faults.end_in_time(), name="faults"))
            lives.append(tasks.create_task(keep_identities(plan, folder.path), name="identities"))
            if own:
                lives.append(tasks.create_task(own.keep_fresh(), name="identity"))
            announce()
            await end.wait()
            for life in lives:
                life.cancel()
        await processes.end()


def _leave_traces(plan: NetworkPlan, folder: StateFolder, rng: random.Random) -> str:
    boot = f"{rng.getrandbits(64):016x}"
    for wanted in plan.folders:
        wanted.mkdir(parents=True, exist_ok=True)
    folder.write_record(
        NetworkRecord(
            network=plan.topology.network,
            name=plan.topology.name,
            center=str(plan.center.address),
            pid=os.getpid(),
            boot=boot,
            topology=plan.topology,
        )
    )
    return boot


class _Environment:
    """What the environment answers."""

    def __init__(self, plan: NetworkPlan, processes: Processes, client: HttpClient, end: asyncio.Event) -> None:
        self._plan = plan
        self._processes = processes
        self._client = client
        self._end = end

    @property
    def answers(self) -> Mapping[Verb[Any, Any], Answer]:
        return {
            NETWORK: self._network,
            PROCESSES: self._list,
            REVIVE: self._revive,
            READINESS: self._readiness,
            END: self._end_network,
        }

    async def _network(self, _: AskNetwork) -> RunningNetwork:
        return RunningNetwork(pid=os.getpid(), topology=self._plan.topology)

    async def _list(self, _: ListProcesses) -> ProcessRows:
        network = self._plan.topology.network
        return ProcessRows(tuple(_row(network, process) for process in self._processes.all))

    async def _revive(self, _: Revive) -> Revived:
        return Revived(await self._processes.start_missing())

    async def _readiness(self, _: AskReadiness) -> Readiness:
        return await look(self._client, self._plan, self._processes)

    async def _end_network(self, _: EndNetwork) -> Done:
        self._end.set()
        return Done()


def _row(network: int, process: Process) -> ProcessRow:
    place, status = process.place, process.status
    empty = SlotPresence.OUT in process.held_by
    return ProcessRow(
        name=process.name,
        network=network,
        station=place.station,
        slot=place.slot,
        role="empty" if empty else status.role or place.role,
        state="empty" if empty else _state(process, status),
        pid=process.pid,
        address=place.host,
        serial=status.service_port or None,
        control=status.control or None,
        media=status.media or place.media,
        page=f"http://{status.page}/" if status.page else None,
        snmp=None if empty else place.snmp,
        ipmi=place.ipmi,
        epoch=status.epoch,
        exit_code=process.exit_code if process.pid is None and not empty else None,
        pss_bytes=pss_bytes(process.pid) if process.pid else 0,
        log=str(process.log),
    )


def _state(process: Process, status: ProcessStatus) -> str:
    """One that stands still cannot say so."""
    return process.condition if process.hung else status.state or process.condition
