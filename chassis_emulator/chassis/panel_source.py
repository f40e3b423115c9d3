"""What the front panel asks of the environment: the picture, the event log, consoles, and orders.

The chassis managers are asked only while somebody looks.
"""

import asyncio
import os
from collections import deque
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import msgspec
from msgspec.structs import replace

from blade_agent.chassis_manager import orders as manager_orders
from chassis_emulator.chassis.chassis_desk import ChassisDesk
from chassis_emulator.chassis.fault_catalogue import fault_kinds
from chassis_emulator.chassis.living_chassis import LivingChassis
from chassis_emulator.chassis.orders import (
    AskPicture,
    BeginFault,
    BlinkBlade,
    EndFaults,
    InsertBlade,
    PullBlade,
    ResetSlot,
    SwitchPower,
)
from chassis_emulator.chassis.picture import picture_of, process_state
from chassis_emulator.chassis.striking import FaultsInForce
from chassis_emulator.faults.kinds import KINDS, AnyFault
from chassis_emulator.panel.model import (
    Action,
    CenterPicture,
    ClearFaults,
    Console,
    FaultKind,
    IdentifySlot,
    Inject,
    Insert,
    PanelChassis,
    PanelEvent,
    PanelSeverity,
    Picture,
    Power,
    Pull,
    Reset,
)
from chassis_emulator.physics.sysfs_tree import Shine
from chassis_emulator.processes.processes import Processes
from chassis_emulator.topology.plan import NetworkPlan
from media_network.holding import holder_of
from media_network.local_orders import NobodyListens, OrderLost, send_order
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.status import read_status
from media_network.unread_message import why_unfit

_EVENTS_KEPT = 500
_MANAGER_TIMEOUT_S = 1.0
_TAIL_BYTES = 256 * 1024


