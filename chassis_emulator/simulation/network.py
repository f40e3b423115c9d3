"""The simulated network: hosts, links between them, cuts, and who listens where."""

import asyncio
import errno
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from typing import Any, TypeVar

from chassis_emulator.simulation.conditions import WITHIN_A_HOST, Conditions
from chassis_emulator.simulation.connecting import Attempt, Listener, Server
from chassis_emulator.simulation.datagrams import DatagramSocket
from chassis_emulator.simulation.hosts import ANY_ADDRESS, LOOPBACK, Boot, Death, Endpoint, Host, current_boot
from chassis_emulator.simulation.loop import ProtocolFactory, SimulatedLoop
from chassis_emulator.simulation.pipe import Pipe, os_error
from chassis_emulator.simulation.trace import Trace

_Bound = TypeVar("_Bound")


class Network:
    """All hosts and what is between them."""

    def __init__(
        self,
        loop: SimulatedLoop,
        rng: random.Random,
        trace: Trace,
        *,
        weather: Conditions | None = None,
        bandwidth_bps: float = 1e9,
        stream_timeout_s: float = 924.6,
    ) -> None:
        """`weather` holds on every link that `set_conditions` says nothing of.

        `bandwidth_bps` is that of each host's interface; `stream_timeout_s` is how long a stream bears silence (the
        default is that of Linux with tcp_retries2 15).
        """
        self.loop = loop
        self.rng = rng
        self.hosts: dict[str, Host] = {}
        self.weather = weather or Conditions()
        self.bandwidth_bps = bandwidth_bps
        self.stream_timeout_s = stream_timeout_s
        self.stalled: dict[Pipe, None] = {}
        self.taps: list[Callable[[Endpoint, Endpoint, Sequence[bytes]], None]] = []
        """Shown every datagram as it is sent: source, target, and those of one call. What befalls it comes after."""
        self._links: dict[tuple[Host, Host], Conditions] = {}
        self._cuts: Counter[tuple[Host, Host]] = Counter()
        self._listeners: dict[tuple[Boot, Endpoint], Listener] = {}
        self._datagrams: dict[tuple[Boot, Endpoint], DatagramSocket] = {}
        self._trace = trace
        self._nobody = Context()
        loop.carrier = self

    # Hosts

    def host(self, address: str, *, shared_addresses: Iterable[str] = ()) -> Host:
        """The host of this address; a new one, down, when there was none."""
        if address not in self.hosts:
            self.hosts[address] = Host(address, tuple(shared_addresses))
        return self.hosts[address]

    def start(self, host: Host) -> Boot:
        """Switch a host on."""
        boot = host.start()
        self.trace("start", host.address)
        self._retry_stalled()
        return boot

    def crash(self, host: Host, death: Death) -> None:
        """End the host's boot: not one line of its code runs any more."""
        if host.boot is None:
            return
        self.trace(death.name.lower(), host.address)
        host.boot.end(death, self.loop.tasks_of(host.boot))

    # Links

    def conditions(self, source: Host, sink: Host) -> Conditions:
        """What the way from `source` to `sink` is like."""
        if source is sink:
            return WITHIN_A_HOST
        return self._links.get((source, sink), self.weather) if self._links else self.weather

    def set_conditions(self, source: Host, sink: Host, conditions: Conditions | None) -> None:
        """Make one direction of a link special, or with None like all others."""
        if conditions:
            self._links[source, sink] = conditions
        else:
            self._links.pop((source, sink), None)

    def cut(self, sources: Iterable[Host], sinks: Iterable[Host]) -> Callable[[], None]:
        """Let nothing through from `sources` to `sinks`, until the returned function is called. Cuts may overlap."""
        pairs = [(source, sink) for source in sources for sink in sinks if source is not sink]
        self._cuts.update(pairs)

        def heal() -> None:
            self._cuts.subtract(pairs)
            self._cuts = +self._cuts
            self._retry_stalled()

        return heal

    def partition(self, one_side: Iterable[Host], other_side: Iterable[Host]) -> Callable[[], None]:
        """Cut both ways, until the returned function is called."""
        one_side, other_side = list(one_side), list(other_side)
        heals = self.cut(one_side, other_side), self.cut(other_side, one_side)

        def heal() -> None:
            for each in heals:
                each()

        return heal

    def is_cut(self, source: Host, sink: Host) -> bool:
        """Whether nothing gets from `source` to `sink`."""
        return bool(self._cuts) and (source, sink) in self._cuts

    def departure(self, source: Host, sink: Host, size_bytes: int) -> float:
        """When so many bytes, sent now, have left the source's interface. Everything a host sends queues there."""
        if source is sink:
            return self.now_s
        begins_s = max(self.now_s, source.line_free_at_s)
        source.line_free_at_s = begins_s + size_bytes * 8 / self.bandwidth_bps
        return source.line_free_at_s

    def _retry_stalled(self) -> None:
        stalled, self.stalled = self.stalled, {}
        for pipe in stalled:
            pipe.retry()

    # Events

    @property
    def now_s(self) -> float:
        """Virtual time."""
        return self.loop.time()

    def at(self, when_s: float, callback: Callable[..., None], *args: Any) -> None:
        """Let something happen on the wire, whoever lives then."""
        self.loop.call_at(when_s, callback, *args, context=self._nobody)

    def trace(self, what: str, source: str, sink: str = "", content: bytes = b"") -> None:
        """Note what happened."""
        self._trace.add(self.loop.time(), what, source, sink, content)

    # Streams

    async def connect(
        self, protocol_factory: ProtocolFactory, remote: Endpoint, local: Endpoint | None
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Open a stream from the host that runs. Raises OSError as `connect` does."""
        boot = current_boot()
        stream = await Attempt(self, boot, self._source_endpoint(boot, local, remote), remote).outcome()
        protocol = protocol_factory()
        stream.begin(protocol)
        return stream, protocol

    def listen(self, protocol_factory: ProtocolFactory, addresses: Sequence[str], port: int) -> Server:
        """Accept streams on the host that runs. Raises OSError as `bind` does."""
        boot = current_boot()
        listeners = []
        for address in addresses:
            endpoint = _free_endpoint(self._listeners, boot, (address, port), shared=False)
            listener = Listener(protocol_factory, boot, copy_context(), endpoint)
            self._listeners[boot, endpoint] = listener
            listeners.append(listener)
        return Server(self, listeners)

    def unlisten(self, listener: Listener) -> None:
        """It is closed."""
        self._listeners.pop((listener.boot, listener.endpoint), None)

    def listener_at(self, endpoint: Endpoint, asking: Host) -> Listener | None:
        """Who accepts what `asking` opens there."""
        host = self.host_at(endpoint, asking)
        return _bound(self._listeners, host, endpoint) if host else None

    def _source_endpoint(self, boot: Boot, local: Endpoint | None, remote: Endpoint) -> Endpoint:
        address, port = local or (ANY_ADDRESS, 0)
        if not boot.host.owns(address):
            raise os_error(errno.EADDRNOTAVAIL)
        if address == ANY_ADDRESS:
            address = LOOPBACK if remote[0] == LOOPBACK else boot.host.address
        return address, port or boot.host.next_port()

    # Datagrams

    def bind(
        self, protocol_factory: ProtocolFactory, local: Endpoint | None, remote: Endpoint | None, *, shared: bool
    ) -> tuple[DatagramSocket, asyncio.DatagramProtocol]:
        """Open a datagram socket on the host that runs. Raises OSError as `bind` does."""
        boot = current_boot()
        endpoint = _free_endpoint(self._datagrams, boot, local or (ANY_ADDRESS, 0), shared=shared)
        if remote:
            endpoint = self._source_endpoint(boot, endpoint, remote)
        protocol = protocol_factory()
        if not isinstance(protocol, asyncio.DatagramProtocol):
            raise TypeError(f"{protocol!r} is no asyncio.DatagramProtocol")
        datagrams = DatagramSocket(self, boot, protocol, endpoint, remote)
        self._datagrams[boot, endpoint] = datagrams
        boot.sockets[datagrams] = None
        protocol.connection_made(datagrams)
        return datagrams, protocol

    def unbind(self, datagrams: DatagramSocket) -> None:
        """It is closed."""
        datagrams.boot.sockets.pop(datagrams, None)
        if self._datagrams.get((datagrams.boot, datagrams.local)) is datagrams:
            del self._datagrams[datagrams.boot, datagrams.local]

    def datagram_socket_at(self, endpoint: Endpoint, asking: Host) -> DatagramSocket | None:
        """Who receives what `asking` sends there."""
        host = self.host_at(endpoint, asking)
        return _bound(self._datagrams, host, endpoint) if host else None

    # Addresses

    def host_at(self, endpoint: Endpoint, asking: Host) -> Host | None:
        """The host at an address. Of those that share one, the first that has a socket there."""
        address = endpoint[0]
        if address in {LOOPBACK, asking.address}:
            return asking
        if address in self.hosts:
            return self.hosts[address]
        sharing = [host for host in self.hosts.values() if address in host.shared_addresses]
        bound = (
            host
            for host in sharing
            if _bound(self._listeners, host, endpoint) or _bound(self._datagrams, host, endpoint)
        )
        return next(bound, sharing[0] if sharing else None)


def _bound(table: Mapping[tuple[Boot, Endpoint], _Bound], host: Host, endpoint: Endpoint) -> _Bound | None:
    boot = host.boot
    if boot is None:
        return None
    return table.get((boot, endpoint)) or table.get((boot, (ANY_ADDRESS, endpoint[1])))


def _free_endpoint(
    table: Mapping[tuple[Boot, Endpoint], object], boot: Boot, wanted: Endpoint, *, shared: bool
) -> Endpoint:
    """The endpoint that a program asked for. Raises OSError when it may not have it, or another program has it."""
    address, port = wanted
    if not boot.host.owns(address):
        raise os_error(errno.EADDRNOTAVAIL)
    if port and not shared and ((boot, wanted) in table or (boot, (ANY_ADDRESS, port)) in table):
        raise os_error(errno.EADDRINUSE)
    return address, port or boot.host.next_port()
