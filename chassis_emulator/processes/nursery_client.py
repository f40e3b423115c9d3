"""The environment's end of the nursery: ask for processes, hear of their ends."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from chassis_emulator.processes.nursery import MESSAGE_BYTES_MAX, Fork, Forked, NotForked, ProcessEnded, Signal
from chassis_emulator.processes.parts import encode_settings
from media_network.callback import do_nothing

_report = msgspec.json.Decoder(Forked | NotForked | ProcessEnded)


class ForkRefused(Exception):
    """The kernel did not fork."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name} could not be started: {self.reason}"


class NurseryClient:
    """Starts and signals processes by name. A name is one process at a time."""

    def __init__(self, requests: socket.socket) -> None:
        requests.settimeout(0)
        self._requests = requests
        self.on_end: Callable[[ProcessEnded], None] = do_nothing
        """Told of every process that is gone."""
        self._sending = asyncio.Lock()
        self._births: dict[str, asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._requests, self._read_reports)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._requests)
        self._requests.close()

    async def fork(self, name: str, part: str, settings: Struct, log: Path) -> int:
        """Start a process; returns its id. Raises ForkRefused."""
        loop = asyncio.get_running_loop()
        birth: asyncio.Future[int] = loop.create_future()
        self._births[name] = birth
        await self._send(Fork(name, part, encode_settings(settings), str(log)))
        return await birth

    async def signal(self, name: str, number: int) -> None:
        """Send a signal to a process, if it still lives."""
        await self._send(Signal(name, number))

    async def _send(self, request: Fork | Signal) -> None:
        async with self._sending:
            await asyncio.get_running_loop().sock_sendall(self._requests, msgspec.json.encode(request))

    def _read_reports(self) -> None:
        try:
            message = self._requests.recv(MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return
        if not message:
            # The nursery is gone, and with it every process: the kernel saw to that.
            asyncio.get_running_loop().remove_reader(self._requests)
            return
        report = _report.decode(message)
        match report:
            case Forked(name, pid):
                self._births.pop(name).set_result(pid)
            case NotForked(name, reason):
                self._births.pop(name).set_exception(ForkRefused(name, reason))
            case ProcessEnded():
                self.on_end(report)
