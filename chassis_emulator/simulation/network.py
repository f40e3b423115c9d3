"""The simulated network: hosts that come up and crash, and the sockets that their programs open."""

import asyncio
import errno
from collections.abc import Sequence

from chassis_emulator.simulation.addresses import Addresses
from chassis_emulator.simulation.connecting import Attempt, Server
from chassis_emulator.simulation.datagrams import DatagramSocket
from chassis_emulator.simulation.hosts import ANY_ADDRESS, LOOPBACK, Boot, Death, Endpoint, Host, current_boot
from chassis_emulator.simulation.links import Links
from chassis_emulator.simulation.loop import ProtocolFactory
from chassis_emulator.simulation.sockets import os_error


class SimulatedNetwork:
    """All hosts and what is between them: the loop's `Carrier`."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.addresses = Addresses()
        links.loop.carrier = self

    def start(self, host: Host) -> Boot:
        """Switch a host on."""
        boot = host.start()
        self.links.trace("start", host.address)
        self.links.retry_stalled()
        return boot

    def crash(self, host: Host, death: Death) -> None:
        """End the host's boot: not one line of its code runs any more."""
        if host.boot is None:
            return
        self.links.trace(death.name.lower(), host.address)
        host.boot.end(death, self.links.loop.tasks_of(host.boot))

    async def connect(
        self, protocol_factory: ProtocolFactory, remote: Endpoint, local: Endpoint | None
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Open a stream from the host that runs. Raises OSError as `connect` does."""
        boot = current_boot()
        source = _source_endpoint(boot, local, remote)
        stream = await Attempt(self.links, self.addresses, boot, source, remote).outcome()
        protocol = protocol_factory()
        stream.begin(protocol)
        return stream, protocol

    def listen(self, protocol_factory: ProtocolFactory, addresses: Sequence[str], port: int) -> Server:
        """Accept streams on the host that runs. Raises OSError as `bind` does."""
        boot = current_boot()
        listeners = [self.addresses.listen(protocol_factory, boot, (address, port)) for address in addresses]
        return Server(self.links.loop, self.addresses, listeners)

    def bind(
        self, protocol_factory: ProtocolFactory, local: Endpoint | None, remote: Endpoint | None, *, shared: bool
    ) -> tuple[DatagramSocket, asyncio.DatagramProtocol]:
        """Open a datagram socket on the host that runs. Raises OSError as `bind` does."""
        boot = current_boot()
        endpoint = self.addresses.free_for_datagrams(boot, local or (ANY_ADDRESS, 0), shared=shared)
        if remote:
            endpoint = _source_endpoint(boot, endpoint, remote)
        protocol = protocol_factory()
        if not isinstance(protocol, asyncio.DatagramProtocol):
            raise TypeError(f"{protocol!r} is no asyncio.DatagramProtocol")
        datagrams = DatagramSocket(self.links, self.addresses, boot, protocol, local=endpoint, remote=remote)
        self.addresses.bind(datagrams)
        protocol.connection_made(datagrams)
        return datagrams, protocol


def _source_endpoint(boot: Boot, local: Endpoint | None, remote: Endpoint) -> Endpoint:
    """Where a socket that talks to `remote` is bound. Raises OSError as `bind` does."""
    address, port = local or (ANY_ADDRESS, 0)
    if not boot.host.owns(address):
        raise os_error(errno.EADDRNOTAVAIL)
    if address == ANY_ADDRESS:
        address = LOOPBACK if remote[0] == LOOPBACK else boot.host.address
    return address, port or boot.host.next_port()
