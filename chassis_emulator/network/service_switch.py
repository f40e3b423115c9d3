"""A station's service address: whatever goes there reaches the blade that directs, whichever it is.

On a real network the address moves: the director takes it, and the switch learns where it is. All emulated blades share
one kernel, where a director that hangs would keep the address; so the environment stands for the switch, and carries
connections. It is a patient switch: a connection waits for a director while there is none, and what a director has not
begun to answer when another takes its place goes to that one, if asking twice does no harm.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Self

from blade_agent.backplane.role import Role
from chassis_emulator.processes.processes import Process, Processes
from chassis_emulator.topology.plan import ChassisPlan
from media_network.address import Address
from media_network.http.gate import ConnectionGate
from media_network.http.server import ACCEPTED_AT_ONCE, let_wait
from media_network.rtp import RTSP_PORT

logger = logging.getLogger(__name__)

PATIENCE_S = 15.0
"""How long a connection waits for a director."""
_LOOK_EVERY_S = 0.05
_CHUNK_BYTES = 64 * 1024
_UNANSWERED_BYTES_MAX = 64 * 1024
_CONNECTIONS_MAX = 512
_SILENT_S = 75.0
"""Who says nothing for so long, and waits for nothing, has gone: as at the blades' own ports."""
_SAFE = (b"GET ", b"HEAD ", b"OPTIONS ", b"DESCRIBE ")
"""Methods that may be repeated (RFC 9110, 9.2.1; RFC 2326, 10)."""


class ServiceSwitch:
    """Carries what goes to the service address of one station, while the context is open."""

    def __init__(self, chassis: ChassisPlan, processes: Processes) -> None:
        self._host = chassis.service.host
        self._media_port = chassis.service.port
        self._hosts = {processes.by_name[blade.name].name: blade.media.host for blade in chassis.blades}
        self._processes: Sequence[Process] = [processes.by_name[blade.name] for blade in chassis.blades]
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = ConnectionGate(_CONNECTIONS_MAX)
        self._directing = {port: Directing(partial(self._look, port)) for port in (self._media_port, RTSP_PORT)}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for port, directing in self._directing.items():
            server = await asyncio.start_server(
                partial(self._accept, directing), self._host, port, limit=_CHUNK_BYTES, backlog=ACCEPTED_AT_ONCE
            )
            for listening in server.sockets:
                let_wait(listening.fileno())
            await self._open.enter_async_context(server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._open.aclose()

    def _look(self, port: int) -> Address | None:
        """This port of the blade that directs now: of two that say so, the one appointed last."""
        directing = [
            (process.status.epoch, process.name)
            for process in self._processes
            if process.pid is not None and process.status.role == Role.DIRECTOR and process.status.media
        ]
        return Address(self._hosts[max(directing)[1]], port) if directing else None

    async def _accept(self, directing: "Directing", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("connections are accepted by tasks")
        self._tasks.add(task)
        carried = _Carried(reader, writer, directing, self._gate)
        self._gate.made(carried, carried.host)
        try:
            with _closing(writer), directing.watched():
                await carried.carry()
        except OSError:
            writer.transport.abort()
        finally:
            self._gate.lost(carried)
            self._tasks.discard(task)


class Directing:
    """Who directs, looked up for all connections together, and for as long as there are any."""

    def __init__(self, look: Callable[[], Address | None]) -> None:
        self._look = look
        self._address: Address | None = None
        self._changed = asyncio.Event()
        self._watchers = 0
        self._watching: asyncio.Task[None] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep it up to date as long as the context lasts."""
        self._watchers += 1
        if self._watching is None:
            self._address = self._look()
            self._watching = asyncio.create_task(self._keep_looking(), name="who directs")
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers and self._watching:
                self._watching.cancel()
                self._watching = None

    async def now(self) -> Address:
        """Who directs, as soon as anybody does."""
        while self._address is None:
            await self._changed.wait()
        return self._address

    async def another(self, address: Address) -> None:
        """Return when another directs."""
        while self._address in (address, None):
            await self._changed.wait()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            found = self._look()
            if found != self._address:
                self._address = found
                self._changed.set()
                self._changed = asyncio.Event()


class _Carried:
    """One connection of a player."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, directing: Directing, gate: ConnectionGate
    ) -> None:
        self.host = str(writer.get_extra_info("peername")[0])
        self._reader = reader
        self._writer = writer
        self._directing = directing
        self._gate = gate
        self._unanswered = bytearray()
        """What the player has said since it was last answered."""

    async def carry(self) -> None:
        """Carry it to one director after the other until the player has gone. Raises OSError."""
        self._unanswered += await self._hear()
        while self._unanswered:
            async with asyncio.timeout(PATIENCE_S):
                address, reader, writer = await self._connect()
            with _closing(writer):
                writer.write(self._unanswered)
                over = await self._exchange(reader, writer, address)
            if over or not self._may_repeat:
                return

    def force_close(self) -> None:
        """There are too many: this one goes."""
        self._writer.transport.abort()

    async def _hear(self) -> bytes:
        """What the player says next; nothing when it has gone, or has been silent for long."""
        try:
            async with asyncio.timeout(None if self._unanswered else _SILENT_S):
                said = await self._reader.read(_CHUNK_BYTES)
        except TimeoutError:
            return b""
        self._gate.busy(self)
        return said

    async def _connect(self) -> tuple[Address, asyncio.StreamReader, asyncio.StreamWriter]:
        """To whoever directs, as soon as he can be reached."""
        while True:
            address = await self._directing.now()
            try:
                reader, writer = await asyncio.open_connection(*address, limit=_CHUNK_BYTES, local_addr=(self.host, 0))
            except OSError:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                return address, reader, writer

    @property
    def _may_repeat(self) -> bool:
        return self._unanswered.startswith(_SAFE) and len(self._unanswered) <= _UNANSWERED_BYTES_MAX

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address) -> bool:
        """Carry both ways until the player has gone (True), or this director has (False)."""
        up = asyncio.create_task(self._carry_up(writer))
        down = asyncio.create_task(self._carry_down(reader))
        moved = asyncio.create_task(self._directing.another(address))
        tasks = {up, down, moved}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        return up in done

    async def _carry_up(self, writer: asyncio.StreamWriter) -> None:
        while data := await self._hear():
            self._unanswered += data
            del self._unanswered[: max(0, len(self._unanswered) - _UNANSWERED_BYTES_MAX - 1)]
            writer.write(data)
            await writer.drain()

    async def _carry_down(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK_BYTES):
                self._unanswered.clear()
                self._gate.idle(self)
                self._writer.write(data)
                await self._writer.drain()


@contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    finally:
        writer.close()
