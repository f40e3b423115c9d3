"""The processes of a network: which should live, which do, and how those that do not came to their end."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from chassis_emulator.processes.nursery import ProcessEnded
from chassis_emulator.processes.nursery_client import ForkRefused, NurseryClient
from media_network.callback import do_nothing
from media_network.status import ProcessStatus, StatusFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProcessPlace:
    """Where in the network a process is."""

    role: str
    """Until the process says another."""
    station: str | None
    slot: int | None
    host: str
    ipmi: str | None = None
    """Where IPMI tools are answered, `host:port`."""
    snmp: str | None = None
    """Where SNMP managers are answered, `host:port`."""
    media: str | None = None
    """Where consoles are served, `host:port`, if that does not follow from what the process says."""


@dataclass
class Process:
    """One process of the network, over all its lives."""

    name: str
    place: ProcessPlace
    part: str
    settings: Struct
    state: Path
    log: Path
    prepare: Callable[[], None] = do_nothing
    """Called before each of its lives."""
    pid: int | None = None
    exit_code: int | None = None
    """Of its last life."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    hung: bool = False
    """Stopped by SIGSTOP, until somebody lets it go on."""
    held_by: set[str] = field(default_factory=set)
    """What keeps it from living, such as that its slot is empty; it is not missed as long as there is something."""
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is started or killed."""

    def __post_init__(self) -> None:
        self._status_file = StatusFile(self.state)

    @property
    def wanted(self) -> bool:
        """Whether it should live."""
        return not self.held_by

    @property
    def condition(self) -> str:
        """What the environment knows of it: `running`, `hung`, `stopped` or `crashed`."""
        if self.pid is not None:
            return "hung" if self.hung else "running"
        return "stopped" if self.stopping or self.exit_code == 0 else "crashed"

    @property
    def status(self) -> ProcessStatus:
        """What it says of itself; nothing, if it has ended or only an earlier one has spoken."""
        status = self._status_file.read()
        if status is None or status.pid != self.pid:
            return ProcessStatus(pid=self.pid or 0, role="", state="")
        return status


class Processes:
    """Starts and ends them by the nursery."""

    def __init__(self, processes: Iterable[Process], nursery: NurseryClient) -> None:
        self.all = tuple(processes)
        self._nursery = nursery
        self.by_name = {process.name: process for process in self.all}
        nursery.on_end = self._note_end

    async def start_missing(self) -> tuple[str, ...]:
        """Start every process that does not live and should; returns their names."""
        missing = [process for process in self.all if process.pid is None and process.wanted]
        await asyncio.gather(*map(self._start, missing))
        return tuple(process.name for process in missing)

    async def start(self, process: Process) -> None:
        """Start one, if it does not live and should."""
        await self._start(process)

    async def kill(self, process: Process) -> None:
        """End one at once, by SIGKILL; returns when it is gone."""
        async with process.changing:
            if process.pid is not None:
                await self._nursery.signal(process.name, signal.SIGKILL)
                await process.ended.wait()

    async def restart(self, process: Process, grace_s: float = 5.0) -> None:
        """End one as `end` does, and start it again if it should live."""
        async with process.changing:
            process.stopping = True
            for number in (signal.SIGTERM, signal.SIGKILL):
                if process.pid is None:
                    break
                await self._nursery.signal(process.name, number)
                with suppress(TimeoutError):
                    async with asyncio.timeout(grace_s):
                        await process.ended.wait()
            if process.wanted:
                await self._give_birth(process)

    async def hang(self, process: Process, *, hung: bool) -> None:
        """Let one stand still (SIGSTOP), or go on (SIGCONT)."""
        process.hung = hung and process.pid is not None
        await self._nursery.signal(process.name, signal.SIGSTOP if hung else signal.SIGCONT)

    async def end(self, grace_s: float = 5.0) -> None:
        """End all: first by SIGTERM, and by SIGKILL whoever has not obeyed after `grace_s`."""
        living = [process for process in self.all if process.pid is not None]
        for process in living:
            process.stopping = True
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
            for process in living:
                await self._nursery.signal(process.name, number)
                await self._nursery.signal(process.name, signal.SIGCONT)
            try:
                async with asyncio.timeout(patience_s):
                    await asyncio.gather(*(process.ended.wait() for process in living))
            except TimeoutError:
                continue
            return

    async def _start(self, process: Process) -> None:
        async with process.changing:
            if process.pid is None and process.wanted:
                await self._give_birth(process)

    async def _give_birth(self, process: Process) -> None:
        process.ended.clear()
        process.stopping = process.hung = False
        try:
            process.prepare()
            pid = await self._nursery.fork(process.name, process.part, process.settings, process.log)
        except (ForkRefused, OSError) as error:
            logger.warning("%s cannot be started: %s", process.name, error)
            with suppress(OSError), process.log.open("a") as log:
                log.write(f"{error}\n")
            process.exit_code = 1
            process.ended.set()
        else:
            # One that failed at once is reported gone before this line is reached.
            process.pid = None if process.ended.is_set() else pid
            logger.info("%s begins as process %d", process.name, pid)

    def _note_end(self, report: ProcessEnded) -> None:
        process = self.by_name[report.name]
        as_it_should = process.stopping or report.exit_code == 0
        logger.log(
            logging.INFO if as_it_should else logging.WARNING, "%s has ended %s", report.name, _how(report.exit_code)
        )
        process.pid = None
        process.hung = False
        process.exit_code = report.exit_code
        process.ended.set()


def _how(exit_code: int) -> str:
    return f"with exit code {exit_code}" if exit_code >= 0 else f"by signal {-exit_code}"
