"""What receivers of RTP streams say (RTCP, RFC 3550), at whichever blade it arrives.

All blades of a station send from one address, so a receiver's word may reach any of them. None of it is believed but
that its host is still there, and that by the director alone, who knows where each stream goes to.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from blade_agent.main_board.service_socket import bound_at_service
from media_network.address import Address
from media_network.rtp import BadRtp, Reception, parse_rtcp

logger = logging.getLogger(__name__)

_READ_A_SECOND_MAX = 2000
"""A receiver speaks every five seconds: so many are those of ten thousand."""


class ReceiverReports(asyncio.DatagramProtocol):
    """The RTCP port of a station, as far as this blade hears it."""

    def __init__(self, heard: Callable[[Reception], None]) -> None:
        self.strange = 0
        """Datagrams that were no receiver's, or too many."""
        self._heard = heard
        self._transport: asyncio.DatagramTransport | None = None
        self._second = (0, 0)
        """Of the event loop's time, and how many have been read in it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Called by the loop."""
        second = int(asyncio.get_running_loop().time())
        read = self._second[1] + 1 if self._second[0] == second else 1
        self._second = (second, read)
        if read > _READ_A_SECOND_MAX:
            self.strange += 1
            return
        try:
            receptions = parse_rtcp(data, addr[0])
        except BadRtp:
            self.strange += 1
            return
        for reception in receptions:
            self._heard(reception)

    def send(self, octets: bytes, to: Address) -> None:
        """Say something to a receiver."""
        if self._transport:
            self._transport.sendto(octets, to)


@asynccontextmanager
async def open_receiver_reports(address: Address, heard: Callable[[Reception], None]) -> AsyncIterator[ReceiverReports]:
    """Hear and speak at the RTCP port of a station while the context is open. Raises OSError."""
    loop, sock = asyncio.get_running_loop(), bound_at_service(address)
    transport, reports = await loop.create_datagram_endpoint(lambda: ReceiverReports(heard), sock=sock)
    try:
        yield reports
    finally:
        transport.abort()