class NetworkView:
    """The `PanelSource` of a network. `chassis` are by station; `boot` is new at every start."""

    def __init__(
        self,
        *,
        plan: NetworkPlan,
        chassis: Mapping[str, LivingChassis],
        processes: Processes,
        faults: FaultsInForce,
        desk: ChassisDesk,
        boot: str,
        nms: Path,
    ) -> None:
        """`nms`: the state folder of a network management system that may watch this network."""
        self._nms = nms
        self._plan = plan
        self._chassis = chassis
        self._processes = processes
        self._faults = faults
        self._desk = desk
        self._boot = boot
        self._events: deque[PanelEvent] = deque(maxlen=_EVENTS_KEPT)
        self._last_event = 0
        self._last_record = dict.fromkeys(chassis, 0)
        self._reading = asyncio.Lock()

    @property
    def fault_kinds(self) -> tuple[FaultKind, ...]:
        """Every kind of fault that `act` can inject."""
        return fault_kinds()

    async def answer_picture(self, _: AskPicture) -> Picture:
        """For `take_orders`."""
        return await self.picture()

    async def picture(self) -> Picture:
        """How the network is now."""
        center, *others = map(self._draw_center, self._plan.center_processes)
        return Picture(
            network=self._plan.topology.network,
            name=self._plan.topology.name,
            boot=self._boot,
            center=center,
            other_centers=tuple(others),
            nms=_page_in(self._nms),
            stations=tuple(await asyncio.gather(*map(self._draw, self._chassis.values()))),
        )

    def _draw_center(self, name: str) -> CenterPicture:
        [address, *_] = self._plan.listening[name]
        return CenterPicture(name=name, process=process_state(self._processes.by_name[name]), address=str(address))

    async def events(self, after: int) -> tuple[PanelEvent, ...]:
        """The events of all chassis managers with a higher id than `after`; those that came together in their order."""
        async with self._reading:
            read = await asyncio.gather(*(self._read_events(*each) for each in self._chassis.items()))
            for event in sorted(chain(*read), key=lambda event: event.time_s):
                self._last_event += 1
                self._events.append(replace(event, id=self._last_event))
        return tuple(event for event in self._events if event.id > after)

    async def console(self, name: str, lines: int) -> Console | Refused:
        """The last lines that a process printed."""
        process = self._processes.by_name.get(name)
        if process is None:
            return Refused(Reason.NOT_HERE, f"there is no process {name!r}")
        text = await asyncio.get_running_loop().run_in_executor(None, _tail, process.log)
        return Console(name=name, lines=tuple(text.splitlines()[-lines:]) if lines > 0 else ())

    async def act(self, action: Action) -> Done | Refused:
        """Carry an order out."""
        match action:
            case Pull(blade=blade, surprise=surprise):
                doing = self._desk.pull(PullBlade(blade=blade, surprise=surprise))
            case Insert(blade=blade):
                doing = self._desk.insert(InsertBlade(blade))
            case Power(blade=blade, order=power):
                doing = self._desk.power(SwitchPower(blade=blade, action=power.value))
            case Reset(blade=blade):
                doing = self._desk.reset(ResetSlot(blade))
            case IdentifySlot(blade=blade, seconds=seconds):
                doing = self._desk.identify(BlinkBlade(blade=blade, seconds=seconds))
            case Inject():
                doing = self._inject(action)
            case ClearFaults(faults=faults):
                doing = self._clear(faults)
        return await doing

    async def _clear(self, faults: tuple[str, ...]) -> Done | Refused:
        await self._desk.end_faults(EndFaults(faults))
        return Done()

    async def _inject(self, action: Inject) -> Done | Refused:
        described = {"kind": action.kind, "target": action.target, **action.parameters}
        try:
            fault: AnyFault = msgspec.convert(described, AnyFault, strict=False)
        except msgspec.ValidationError:
            kind = KINDS.get(action.kind)
            if kind is None:
                return Refused(Reason.BAD_MESSAGE, f"kind must be one of {', '.join(KINDS)}")
            known = {key: value for key, value in described.items() if key != "kind"}
            return Refused(Reason.BAD_MESSAGE, why_unfit(known, kind))
        begun = await self._desk.begin_fault(BeginFault(fault=fault))
        return begun if isinstance(begun, Refused) else Done()

    async def _draw(self, chassis: LivingChassis) -> PanelChassis:
        loop = asyncio.get_running_loop()
        seen, lights = await asyncio.gather(_ask_manager(chassis), loop.run_in_executor(None, _lights, chassis))
        return picture_of(
            chassis,
            home=chassis.plan.home,
            faults=self._faults.book.entries,
            seen=seen,
            lights=lights,
        )

    async def _read_events(self, station: str, chassis: LivingChassis) -> list[PanelEvent]:
        """What a chassis manager has to tell that was not told before; the ids are given when all are read."""
        asked = manager_orders.AskEvents(self._last_record[station])
        try:
            told = await send_order(chassis.plan.orders, manager_orders.EVENTS, asked, timeout_s=_MANAGER_TIMEOUT_S)
        except (NobodyListens, OrderLost):
            return []
        if isinstance(told, Refused):
            return []
        self._last_record[station] = told.last
        return [
            PanelEvent(
                id=0,
                time_s=float(row.time),
                severity=PanelSeverity(row.severity),
                text=f"{row.sensor}: {row.event}",
                station=station,
                slot=row.slot,
            )
            for row in told.events
        ]


async def _ask_manager(chassis: LivingChassis) -> manager_orders.ChassisState | None:
    try:
        told = await send_order(
            chassis.plan.orders, manager_orders.CHASSIS, manager_orders.AskChassis(), timeout_s=_MANAGER_TIMEOUT_S
        )
    except (NobodyListens, OrderLost):
        return None
    return None if isinstance(told, Refused) else told


def _lights(chassis: LivingChassis) -> dict[int, dict[str, Shine]]:
    return {number: slot.tree.lights() for number, slot in chassis.slots.items() if slot.is_in}


def _page_in(folder: Path) -> str | None:
    """Where the page of whoever works in a folder is, if somebody does."""
    status = read_status(folder)
    if status is None or not status.page or holder_of(folder) is None:
        return None
    return f"http://{status.page}/"


def _tail(log: Path) -> str:
    """The end of a log; empty where there is none yet."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
