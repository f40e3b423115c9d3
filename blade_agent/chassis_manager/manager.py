"""The chassis manager at work: the chassis on its lines, in the running event loop."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random

from blade_agent.cbc.basic_mode import BasicMode
from blade_agent.cbc.line import Framing, Line, MessageLine
from blade_agent.cbc.message import Request, Response
from blade_agent.cbc.rmcp import Rmcp
from blade_agent.cbc.serial_line import serial_line
from blade_agent.cbc.udp_line import udp_line
from blade_agent.chassis_manager.chassis import Chassis, Send
from blade_agent.chassis_manager.epoch_file import keep_epoch, read_epoch
from blade_agent.chassis_manager.requester import Relay
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort, UdpPeer
from blade_agent.chassis_manager.snapshot import SlotSnapshot, snapshot_of
from media_network.address import Address

logger = logging.getLogger(__name__)


class ChassisManager:
    """One chassis, managed while `run` runs. The lines, one a slot, go on belonging to the caller."""

    def __init__(self, settings: ManagerSettings, lines: Mapping[int, Line], rng: Random) -> None:
        self._settings = settings
        self._epoch_file = Path(settings.epoch_file)
        self._wake = asyncio.Event()
        self._rng = rng
        self._chassis: Chassis | None = None
        self._lines = {
            number: MessageLine(line, _framing(settings.slots[number]), partial(self._received, number))
            for number, line in lines.items()
        }

    def snapshot(self) -> tuple[SlotSnapshot, ...]:
        """Show all slots by number; none before `run` has begun."""
        return () if self._chassis is None else tuple(map(snapshot_of, self._chassis.slots.values()))

    def relay(self, slot: int, relay: Relay) -> bool:
        """Pass somebody else's request on to a slot's blade.

        False, and nothing will come of it, if there is no such slot, no blade in it, or too many requests wait for it.
        """
        seen = None if self._chassis is None else self._chassis.slots.get(slot)
        if seen is None or seen.away or not seen.relay(relay):
            return False
        self._wake.set()
        return True

    async def run(self) -> None:
        """Manage until cancelled.

        Raises:
            EpochFileError: the epoch file holds no epoch.
            OSError: it cannot be read.
        """
        loop = asyncio.get_running_loop()
        kept_epoch = await loop.run_in_executor(None, read_epoch, self._epoch_file)
        self._chassis = chassis = Chassis(self._settings, kept_epoch, self._rng, loop.time())
        while True:
            self._wake.clear()
            self._send(chassis.tick(loop.time()))
            await self._keep_epoch(chassis)
            await self._sleep_until(chassis.due)

    def _received(self, slot: int, message: Request | Response) -> None:
        if self._chassis is not None:
            self._send(self._chassis.receive(slot, message, asyncio.get_running_loop().time()))
            self._wake.set()

    def _send(self, sends: Iterable[Send]) -> None:
        for slot, request in sends:
            self._lines[slot].send(request)

    async def _keep_epoch(self, chassis: Chassis) -> None:
        loop = asyncio.get_running_loop()
        epoch = chassis.epoch_to_keep(loop.time())
        if epoch is None:
            return
        try:
            await loop.run_in_executor(None, keep_epoch, self._epoch_file, epoch)
        except OSError as error:
            logger.error("no director can be appointed: epoch %d is not kept: %s", epoch, error)  # noqa: TRY400 - the sentence says it all
            chassis.epoch_not_kept(loop.time())
        else:
            chassis.epoch_kept(epoch)
            self._wake.set()

    async def _sleep_until(self, due: float) -> None:
        try:
            async with asyncio.timeout_at(due):
                await self._wake.wait()
        except TimeoutError:
            return


async def open_lines(settings: ManagerSettings) -> dict[int, Line]:
    """Open every slot's line.

    Raises:
        LineUnavailableError: a serial port cannot be opened; those that were are closed again.
    """
    lines: dict[int, Line] = {}
    try:
        for number, wire in settings.slots.items():
            lines[number] = await _open(wire)
    except BaseException:
        close_lines(lines)
        raise
    return lines


def close_lines(lines: Mapping[int, Line]) -> None:
    """Give the wires back."""
    for line in lines.values():
        line.close()


async def manage(settings: ManagerSettings, lines: Mapping[int, Line], rng: Random) -> None:
    """Manage a chassis on these lines until cancelled. Raises as `ChassisManager.run` does."""
    await ChassisManager(settings, lines, rng).run()


async def _open(wire: SerialPort | UdpPeer) -> Line:
    if isinstance(wire, SerialPort):
        return serial_line(wire.path, wire.baud_rate_bps)
    return await udp_line(Address.parse(wire.address))


def _framing(wire: SerialPort | UdpPeer) -> Framing:
    return BasicMode() if isinstance(wire, SerialPort) else Rmcp()
