"""The chassis manager at work: the chassis on its lines, in the running event loop."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from blade_agent.backplane.line import Line, MessageLine
from blade_agent.backplane.message import CompletionCode, Request, Response
from blade_agent.chassis_manager.board.gauges import Gauges
from blade_agent.chassis_manager.board.management_board import ManagementBoard
from blade_agent.chassis_manager.bridged_orders import BridgedOrders
from blade_agent.chassis_manager.keeping.keeper import Keeper
from blade_agent.chassis_manager.orders import ChassisState, Events
from blade_agent.chassis_manager.policy.chassis import Chassis, Send
from blade_agent.chassis_manager.policy.notice import Notice, NoticeKind
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slots.lines import framing_of
from blade_agent.chassis_manager.slots.requester import Relay
from blade_agent.chassis_manager.snapshot import SlotSnapshot, chassis_state, snapshot_of
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.profiled_board.kept_file import KeptFile
from media_network.callback import do_nothing
from media_network.files import DiskFiles

logger = logging.getLogger(__name__)

_LOGIN_NOTICE_S = 600.0
"""Wrong passwords come into the event log no more often: who guesses must not be able to fill it."""


class ChassisManager:
    """One chassis, managed while `run` runs. The lines, one a slot, go on belonging to the caller."""

    def __init__(
        self,
        settings: ManagerSettings,
        lines: Mapping[int, Line],
        rng: Random,
        profile: HardwareProfile | None = None,
    ) -> None:
        """Take the profile of the management board, if it has sensors or supplies to be read."""
        self.begun = asyncio.Event()
        """Set when the chassis is managed."""
        self.slots_moved: Callable[[], None] = do_nothing
        """Called after slots have come to another state."""
        self._settings = settings
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._asked_to_look = False
        self._keeper = Keeper(Path(settings.epoch_file), settings.state_folder / "journal.json")
        self._gauges = Gauges(settings, profile)
        self._chassis: Chassis | None = None
        self._board: ManagementBoard | None = None
        self._log_file: KeptFile | None = None
        self._bridged: BridgedOrders | None = None
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._moves = 0
        self._faults: dict[int, int] = dict.fromkeys(lines, 0)
        self._failed_logins = 0
        self._login_notice_from = 0.0
        self._lines = {
            number: MessageLine(line, framing_of(settings.slots[number]), partial(self._received, number))
            for number, line in lines.items()
        }

    @property
    def gauges(self) -> Gauges:
        """What the management board measures."""
        return self._gauges

    @property
    def chassis(self) -> Chassis | None:
        """The chassis; None before `run` has begun."""
        return self._chassis

    def snapshot(self) -> tuple[SlotSnapshot, ...]:
        """Show all slots by number; none before `run` has begun."""
        return () if self._chassis is None else tuple(map(snapshot_of, self._chassis.slots.values()))

    def state(self) -> ChassisState:
        """Show the whole chassis."""
        if self._chassis is None:
            return ChassisState(station=self._settings.station, epoch=0, director=None, slots=())
        now = self._loop.time()
        state = chassis_state(self._settings.station, self._chassis, self._gauges.supplies, now, time.time())
        slots = [msgspec.structs.replace(slot, line_faults=self._faults[slot.slot]) for slot in state.slots]
        return msgspec.structs.replace(
            state, slots=tuple(slots), failed_logins=self._failed_logins, inlet_celsius=self._gauges.inlet_celsius
        )

    def events(self, after: int) -> Events:
        """Show the event log after a record."""
        return Events(events=(), last=0) if self._board is None else self._board.events(after)

    def knows(self, request: Request) -> bool:
        """Tell whether a request is one of the commands of the controller at 20h."""
        return self._board is not None and self._board.knows(request)

    def answer(self, request: Request) -> Response:
        """Carry out a request to the controller at 20h."""
        if self._board is None:
            return request.respond(CompletionCode.NODE_BUSY)
        response = self._board.answer(request)
        self.look()
        return response

    def relay(self, slot: int, relay: Relay) -> bool:
        """Pass somebody else's request on to a slot's blade, or take it for the order that it is.

        False, and nothing will come of it, if there is no such slot, no blade in it, or too many requests wait for it.
        """
        seen = None if self._chassis is None else self._chassis.slots.get(slot)
        if seen is None or seen.away or self._bridged is None:
            return False
        passed_on = self._bridged.take(slot, relay)
        if passed_on is not None and not seen.relay(passed_on, self._loop.time()):
            return False
        self.look()
        return True

    def pass_on(self, slot: int, request: Request, ended: Callable[[Response | None], None]) -> bool:
        """Relay a request; `ended` gets its response, None if there is none. False as `relay` gives it."""
        relay = Relay(
            net_fn=request.net_fn,
            command=request.command,
            data=request.data,
            lun=request.responder_lun,
            ended=ended,
        )
        return self.relay(slot, relay)

    def look(self) -> None:
        """Have the chassis looked after now: something was asked of it."""
        self._asked_to_look = True
        self._wake.set()

    def when_kept(self, call: Callable[[], None]) -> None:
        """Call once, as soon as all that has been ordered so far is on disk."""
        self._keeper.when_kept(call)
        self.look()

    def failed_login(self, total: int) -> None:
        """Note a wrong password at the LAN interface."""
        self._failed_logins = total
        now = self._loop.time()
        if now >= self._login_notice_from:
            self._login_notice_from = now + _LOGIN_NOTICE_S
            shown = min(total, 0xFFFF)
            self._note(Notice(kind=NoticeKind.LOGIN, detail=(shown & 0xFF, shown >> 8)))

    async def run(self) -> None:
        """Manage until cancelled.

        Raises OSError: what is kept cannot be read, nor set aside; ValueError: the profile's sensors contradict each
        other.
        """
        chassis = await self._begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._manage(chassis), name="manage the chassis")
            tasks.create_task(self._keeper.run(chassis, partial(self._kept, chassis)), name="keep what was ordered")
            tasks.create_task(self._gauges.run(partial(self._measured, chassis)), name="measure the chassis")

    async def _begin(self) -> Chassis:
        folder = self._settings.state_folder
        await self._loop.run_in_executor(None, partial(folder.mkdir, parents=True, exist_ok=True))
        kept_epoch, journal = await self._keeper.read()
        self._log_file = await KeptFile.open(DiskFiles(), folder / "events", rebuilt="the event log begins anew")
        counters = await KeptFile.open(DiskFiles(), folder / "counters", rebuilt="time on is counted from now on")
        records = await KeptFile.open(DiskFiles(), folder / "records", rebuilt="tools read all records again")
        chassis = Chassis(self._settings, kept_epoch, self._rng, self._loop.time(), journal=journal, notice=self._note)
        chassis.service.grants.capacity_w = self._gauges.supplies.capacity_w
        self._board = ManagementBoard(
            self._settings,
            chassis,
            profile=self._gauges.profile,
            measurements=self._gauges.measurements,
            supplies=self._gauges.supplies,
            event_log=self._log_file,
            counters=counters,
            records=records,
            lines_work=self._lines_work,
        )
        self._bridged = BridgedOrders(chassis, self.when_kept)
        self._chassis = chassis
        self.begun.set()
        return chassis

    async def _manage(self, chassis: Chassis) -> None:
        self._step(chassis)
        while True:
            asked = await self._sleep_until(chassis.due)
            now = self._loop.time()
            if asked or not chassis.settled(now):
                self._step(chassis)
            elif now >= chassis.due:  # not if all that was due was answers that have come meanwhile
                self._step(chassis, settled=True)

    def _step(self, chassis: Chassis, *, settled: bool = False) -> None:
        now = self._loop.time()
        self._look_at_lines(chassis, now)
        self._send(chassis.poll(now) if settled else chassis.tick(now))
        if chassis.moves != self._moves:
            self._moves = chassis.moves
            self.slots_moved()
        if chassis.keep_due is not None:
            self._keeper.look()

    def _kept(self, chassis: Chassis) -> None:
        self._step(chassis)
        self.look()

    def _received(self, slot: int, message: Request | Response) -> None:
        if self._chassis is None:
            return
        now = self._loop.time()
        if isinstance(message, Request):
            self._asked(slot, message, now)
            return
        moves = self._chassis.moves
        if not self._chassis.receive(slot, message, now):
            send = self._chassis.go_on(slot, now)
            if send is not None:
                self._send([send])
            if self._chassis.moves == moves:
                return
        self.look()

    def _asked(self, slot: int, request: Request, now: float) -> None:
        """Take a blade's event. It is acknowledged when it is on disk; a blade asks one thing at a time."""
        if self._board is None or self._log_file is None or slot in self._answering:
            return
        response = self._board.answer_blade(slot, request, now)
        if response is not None:
            task = self._loop.create_task(self._acknowledge(slot, response, self._log_file), name="acknowledge")
            self._answering[slot] = task

    async def _acknowledge(self, slot: int, response: Response, log_file: KeptFile) -> None:
        try:
            await log_file.settle()
            self._lines[slot].send(response)
        finally:
            del self._answering[slot]

    def _send(self, sends: Iterable[Send]) -> None:
        for slot, request in sends:
            self._lines[slot].send(request)

    def _look_at_lines(self, chassis: Chassis, now: float) -> None:
        """Count what came and was no message, and see whether a line has hung up."""
        for number, line in self._lines.items():
            slot = chassis.slots[number]
            faults = line.frame_faults.total() + line.faults.total()
            if faults != self._faults[number]:
                slot.noise(faults - self._faults[number], now)
                self._faults[number] = faults
            if line.usable:
                slot.line_opened()
            elif not slot.hung_up:
                slot.line_closed(now)

    def _lines_work(self) -> bool:
        return all(line.usable for line in self._lines.values())

    def _measured(self, chassis: Chassis, changes: list[tuple[int, bool]]) -> None:
        for index, works in changes:
            self._note(Notice(kind=NoticeKind.SUPPLY, number=index, asserted=not works))
        chassis.service.grants.capacity_w = self._gauges.supplies.capacity_w
        if changes:
            self.look()
        if self._board is not None:
            self._board.settle()

    def _note(self, notice: Notice) -> None:
        if self._board is not None:
            self._board.note(notice)

    async def _sleep_until(self, due: float) -> bool:
        """Sleep until it is due, or `look` is called; tell whether it was."""
        timer = self._loop.call_at(due, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        asked, self._asked_to_look = self._asked_to_look, False
        self._wake.clear()
        return asked
