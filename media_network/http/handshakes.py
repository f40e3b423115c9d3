"""A listening port behind TLS: a connection counts from its first packet on, and its handshake has bounds.

asyncio's own TLS server tells of a connection when its handshake is over, which a stranger need not let happen: so many
could be open that nobody has counted. And a handshake is dear, two milliseconds of CPU: each host has a rate.
"""

import asyncio
import logging
import ssl
from collections import OrderedDict
from collections.abc import Callable

from media_network.http.gate import ConnectionGate

logger = logging.getLogger(__name__)

HANDSHAKE_WITHIN_S = 5.0
"""From the first packet on; a blade that is busy has others wait."""
HANDSHAKES_AT_ONCE = 64
"""Of one host, without any wait; a process keeps its connections."""
HANDSHAKES_PER_S = 20.0
"""Of one host, after that."""
WAIT_S_MAX = 1.5
"""Nobody waits longer for his turn: who asks gives up after 2 s."""
_HOSTS_KEPT = 1024


class HandshakePace:
    """When a host may begin its next handshake. Pure: the time is handed in."""

    def __init__(self) -> None:
        self._free_at: OrderedDict[str, float] = OrderedDict()
        """When a host has all of its handshakes again."""

    def wait_s(self, host: str, now_s: float) -> float | None:
        """How long a host has to wait for the handshake that it begins now; None: too long, and it is not counted.

        So a host that asks too often has its next handshake a moment after it has stopped.
        """
        free_at = max(self._free_at.pop(host, now_s), now_s)
        wait_s = max(0.0, free_at + 1 / HANDSHAKES_PER_S - now_s - HANDSHAKES_AT_ONCE / HANDSHAKES_PER_S)
        self._free_at[host] = free_at if wait_s > WAIT_S_MAX else free_at + 1 / HANDSHAKES_PER_S
        if len(self._free_at) > _HOSTS_KEPT:
            self._free_at.popitem(last=False)
        return wait_s if wait_s <= WAIT_S_MAX else None


def after_handshakes(
    serve: Callable[[], asyncio.BaseProtocol], context: ssl.SSLContext, gate: ConnectionGate
) -> Callable[[], asyncio.BaseProtocol]:
    """What makes the protocol of a connection, behind TLS: `serve` makes the one that comes after the handshake."""
    pace = HandshakePace()
    return lambda: _Greeting(serve, context, gate, pace)


class _Early(asyncio.Protocol):
    """Takes what a peer says in the packet that ends its handshake, for whoever comes next."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.over = False

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> None:
        self.over = True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's
        self.over = True


class _Greeting(asyncio.Protocol):
    """A connection until its handshake is over; the gate may close it."""

    def __init__(
        self,
        serve: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext,
        gate: ConnectionGate,
        pace: HandshakePace,
    ) -> None:
        self._serve = serve
        self._context = context
        self._gate = gate
        self._pace = pace
        self._transport: asyncio.Transport | None = None
        self._greeting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("TCP is spoken here")
        transport.pause_reading()
        self._transport = transport
        host = (transport.get_extra_info("peername") or ("",))[0]
        self._gate.made(self, host)
        self._greeting = asyncio.get_running_loop().create_task(self._greet(transport, host), name=f"greet {host}")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's
        self._gate.lost(self)

    def force_close(self) -> None:
        """See `gate.Closable`."""
        if self._transport:
            self._transport.abort()
        if self._greeting:
            self._greeting.cancel()

    async def _greet(self, transport: asyncio.Transport, host: str) -> None:
        loop, early = asyncio.get_running_loop(), _Early()
        wait_s = self._pace.wait_s(host, loop.time())
        if wait_s is None:
            transport.abort()
            return
        try:
            async with asyncio.timeout(HANDSHAKE_WITHIN_S):
                await asyncio.sleep(wait_s)
                secured = await loop.start_tls(transport, early, self._context, server_side=True)
        except (OSError, TimeoutError) as error:
            logger.debug("%s did not finish its handshake: %s", host, error)
            transport.abort()
            return
        finally:
            self._gate.lost(self)
        if secured is None or early.over:
            transport.abort()
            return
        handler = self._serve()
        secured.set_protocol(handler)
        handler.connection_made(secured)
        if early.data and isinstance(handler, asyncio.Protocol):
            handler.data_received(bytes(early.data))
