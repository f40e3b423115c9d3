"""A seeded event loop: asyncio with a virtual clock, no sockets, no threads.

When nothing is due the clock jumps to the next timer. Callbacks run in the order in which they were scheduled, timers
of the same instant too. What the loop cannot do without an operating system it refuses with NotImplementedError.
"""

import asyncio
import gc
import math
import random
import socket
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextvars import Context, copy_context
from heapq import heappop, heappush
from typing import IO, Any, NoReturn, Protocol, TypeVar, TypeVarTuple, runtime_checkable

from chassis_emulator.simulation.errors import Deadlock, Escaped, Livelock, SimulationError, TookTooLong
from chassis_emulator.simulation.events import SimulatedHandle, SimulatedTask
from chassis_emulator.simulation.hosts import LOOPBACK, Boot, Endpoint

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

EXECUTOR_DELAY_S = (0.00005, 0.002)
"""How long a call waits for a thread: between these, drawn anew for each."""

_CALLBACKS_AT_ONE_INSTANT_MAX = 200_000
_CALLBACKS_BETWEEN_COLLECTIONS = 200_000
_SENDFILE_BLOCK_BYTES = 256 * 1024

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class Carrier(Protocol):
    """The network on which the loop's sockets are."""

    async def connect(
        self, protocol_factory: ProtocolFactory, remote: Endpoint, local: Endpoint | None
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Open a stream. Raises OSError as `connect` does."""

    def listen(self, protocol_factory: ProtocolFactory, addresses: Sequence[str], port: int) -> asyncio.AbstractServer:
        """Accept streams. Raises OSError as `bind` does."""

    def bind(
        self, protocol_factory: ProtocolFactory, local: Endpoint | None, remote: Endpoint | None, *, shared: bool
    ) -> tuple[asyncio.DatagramTransport, asyncio.BaseProtocol]:
        """Open a datagram socket. Raises OSError as `bind` does."""


@runtime_checkable
class Draining(Protocol):
    """A transport that says when it wants more."""

    async def drained(self) -> None:
        """Wait until it wants more. Raises ConnectionError when it never will."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """The event loop of a run."""

    _closed: bool
    _stopping: bool
    _thread_id: int | None

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.set_debug(False)
        self.set_exception_handler(lambda _, context: self._note_failure(context))
        self.carrier: Carrier | None = None
        self.failure: SimulationError | None = None
        self.patience_ends_s = math.inf
        """No run goes on beyond this moment."""
        self.callbacks_run = 0
        self._rng = rng
        self._now_s = 0.0
        self._due: deque[SimulatedHandle] = deque()
        self._timers: list[tuple[float, int, SimulatedHandle]] = []
        self._serial = 0
        self._tasks_created = 0
        self._instant_began_at_callback = 0
        self._collect_at_callback = _CALLBACKS_BETWEEN_COLLECTIONS
        self._blocked_until_s = 0.0
        self._blocked_by: asyncio.Event | None = None

    # Time

    def time(self) -> float:
        """Virtual seconds since the run began."""
        return self._now_s

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> SimulatedHandle:
        """As asyncio's."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        event = SimulatedHandle(self._now_s, callback, args, self, copy_context() if context is None else context)
        self._due.append(event)
        return event

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> SimulatedHandle:
        """As asyncio's; there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> SimulatedHandle:
        """As asyncio's."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        event = SimulatedHandle(when, callback, args, self, copy_context() if context is None else context)
        self._serial += 1
        heappush(self._timers, (when, self._serial, event))
        return event

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> SimulatedHandle:
        """As asyncio's."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def _run_once(self) -> None:
        """Run all that is due now. `BaseEventLoop.run_forever` calls it again and again."""
        if not self._due:
            self._go_to_next_timer()
        due = self._due
        for _ in range(len(due)):
            event = due.popleft()
            if not event.is_live():
                continue
            boot = event.boot
            if boot is not None and boot.hung:
                boot.held.append(event.run_if_live)
                continue
            self.callbacks_run += 1
            if boot is not None and boot.host.meter:
                boot.host.meter.run(event.run)
            else:
                event.run()
        if self.failure:
            raise self.failure
        if self.callbacks_run - self._instant_began_at_callback > _CALLBACKS_AT_ONE_INSTANT_MAX:
            raise Livelock(self._now_s, _CALLBACKS_AT_ONE_INSTANT_MAX)
        if self.callbacks_run > self._collect_at_callback:
            self._collect_at_callback = self.callbacks_run + _CALLBACKS_BETWEEN_COLLECTIONS
            gc.collect()

    def _go_to_next_timer(self) -> None:
        timers = self._timers
        while timers and not timers[0][2].is_live():
            heappop(timers)
        if not timers:
            if self._stopping:
                return
            raise Deadlock(self._now_s, self.live_tasks())
        if timers[0][0] > self.patience_ends_s:
            raise TookTooLong(self.patience_ends_s, self.live_tasks())
        self._now_s = max(self._now_s, timers[0][0])
        self._instant_began_at_callback = self.callbacks_run
        while timers and timers[0][0] <= self._now_s:
            self._due.append(heappop(timers)[2])

    # Tasks

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> asyncio.Task[Any]:
        """As asyncio's."""
        if self.is_closed():
            coro.close()
            raise RuntimeError("Event loop is closed")
        self._tasks_created += 1
        return SimulatedTask(
            coro,
            loop=self,
            number=self._tasks_created,
            name=None if name is None else str(name),
            context=copy_context() if context is None else context,
        )

    def tasks_of(self, boot: Boot) -> list[asyncio.Task[object]]:
        """The unfinished tasks of a boot, oldest first."""
        return [task for task in self._tasks() if task.boot is boot]

    def live_tasks(self) -> list[asyncio.Task[object]]:
        """The unfinished tasks that no crash has stopped, oldest first."""
        return [task for task in self._tasks() if task.boot is None or task.boot.alive]

    def _tasks(self) -> list[SimulatedTask[object]]:
        tasks = [task for task in asyncio.all_tasks(self) if isinstance(task, SimulatedTask)]
        return sorted(tasks, key=lambda task: task.number)

    # Failures

    def fail(self, failure: SimulationError) -> None:
        """End the run with this error, unless one came before."""
        self.failure = self.failure or failure

    def _note_failure(self, context: dict[str, Any]) -> None:
        if self.is_closed():
            return  # the run is over: these are the last words of what was left lying about
        failure = Escaped(self._now_s, str(context.get("message")))
        failure.__cause__ = context.get("exception")
        self.fail(failure)

    def close(self) -> None:
        """End of the run: nothing that is left can do anything any more."""
        if self.is_closed():
            return
        remains = self._tasks()
        super().close()
        self._due.clear()
        self._timers.clear()
        for task in remains:
            task.bury()

    # Calls that block

    def block_until(self, at_s: float) -> None:
        """Say when the blocking call that runs now returns."""
        self._blocked_until_s = max(self._blocked_until_s, at_s)

    def block_while(self, hanging: asyncio.Event) -> None:
        """Say that the blocking call that runs now returns when this is set."""
        self._blocked_by = hanging

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 -- asyncio's signature
        func: Callable[[*_Ts], _T],
        *args: *_Ts,
    ) -> "asyncio.Future[_T]":
        """Call `func` a little later, and give its result when it says that it returns."""
        return self.create_task(self._call(func, *args), name=f"call of {getattr(func, '__qualname__', func)}")

    async def _call(self, func: Callable[[*_Ts], _T], *args: *_Ts) -> _T:
        await asyncio.sleep(self._rng.uniform(*EXECUTOR_DELAY_S))
        self._blocked_until_s, self._blocked_by = self._now_s, None
        try:
            return func(*args)
        finally:
            await self._answered()

    async def _answered(self) -> None:
        if self._blocked_by:
            await self._blocked_by.wait()
        await asyncio.sleep(self._blocked_until_s - self._now_s)

    def set_default_executor(self, executor: Executor) -> None:
        """There is none, and none is needed."""

    async def shutdown_default_executor(self) -> None:
        """There is none."""

    # The network

    async def create_connection(
        self,
        protocol_factory: ProtocolFactory,
        host: str | None = None,
        port: int | None = None,
        *,
        local_addr: Endpoint | None = None,
        **options: Any,
    ) -> Any:
        """As asyncio's, to a numeric address and without TLS."""
        _refuse(options, "ssl", "sock")
        remote = _numeric(host, port)
        return await self._network.connect(protocol_factory, remote, local_addr)

    async def create_server(
        self,
        protocol_factory: ProtocolFactory,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        **options: Any,
    ) -> Any:
        """As asyncio's, at numeric addresses and without TLS."""
        _refuse(options, "ssl", "sock")
        hosts = [host] if host is None or isinstance(host, str) else host
        addresses = [_numeric(name or "0.0.0.0", port)[0] for name in hosts]  # noqa: S104 -- a simulated one
        return self._network.listen(protocol_factory, addresses, port or 0)

    async def create_datagram_endpoint(
        self,
        protocol_factory: ProtocolFactory,
        local_addr: Endpoint | str | None = None,
        remote_addr: Endpoint | str | None = None,
        *,
        reuse_port: bool | None = None,
        **options: Any,
    ) -> Any:
        """As asyncio's, at numeric addresses."""
        _refuse(options, "sock")
        local = _numeric(*local_addr) if local_addr else None
        remote = _numeric(*remote_addr) if remote_addr else None
        return self._network.bind(protocol_factory, local, remote, shared=bool(reuse_port))

    async def sendfile(
        self,
        transport: asyncio.WriteTransport,
        file: IO[bytes],
        offset: int = 0,
        count: int | None = None,
        *,
        fallback: bool = True,  # noqa: ARG002 -- asyncio's signature
    ) -> int:
        """As asyncio's. The file needs `seek` and `read`, no descriptor."""
        if transport.is_closing():
            raise RuntimeError("Transport is closing")
        if not isinstance(transport, Draining):
            raise NotImplementedError(f"sendfile on {transport!r}")
        file.seek(offset)
        sent = 0
        while count is None or sent < count:
            await transport.drained()
            wanted = _SENDFILE_BLOCK_BYTES if count is None else min(_SENDFILE_BLOCK_BYTES, count - sent)
            block = await self.run_in_executor(None, file.read, wanted)
            if not block:
                break
            transport.write(block)
            sent += len(block)
        await transport.drained()
        return sent

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,  # noqa: ARG002 -- asyncio's signature
        type: int = 0,  # noqa: A002 -- asyncio's signature
        proto: int = 0,  # noqa: ARG002
        flags: int = 0,  # noqa: ARG002
    ) -> Any:
        """Of numeric addresses. There is no name service: raises socket.gaierror for a name."""
        address = _numeric(host.decode() if isinstance(host, bytes) else host, int(port or 0))
        kinds = ((socket.SOCK_STREAM, socket.IPPROTO_TCP), (socket.SOCK_DGRAM, socket.IPPROTO_UDP))
        return [(socket.AF_INET, kind, protocol, "", address) for kind, protocol in kinds if type in (0, kind)]

    @property
    def _network(self) -> Carrier:
        if self.carrier is None:
            raise RuntimeError("this loop has no network: make one with Network(links)")
        return self.carrier

    # What needs an operating system

    def add_signal_handler(self, sig: int, callback: Callable[[*_Ts], Any], *args: *_Ts) -> NoReturn:
        """Raises NotImplementedError."""
        raise NotImplementedError("a simulated host gets no signals: crash it instead")

    def add_reader(self, fd: Any, callback: Callable[[*_Ts], Any], *args: *_Ts) -> NoReturn:
        """Raises NotImplementedError."""
        raise NotImplementedError("a simulated host has no descriptors: use streams, datagrams or a simulated line")

    def add_writer(self, fd: Any, callback: Callable[[*_Ts], Any], *args: *_Ts) -> NoReturn:
        """Raises NotImplementedError."""
        raise NotImplementedError("a simulated host has no descriptors: use streams, datagrams or a simulated line")


def _numeric(host: str | None, port: int | str | None) -> Endpoint:
    if host == "localhost" or host is None:
        host = LOOPBACK
    try:
        socket.inet_aton(host)
    except OSError:
        raise socket.gaierror(socket.EAI_NONAME, f"no name service in a simulation, so no {host!r}") from None
    return host, int(port or 0)


def _refuse(options: dict[str, Any], *unsupported: str) -> None:
    for option in unsupported:
        if options.get(option):
            raise NotImplementedError(f"a simulated socket knows no {option!r}")
