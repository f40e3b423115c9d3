"""The processes of a network: which should live, which do, and how those that do not came to their end."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from chassis_emulator.nursery import Ended
from chassis_emulator.nursery_client import ForkRefused, NurseryClient
from media_network.status import ProcessStatus, read_status


@dataclass(frozen=True)
class Place:
    """Where in the network a process is."""

    role: str
    """Until the process says another."""
    station: str | None
    slot: int | None
    host: str
    ipmi: str | None = None
    """Where IPMI tools are answered, `host:port`."""


@dataclass
class Process:
    """One process of the network, over all its lives."""

    name: str
    place: Place
    part: str
    settings: Struct
    state: Path
    log: Path
    prepare: Callable[[], None] = lambda: None
    """Called before each of its lives."""
    pid: int | None = None
    exit_code: int | None = None
    """Of its last life."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False

    @property
    def condition(self) -> str:
        """What the environment knows of it: `running`, `stopped` or `crashed`."""
        if self.pid is not None:
            return "running"
        return "stopped" if self.stopping or self.exit_code == 0 else "crashed"

    @property
    def status(self) -> ProcessStatus:
        """What it says of itself; nothing, if it has ended or only an earlier one has spoken."""
        status = read_status(self.state)
        if status is None or status.pid != self.pid:
            return ProcessStatus(pid=self.pid or 0, role="", state="")
        return status


class Processes:
    """Starts and ends them by the nursery."""

    def __init__(self, processes: Iterable[Process], nursery: NurseryClient) -> None:
        self.all = tuple(processes)
        self._nursery = nursery
        self._by_name = {process.name: process for process in self.all}
        nursery.on_end = self._note_end

    async def start_missing(self) -> tuple[str, ...]:
        """Start every process that does not live; returns their names."""
        missing = [process for process in self.all if process.pid is None]
        await asyncio.gather(*map(self._start, missing))
        return tuple(process.name for process in missing)

    async def end(self, grace_s: float = 5.0) -> None:
        """End all: first by SIGTERM, and by SIGKILL whoever has not obeyed after `grace_s`."""
        living = [process for process in self.all if process.pid is not None]
        for process in living:
            process.stopping = True
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
            for process in living:
                await self._nursery.signal(process.name, number)
            try:
                async with asyncio.timeout(patience_s):
                    await asyncio.gather(*(process.ended.wait() for process in living))
            except TimeoutError:
                continue
            return

    async def _start(self, process: Process) -> None:
        process.prepare()
        process.ended.clear()
        process.stopping = False
        try:
            pid = await self._nursery.fork(process.name, process.part, process.settings, process.log)
        except ForkRefused as error:
            with process.log.open("a") as log:
                log.write(f"{error}\n")
            process.exit_code = 1
            process.ended.set()
        else:
            # One that failed at once is reported gone before this line is reached.
            process.pid = None if process.ended.is_set() else pid

    def _note_end(self, report: Ended) -> None:
        process = self._by_name[report.name]
        process.pid = None
        process.exit_code = report.exit_code
        process.ended.set()
