"""The service address of a station: the blade that directs takes it, and leaves it to the next.

Players that know it find the director, whichever blade that is. How an address comes to a blade is the network's
matter: two commands do it, such as `ip address add` and `arping -A`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from blade_agent.run_command import run_command
from media_network.address import Address
from media_network.http.gate import ConnectionGate
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Port
from media_network.rtp import RTP_PORT

logger = logging.getLogger(__name__)

_COMMAND_WITHIN_S = 5.0
_TRY_AGAIN_S = 1.0


@dataclass(frozen=True, kw_only=True)
class ServiceAddress:
    """Where the station serves consoles, and what this blade does about it."""

    address: Address
    take_command: tuple[str, ...] = ()
    leave_command: tuple[str, ...] = ()
    listen: bool = False
    rtp_port: int = RTP_PORT
    """Where RTP leaves from; RTCP has the port after it."""

    @property
    def rtp(self) -> Address:
        """Where RTP leaves from, whichever blade sends it."""
        return self.address._replace(port=self.rtp_port)

    @property
    def rtcp(self) -> Address:
        """Where receivers speak to whoever sends."""
        return self.address._replace(port=self.rtp_port + 1)


@asynccontextmanager
async def serving_at(
    service: ServiceAddress | None, table: HandlerTable, gate: ConnectionGate | None = None
) -> AsyncIterator[None]:
    """Serve a table at the service address, too, as long as the context lasts, as far as that is this blade's part.

    One that cannot be had, because another blade has it still, is tried for again and again. `gate` counts the
    connections of all addresses of the blade.
    """
    if service is None or not service.listen:
        yield
        return
    keeping = asyncio.create_task(_keep_serving(service, table.at(Port.MEDIA), gate), name="service address")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        await run_command(service.leave_command, within_s=_COMMAND_WITHIN_S)


async def _keep_serving(service: ServiceAddress, table: HandlerTable, gate: ConnectionGate | None) -> None:
    while True:
        await run_command(service.take_command, within_s=_COMMAND_WITHIN_S)
        try:
            async with serve(table, service.address, gate):
                await asyncio.Event().wait()
        except OSError as error:
            logger.warning("the service address %s cannot be served at: %s", service.address, error.strerror or error)
        except Exception:
            logger.exception("the service address %s", service.address)
        await asyncio.sleep(_TRY_AGAIN_S)
