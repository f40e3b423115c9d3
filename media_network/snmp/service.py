"""An SNMP engine on a UDP socket, in the running event loop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from random import Random

from media_network.address import Address
from media_network.os_trouble import about
from media_network.snmp.counters import Counters
from media_network.snmp.engine import Community, Limits, SnmpEngine
from media_network.snmp.engine_file import start_engine
from media_network.snmp.index import Index
from media_network.snmp.keys import AUTH_PROTOCOLS
from media_network.snmp.passed_socket import passed_socket
from media_network.snmp.responder import Responder
from media_network.snmp.settings import SnmpSettings, UserSettings, security_name
from media_network.snmp.sought_rows import RowsAway
from media_network.snmp.usm import EngineIdentity, UserSecurity, UsmUser

logger = logging.getLogger(__name__)

_RECEIVE_BUFFER_OCTETS = 1 << 19
"""Room for a burst of managers that all ask at once."""
_BATCH = 16
"""Datagrams answered before the loop's other work gets its turn: about a millisecond."""
_PROBE = 16
"""Of so many wake-ups one looks for a second datagram."""

_FETCHING_MAX = 64
"""Requests that wait for rows; more are dropped."""
_FETCHES_MAX = 64
"""Windows of rows that one request may need."""

_LIMITS = Limits()


class SnmpService:
    """An engine, and the socket at which it answers."""

    def __init__(self, engine: SnmpEngine, sock: socket.socket) -> None:
        self.engine = engine
        self._socket = sock
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
        self._loop = asyncio.get_running_loop()
        self._longest = engine.limits.request_octets + 1
        self._wake_ups = 0
        self._bursting = False
        self._fetching: set[asyncio.Task[None]] = set()
        self._loop.add_reader(sock, self._receive)

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return Address(host, port)

    def close(self) -> None:
        """Answer no more."""
        self._loop.remove_reader(self._socket)
        for task in self._fetching:
            task.cancel()
        self._socket.close()

    def _receive(self) -> None:
        """Answer what has come, some of it."""
        self._wake_ups += 1
        if not self._answer_one() or not (self._bursting or self._wake_ups % _PROBE == 0):
            return
        # Managers wait for an answer before they ask again, so one datagram is the rule, and to find out that there is
        # no second costs as much as to read the first. Whether many come at once is therefore only tried now and then.
        further = 0
        while further < _BATCH and self._answer_one():
            further += 1
        self._bursting = further > 0

    def _answer_one(self) -> bool:
        """Answer a datagram; False if none has come."""
        try:
            octets, source = self._socket.recvfrom(self._longest)
        except BlockingIOError:
            return False
        except OSError as error:
            logger.debug("datagram not received: %s", error)
            return True
        try:
            self._send(self.engine.receive(octets, source[0], self._loop.time()), source)
        except RowsAway as away:
            if len(self._fetching) < _FETCHING_MAX:
                task = self._loop.create_task(self._answer_later(away, octets, source), name="SNMP rows")
                self._fetching.add(task)
                task.add_done_callback(self._fetching.discard)
        return True

    async def _answer_later(self, away: RowsAway, octets: bytes, source: tuple[str, int]) -> None:
        """Answer a datagram when the rows that it asks for are there; a manager that gets no answer asks again."""
        for _ in range(_FETCHES_MAX):
            try:
                await away.fetch()
                self._send(self.engine.receive(octets, source[0], self._loop.time()), source)
            except RowsAway as others:
                away = others
            except Exception as error:  # noqa: BLE001 -- a source is other people's code; its trouble costs one answer
                logger.debug("rows not fetched: %s", error)
                return
            else:
                return

    def _send(self, answer: bytes | None, source: tuple[str, int]) -> None:
        if answer is None:
            return
        try:
            self._socket.sendto(answer, source)
        except OSError as error:
            # The way out is full, or there is none: the manager will ask again.
            logger.debug("answer not sent: %s", error)


def open_engine(
    settings: SnmpSettings, index: Index, identity: EngineIdentity, *, limits: Limits, started: float, rng: Random
) -> SnmpEngine:
    """Make an engine that does no I/O; `started` is the loop's time. Raises ValueError for settings that make no sense.

    It digests each password over a mebioctet: some milliseconds in all.
    """
    counters = Counters()
    security = UserSecurity(
        identity,
        [_user(known, identity.engine_id) for known in settings.users],
        counters=counters,
        max_size=limits.request_octets,
        started=started,
        rng=rng,
    )
    communities = {
        known.community.encode(): Community(security_name(number), known.context.encode())
        for number, known in enumerate(settings.communities, 1)
    }
    return SnmpEngine(Responder(index, settings.access_tables(), counters), security, communities, limits)


@contextlib.asynccontextmanager
async def serve_snmp(
    settings: SnmpSettings,
    index: Index,
    state: Path,
    *,
    rng: Random,
    limits: Limits = _LIMITS,
    sock: socket.socket | None = None,
) -> AsyncIterator[SnmpService]:
    """Answer for as long as the context lasts; port 0 is any.

    `state` is the folder that keeps who the engine is; the start is counted there before the socket opens. `sock` is a
    UDP socket that is bound already. `rng` makes the engine's id and salts: on a network it is a `random.SystemRandom`.

    Raises OSError: the address is taken or not of this machine; ValueError: settings that make no sense.
    """
    loop = asyncio.get_running_loop()
    identity = await loop.run_in_executor(None, start_engine, state, rng)
    opened = partial(open_engine, settings, index, identity, limits=limits, started=loop.time(), rng=rng)
    engine = await loop.run_in_executor(None, opened)
    service = SnmpService(engine, _bound(settings) if sock is None else sock)
    logger.info("SNMP managers are answered at %s", service.address)
    try:
        yield service
    finally:
        service.close()


def _bound(settings: SnmpSettings) -> socket.socket:
    """The socket that was passed for this address, or one of our own."""
    if passed := passed_socket(settings.host, settings.port):
        return passed
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        with about(f"{settings.host}:{settings.port}"):
            sock.bind((settings.host, settings.port))
    except OSError:
        sock.close()
        raise
    return sock


def _user(known: UserSettings, engine_id: bytes) -> UsmUser:
    auth = (AUTH_PROTOCOLS[known.auth_protocol], known.auth_password)
    return UsmUser(known.user, engine_id, auth, "" if known.priv_protocol == "none" else known.priv_password)
