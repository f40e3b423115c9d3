"""The LAN interface on a UDP socket, in the running event loop."""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Protocol

from blade_agent.backplane.message import Request, Response
from blade_agent.chassis_manager.lan.bridge import Bridged
from blade_agent.chassis_manager.lan.console_file import ConsoleFile
from blade_agent.chassis_manager.lan.endpoint import Endpoint, Outgoing
from blade_agent.chassis_manager.lan.lan_parameters import LanFacts
from blade_agent.chassis_manager.lan.sol_stream import Console
from blade_agent.chassis_manager.lan.users import LanUser
from blade_agent.hardware.interface import interface_at
from media_network.address import Address
from media_network.os_trouble import about

logger = logging.getLogger(__name__)


class BehindTheLan(Protocol):
    """The chassis manager, as far as tools reach it over the network."""

    def answer(self, request: Request) -> Response:
        """Carry out a request to the controller at 20h."""
        ...

    def knows(self, request: Request) -> bool:
        """Tell whether a request is one of the commands of the controller at 20h."""
        ...

    def pass_on(self, slot: int, request: Request, ended: Callable[[Response | None], None]) -> bool:
        """Pass a request on to a slot's blade; `ended` gets its response, None if there is none.

        False, and `ended` is never called, where it cannot be passed on.
        """
        ...

    def failed_login(self, total: int) -> None:
        """Note a wrong password, and how many there have been in all."""
        ...


class LanServer(asyncio.DatagramProtocol):
    """An endpoint on its socket, and its chassis manager."""

    def __init__(self, endpoint: Endpoint, manager: BehindTheLan) -> None:
        self.endpoint = endpoint
        self._manager = manager
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def address(self) -> Address:
        """Where it listens."""
        assert self._transport is not None  # noqa: S101 - there is none only before the loop has handed it over
        host, port = self._transport.get_extra_info("sockname")[:2]
        return Address(host, port)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the socket."""
        self._transport = transport
        self.endpoint.parameters.facts = _facts_of(self.address)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer a datagram, and pass on what is for a blade."""
        self._send(self.endpoint.receive(data, Address(addr[0], addr[1]), self._loop.time()))
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        """Do nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self.endpoint.sol.close()

    def error_received(self, exc: Exception) -> None:
        """A console that is gone needs no answer."""
        logger.debug("datagram not delivered: %s", exc)

    def _set_timer(self) -> None:
        due = self.endpoint.due
        if self._timer is not None and (due is None or due < self._timer.when()):
            self._timer.cancel()
            self._timer = None
        if due is not None and self._timer is None:
            self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._send(self.endpoint.tick(self._loop.time()))
        self._set_timer()

    def _send(self, outgoing: Iterable[Outgoing]) -> None:
        for item in outgoing:
            if isinstance(item, Bridged):
                self._pass_on(item)
            elif self._transport is not None and not self._transport.is_closing():
                self._transport.sendto(item.octets, (item.to.host, item.to.port))

    def _pass_on(self, bridged: Bridged) -> None:
        taken = self._manager.pass_on(bridged.slot, bridged.request, partial(self._answered, bridged))
        self._send(self.endpoint.passed_on(bridged, taken=taken))

    def _answered(self, bridged: Bridged, answer: Response | None) -> None:
        self._send(self.endpoint.answered(bridged, answer))


def _facts_of(address: Address) -> LanFacts:
    packed = ipaddress.IPv4Address(address.host).packed
    return LanFacts(address=packed, port=address.port, interface=interface_at(address.host))


@contextlib.asynccontextmanager
async def lan_server(
    listen_at: Address,
    *,
    manager: BehindTheLan,
    guid: bytes,
    users: Iterable[LanUser],
    rng: Random,
    consoles: Mapping[int, Path] = MappingProxyType({}),
) -> AsyncIterator[LanServer]:
    """Listen for as long as the context lasts; port 0 is any. `consoles` are the paths of what slots have to say.

    Raises OSError: the address is taken, or not of this machine; ValueError: there are no users, or two have one name.
    """

    def open_console(slot: int) -> Console | None:
        try:
            return ConsoleFile(consoles[slot])
        except OSError as error:
            logger.warning("the console of slot %d cannot be read: %s", slot, error)
            return None

    endpoint = Endpoint(
        guid=guid,
        users=users,
        controller=manager,
        rng=rng,
        login_failed=manager.failed_login,
        consoles=consoles,
        open_console=open_console,
    )
    loop = asyncio.get_running_loop()
    with about(listen_at):
        transport, server = await loop.create_datagram_endpoint(
            lambda: LanServer(endpoint, manager), local_addr=(listen_at.host, listen_at.port)
        )
    logger.info("IPMI tools are answered at %s", server.address)
    try:
        yield server
    finally:
        transport.close()
