"""A run: hosts with programs on them, a network that fails as the seed wants, and virtual time.

with Simulation(seed) as simulation:
    engine = simulation.host("127.1.1.2")
    simulation.start(engine, lambda: run_blade(settings))
    simulation.run_until_complete(play_the_story())
    print(simulation.trace_hash)
"""

import asyncio
import gc
import math
import random
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.disk import Disk
from chassis_emulator.simulation.errors import Escaped, SimulationError
from chassis_emulator.simulation.hosts import CURRENT_BOOT, Boot, Death, Host
from chassis_emulator.simulation.isolation import isolated
from chassis_emulator.simulation.line import SerialWire
from chassis_emulator.simulation.links import Links
from chassis_emulator.simulation.loop import SimulatedLoop
from chassis_emulator.simulation.network import SimulatedNetwork
from chassis_emulator.simulation.trace import Trace
from media_network.callback import do_nothing

_T = TypeVar("_T")

Program = Callable[[], Coroutine[Any, Any, object]]
"""Makes the coroutine that a host runs from its boot on; called anew at each boot."""

ONLOOKER = "127.255.255.254"
"""Address of the host on which `run_until_complete` runs: the person who looks on."""


class Simulation:
    """A whole network in virtual time. Everything in it follows from the seed."""

    def __init__(self, seed: int, *, weather: Conditions | None = None, bandwidth_bps: float = 1e9) -> None:
        self.seed = seed
        self.trace = Trace()
        self.loop = SimulatedLoop(self.rng("loop"))
        self.links = Links(self.loop, self.rng("network"), self.trace, weather=weather, bandwidth_bps=bandwidth_bps)
        self.network = SimulatedNetwork(self.links)
        self.hosts = self.network.addresses.hosts
        self.wires: dict[str, SerialWire] = {}
        self.disks: dict[str, Disk] = {}
        self._disks_of: dict[Host, list[Disk]] = {}
        self._programs: dict[Host, list[Program]] = {}
        self._power_rng = self.rng("power")
        self._isolation_rng = self.rng("isolation")
        self._failure_told = False
        self._onlooker = self.network.start(self.host(ONLOOKER))
        _set_aside_what_was_there()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        failure = self.close()
        if failure and error is None:
            raise failure

    def rng(self, name: str) -> random.Random:
        """Randomness of its own for a part of the run, so that more draws in one part change nothing in another."""
        return random.Random(f"{self.seed}/{name}")

    # The world

    def host(self, address: str, *, shared_addresses: Iterable[str] = ()) -> Host:
        """The host of this address; a new one, down, when there was none."""
        return self.network.addresses.host(address, shared_addresses=shared_addresses)

    def wire(self, name: str, baud_rate_bps: int = 115200) -> SerialWire:
        """A serial wire; hosts take hold of its ends with `open`."""
        self.wires[name] = SerialWire(self.links, self.rng(f"wire {name}"), name, baud_rate_bps)
        return self.wires[name]

    def disk(self, name: str, host: Host, mounted_at: Path, **settings: Any) -> Disk:
        """A disk of a host, which loses what is not durable when the host loses its power. Settings: see `Disk`."""
        disk = Disk(self.loop, self.trace, self.rng(f"disk {name}"), mounted_at=mounted_at, **settings)
        self.disks[name] = disk
        self._disks_of.setdefault(host, []).append(disk)
        return disk

    # What happens to hosts

    def start(self, host: Host, program: Program) -> None:
        """Run a program on a host, now and at each later boot; boots it when it is down."""
        self._programs.setdefault(host, []).append(program)
        self._launch(host.boot or self.network.start(host), program)

    def crash(self, host: Host) -> None:
        """SIGKILL to all that runs on a host. Its disks keep what was written; its peers are told by its kernel."""
        self.network.crash(host, Death.KILLED)

    def power_cut(self, host: Host) -> None:
        """Pull the plug: peers hear nothing, disks lose what was not durable."""
        if host.boot:
            self.network.crash(host, Death.POWER_CUT)
            for disk in self._disks_of.get(host, []):
                disk.power_cut(self._power_rng)

    def hang(self, host: Host) -> Callable[[], None]:
        """SIGSTOP to all that runs on a host; what is returned is SIGCONT."""
        boot = host.boot
        if boot is None or boot.hung:
            return do_nothing
        boot.hung = True
        self.links.trace("hung", host.address)

        def go_on() -> None:
            boot.hung = False
            held, boot.held = boot.held, []
            for late in held if boot.alive else ():
                self.links.at(self.loop.time(), late)

        return go_on

    def restart(self, host: Host) -> None:
        """Boot a host that is down, with all its programs. Does nothing when it is up."""
        if host.boot is None:
            boot = self.network.start(host)
            for program in self._programs.get(host, []):
                self._launch(boot, program)

    def _launch(self, boot: Boot, program: Program) -> None:
        context = copy_context()
        context.run(CURRENT_BOOT.set, boot)
        coroutine = context.run(program)
        name = f"{getattr(program, '__qualname__', 'program')} on {boot.host.address}"
        task = self.loop.create_task(coroutine, name=name, context=context)
        boot.kept.append(task)
        task.add_done_callback(self._note_end, context=context)

    def _note_end(self, task: asyncio.Task[object]) -> None:
        if not task.cancelled() and (error := task.exception()):
            failure = Escaped(self.loop.time(), f"{task.get_name()} ended by {error!r}")
            failure.__cause__ = error
            self.loop.fail(failure)

    # Time

    def run(self, until_s: float) -> None:
        """Let time pass until this moment. Raises SimulationError."""
        self.links.at(until_s, self.loop.stop)
        with self._running():
            self.loop.run_forever()

    def run_until_complete(self, coroutine: Coroutine[Any, Any, _T], *, within_s: float = 3600.0) -> _T:
        """Run something as the onlooker and return what it returns. Raises what it raises, or SimulationError."""
        context = copy_context()
        context.run(CURRENT_BOOT.set, self._onlooker)
        task = self.loop.create_task(coroutine, name="the onlooker", context=context)
        self.loop.patience_ends_s = self.loop.time() + within_s
        try:
            with self._running():
                result: _T = self.loop.run_until_complete(task)
        finally:
            self.loop.patience_ends_s = math.inf
        return result

    @contextmanager
    def _running(self) -> Iterator[None]:
        try:
            with isolated(self.loop.time, self._isolation_rng):
                yield
        except BaseException as error:
            self._failure_told = self._failure_told or error is self.loop.failure
            error.add_note(f"seed {self.seed}; the last that happened:\n" + "\n".join(self.trace.tail()[-20:]))
            raise

    @property
    def trace_hash(self) -> str:
        """Digest of all that happened."""
        return self.trace.hash

    def close(self) -> SimulationError | None:
        """End of the run. Returns a failure not yet raised: a task that died of an exception that nobody took."""
        gc.collect()
        with _last_words_unheard():
            self.loop.close()
            for disk in self.disks.values():
                disk.close()
            for host in self.hosts.values():
                for boot in host.boots:
                    boot.kept.clear()
                    boot.sockets.clear()
            gc.collect()
        return None if self._failure_told else self.loop.failure


@cache
def _set_aside_what_was_there() -> None:
    """What a process has before its first run is not looked through each time that the garbage of one is collected."""
    gc.collect()
    gc.freeze()


@contextmanager
def _last_words_unheard() -> Iterator[None]:
    """Python reports each coroutine that awaits something in a `finally` while it is collected: here all do."""
    heard, sys.unraisablehook = sys.unraisablehook, do_nothing
    try:
        yield
    finally:
        sys.unraisablehook = heard
