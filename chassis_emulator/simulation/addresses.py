"""Who is where: the host of an address, and the socket that is bound to an endpoint of it."""

import errno
from collections.abc import Iterable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Protocol, TypeVar

from chassis_emulator.simulation.hosts import ANY_ADDRESS, LOOPBACK, Boot, Endpoint, Host
from chassis_emulator.simulation.loop import ProtocolFactory
from chassis_emulator.simulation.sockets import os_error

_Bound = TypeVar("_Bound")


@dataclass(frozen=True, eq=False)
class Listener:
    """A listening socket of a host."""

    protocol_factory: ProtocolFactory
    boot: Boot
    context: Context
    endpoint: Endpoint


class Receiver(Protocol):
    """A datagram socket of a host, as its senders see it."""

    boot: Boot
    local: Endpoint

    def receive(self, datagrams: list[bytes], source: Endpoint) -> None:
        """Datagrams arrived from `source`."""


class Addresses:
    """All hosts, and who is bound where on them."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self._listeners: dict[tuple[Boot, Endpoint], Listener] = {}
        self._receivers: dict[tuple[Boot, Endpoint], Receiver] = {}

    # Hosts

    def host(self, address: str, *, shared_addresses: Iterable[str] = ()) -> Host:
        """The host of this address; a new one, down, when there was none."""
        if address not in self.hosts:
            self.hosts[address] = Host(address, tuple(shared_addresses))
        return self.hosts[address]

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
            if _bound(self._listeners, host, endpoint) or _bound(self._receivers, host, endpoint)
        )
        return next(bound, sharing[0] if sharing else None)

    # Listeners

    def listen(self, protocol_factory: ProtocolFactory, boot: Boot, wanted: Endpoint) -> Listener:
        """Accept streams there, in the context that runs. Raises OSError as `bind` does."""
        endpoint = _free_endpoint(self._listeners, boot, wanted, shared=False)
        listener = Listener(protocol_factory, boot, copy_context(), endpoint)
        self._listeners[boot, endpoint] = listener
        return listener

    def unlisten(self, listener: Listener) -> None:
        """It is closed."""
        self._listeners.pop((listener.boot, listener.endpoint), None)

    def listener_at(self, endpoint: Endpoint, asking: Host) -> Listener | None:
        """Who accepts what `asking` opens there."""
        host = self.host_at(endpoint, asking)
        return _bound(self._listeners, host, endpoint) if host else None

    # Datagrams

    def free_for_datagrams(self, boot: Boot, wanted: Endpoint, *, shared: bool) -> Endpoint:
        """Where a datagram socket that asks for `wanted` may be bound. Raises OSError as `bind` does."""
        return _free_endpoint(self._receivers, boot, wanted, shared=shared)

    def bind(self, receiver: Receiver) -> None:
        """It receives what is sent to its endpoint from now on."""
        self._receivers[receiver.boot, receiver.local] = receiver

    def unbind(self, receiver: Receiver) -> None:
        """It is closed."""
        if self._receivers.get((receiver.boot, receiver.local)) is receiver:
            del self._receivers[receiver.boot, receiver.local]

    def receiver_at(self, endpoint: Endpoint, asking: Host) -> Receiver | None:
        """Who receives what `asking` sends there."""
        host = self.host_at(endpoint, asking)
        return _bound(self._receivers, host, endpoint) if host else None


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
