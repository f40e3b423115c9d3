"""Hosts, and which of them runs the code that runs now.

Every callback of the loop carries a context; in it stands the boot of the host that it belongs to. A host that crashed
has no boot that lives, so nothing of it runs again, not even a `finally`: that is what SIGKILL and a pulled plug do.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar
from enum import Enum, auto
from functools import partial
from typing import Any, Protocol

from chassis_emulator.simulation.cpu_meter import CpuMeter

LOOPBACK = "127.0.0.1"
"""The address by which each host means itself."""

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 -- compared with what a program asks for; no socket is opened

Endpoint = tuple[str, int]
"""An address and a port."""


class Death(Enum):
    """How a boot ended."""

    KILLED = auto()
    """The kernel lived on: it closed the connections of the process, and the disk kept what was written."""
    POWER_CUT = auto()
    """Everything fell silent at once."""


class Socket(Protocol):
    """What a boot has open on the network."""

    def die(self, death: Death) -> None:
        """The boot is over: whatever happens next, the protocol hears nothing of it."""


class Boot:
    """One life of a host: from its start to its crash."""

    __slots__ = ("alive", "death", "held", "host", "hung", "kept", "sockets")

    def __init__(self, host: "Host") -> None:
        self.host = host
        self.alive = True
        self.death: Death | None = None
        self.hung = False
        """Its processes are stopped (SIGSTOP): its kernel goes on taking connections and what comes over them."""
        self.held: list[Callable[[], Any]] = []
        """What would have run meanwhile, in order."""
        self.sockets: dict[Socket, None] = {}
        self.kept: list[object] = []
        """What nobody else may hold: its programs, and all that it left when it ended, for a coroutine that is
        collected would run its `finally` blocks."""

    def call(self, context: Context, callback: Callable[..., object], *args: object) -> None:
        """Call something of a program's in its context, from the wire; later, if it is hung."""
        if self.hung:
            self.held.append(partial(context.run, callback, *args))
        elif self.host.meter:
            self.host.meter.run(partial(context.run, callback, *args))
        else:
            context.run(callback, *args)

    def end(self, death: Death, tasks: list[asyncio.Task[object]]) -> None:
        """Stop it in its tracks."""
        self.alive = False
        self.death = death
        self.kept += tasks
        for socket in list(self.sockets):
            socket.die(death)
        self.kept += self.sockets


class Host:
    """A machine with an address, up or down."""

    def __init__(self, address: str, shared_addresses: tuple[str, ...] = ()) -> None:
        self.address = address
        self.shared_addresses = shared_addresses
        """Addresses that several hosts may use, such as the virtual service address of a station."""
        self.boots: list[Boot] = []
        self.meter: CpuMeter | None = None
        """What counts its CPU; None: nobody wants to know."""
        self.sent_bytes = 0
        """What has left it so far, all told."""
        self.line_free_at_s = 0.0
        """When what it has sent so far will have left its network interface."""
        self._next_port = 32768

    def __repr__(self) -> str:
        return f"<host {self.address}>"

    @property
    def boot(self) -> Boot | None:
        """The boot that lives, or None while the host is down."""
        return self.boots[-1] if self.boots and self.boots[-1].alive else None

    @property
    def answers(self) -> bool:
        """Whether its kernel runs: where the processes were killed it refuses, for nobody listens."""
        return bool(self.boots) and (self.boots[-1].alive or self.boots[-1].death is Death.KILLED)

    def start(self) -> Boot:
        """Begin a new life. Raises RuntimeError when it has one."""
        if self.boot:
            raise RuntimeError(f"host {self.address} is up already")
        self.boots.append(Boot(self))
        return self.boots[-1]

    def owns(self, address: str) -> bool:
        """Whether a program on it may bind to the address."""
        return address in (self.address, LOOPBACK, ANY_ADDRESS) or address in self.shared_addresses

    def next_port(self) -> int:
        """A port for a socket that asked for none in particular."""
        port = self._next_port
        self._next_port = 32768 if port == 60999 else port + 1
        return port


CURRENT_BOOT: ContextVar[Boot | None] = ContextVar("CURRENT_BOOT", default=None)


def current_boot() -> Boot:
    """The boot whose code runs now. Raises RuntimeError outside of every host."""
    boot = CURRENT_BOOT.get()
    if boot is None:
        raise RuntimeError("this code runs on no host: start it with Simulation.start")
    return boot
