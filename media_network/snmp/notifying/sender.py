"""Sends notifications, by pysnmp: traps and informs, SNMPv3 and v2c. In the thread of the notifier.

It rests for longer than it works, so that a storm of notifications leaves the processor, and Python's lock, to others.
Traps carry the agent's own engine id, boots and time, so that a receiver takes them and the agent's answers for one
engine's (RFC 3414, 2.2). pysnmp would keep boots of its own below the folder for temporary files; it is not let.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.rfc3413 import ntforg
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.hlapi.v3arch.asyncio.lcd import NotificationOriginatorLcdConfigurator
from pysnmp.proto import errind, rfc1902
from pysnmp.proto.mpmod.rfc3412 import SnmpV3MessageProcessingModel
from pysnmp.proto.secmod.rfc3414 import SnmpUSMSecurityModel

from media_network.address import Address
from media_network.snmp import value as syntaxes
from media_network.snmp.notifying.guarded_transport import GuardedTransport
from media_network.snmp.notifying.waiting import Waiting, WaitingQueue
from media_network.snmp.objects.notification import SNMP_TRAP_OID, SYS_UP_TIME, VarBind
from media_network.snmp.objects.times import wall_clock
from media_network.snmp.settings import UserSettings
from media_network.snmp.targets import TargetSettings, kind_of
from media_network.snmp.usm import EngineIdentity

logger = logging.getLogger(__name__)

_REST = 3.0
"""Of the processor's time that a piece of work takes, the rest is so many times as long,"""
_MAX_REST_S = 0.1
"""and no longer."""
_LATE_S = 1.0
"""An answer to an inform is let in for so long after it has been repeated or given up."""
_AT_ONCE = 8
"""Informs on their way to one target."""
_FORGET_S = 0.25
"""What is known of receivers' engines is forgotten no more often."""

_VALUES: dict[int, Callable[[Any], Any]] = {
    syntaxes.INTEGER32.tag: rfc1902.Integer32,
    syntaxes.GAUGE32.tag: rfc1902.Gauge32,
    syntaxes.COUNTER32.tag: rfc1902.Counter32,
    syntaxes.COUNTER64.tag: rfc1902.Counter64,
    syntaxes.TIME_TICKS.tag: rfc1902.TimeTicks,
    syntaxes.OCTET_STRING.tag: rfc1902.OctetString,
    syntaxes.IP_ADDRESS.tag: rfc1902.IpAddress,
    syntaxes.OBJECT_ID.tag: rfc1902.ObjectIdentifier,
}
_TARGETS = NotificationOriginatorLcdConfigurator()
_AUTH = {
    "SHA-1": hlapi.USM_AUTH_HMAC96_SHA,
    "SHA-224": hlapi.USM_AUTH_HMAC128_SHA224,
    "SHA-256": hlapi.USM_AUTH_HMAC192_SHA256,
    "SHA-384": hlapi.USM_AUTH_HMAC256_SHA384,
    "SHA-512": hlapi.USM_AUTH_HMAC384_SHA512,
}
_NOT_UNDERSTOOD = "rfc3412.prepareDataElements:sm-failure"
"""The point in pysnmp at which it drops a message for its security's sake."""
_OF_ANOTHER_ENGINE = (errind.unknownSecurityName, errind.unknownEngineID, errind.notInTimeWindow)
"""What pysnmp says of the report of a receiver that is not the engine any more that was found out once, or has lost
its boots: it knows no user there, or takes the report for an old one."""
_PRIV = {"AES": hlapi.USM_PRIV_CFB128_AES, "none": hlapi.USM_PRIV_NONE}


async def send_until_cancelled(
    queues: Sequence[WaitingQueue], host: str, identity: EngineIdentity, seconds: int
) -> None:
    """Send what waits, from `host`; the engine's time is `seconds` now. Raises PySnmpError for a name nobody knows."""
    engine = _open_engine(identity, seconds)
    longest_wait_s = max(queue.target.timeout_s for queue in queues) + _LATE_S
    config.add_transport(engine, udp.DOMAIN_NAME, transport := GuardedTransport(host, longest_wait_s))
    clockwork = _Clockwork(engine, transport)
    try:
        async with asyncio.TaskGroup() as tasks:
            for queue in queues:
                tasks.create_task(_Target(queue).run(clockwork), name=f"notify {queue.target.address}")
    finally:
        engine.close_dispatcher()


class _Clockwork:
    """What all targets share: pysnmp's engine, its timers, and the rest that follows each piece of its work.

    The timers, ten ticks a second, cost more than all else an idle agent does: they run only while one is needed. What
    pysnmp knows of receivers' engines expires by the same timers, which is to say never.
    """

    def __init__(self, engine: hlapi.SnmpEngine, transport: GuardedTransport) -> None:
        self.engine = engine
        self.transport = transport
        self.acquaintances = 0
        """How often the receivers' engines have been found out anew."""
        self._needed = 0
        self._forgot_s = -_FORGET_S
        self._working = asyncio.Lock()
        engine.observer.register_observer(self._look, _NOT_UNDERSTOOD)

    def _look(self, _engine: object, _point: str, seen: dict[str, Any], _context: object) -> None:
        """See a message that was not understood: it may be of a receiver that is another engine than it was."""
        if seen["statusInformation"].get("errorIndication") in _OF_ANOTHER_ENGINE:
            self._forget_receivers()

    def _forget_receivers(self) -> None:
        """Find out anew who the receivers are: informs on their way do so when they are repeated.

        pysnmp forgets no single one, and a stranger must not keep it from getting to know anybody.
        """
        now_s = asyncio.get_running_loop().time()
        if now_s - self._forgot_s < _FORGET_S:
            return
        self._forgot_s = now_s
        self.acquaintances += 1
        processing, security = SnmpV3MessageProcessingModel(), SnmpUSMSecurityModel()
        self.engine.message_processing_subsystems[processing.MESSAGE_PROCESSING_MODEL_ID] = processing
        self.engine.security_models[security.SECURITY_MODEL_ID] = security

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work on one notification at a time, and rest."""
        async with self._working:
            began_s = time.thread_time()
            yield
            await asyncio.sleep(min(_REST * (time.thread_time() - began_s), _MAX_REST_S))

    @contextlib.contextmanager
    def ticking(self) -> Iterator[None]:
        """Let the timers run: who sends may wait for a receipt. The first one that sends makes them."""
        self._needed += 1
        dispatcher = self.engine.transport_dispatcher
        if dispatcher is not None and dispatcher.loopingcall is None:
            dispatcher.loopingcall = asyncio.ensure_future(dispatcher.handle_timeout())
        try:
            yield
        finally:
            self._needed -= 1
            self.stop_ticking()

    def stop_ticking(self) -> None:
        """Stop the timers, unless somebody waits."""
        dispatcher = self.engine.transport_dispatcher
        if not self._needed and dispatcher is not None and dispatcher.loopingcall is not None:
            dispatcher.loopingcall.cancel()
            dispatcher.loopingcall = None


class _Target:
    """Tells one receiver what waits for it."""

    def __init__(self, queue: WaitingQueue) -> None:
        self._queue = queue
        self._settings = queue.target
        self._credentials = _community(queue.target) if queue.user is None else _credentials(queue.user)

    async def run(self, clockwork: _Clockwork) -> None:
        """Tell until cancelled."""
        address = Address.parse(self._settings.address)
        receiver = await hlapi.UdpTransportTarget.create(
            (address.host, address.port), timeout=self._settings.timeout_s, retries=self._settings.retries
        )
        room = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await room.acquire()
                sending = tasks.create_task(self._send(clockwork, receiver, await self._queue.take()))
                sending.add_done_callback(lambda _: room.release())
                if not self._settings.inform:
                    await sending  # Traps stay in their order.

    async def _send(self, clockwork: _Clockwork, receiver: object, waiting: Waiting) -> None:
        """Send, and wait for the receipt of an inform; of a receiver that is another engine now, once more."""
        acquaintances = clockwork.acquaintances
        delivery = self._queue.delivery
        try:
            with clockwork.ticking():
                refusal = await self._attempt(clockwork, receiver, waiting)
                if refusal and clockwork.acquaintances != acquaintances:
                    refusal = await self._attempt(clockwork, receiver, waiting)
        except PySnmpError as error:
            refusal = error
        if refusal:
            delivery.failed += 1
            logger.debug("%s was not told of %s: %s", self._settings.address, waiting.told.kind.name, refusal)
        else:
            delivery.sent += 1

    async def _attempt(self, clockwork: _Clockwork, receiver: object, waiting: Waiting) -> object:
        """Why an inform was not taken, or a trap did not leave; or nothing.

        The names of pysnmp's high-level call would look for modules.
        """
        receipt: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        engine, context = clockwork.engine, waiting.told.context
        async with clockwork.working():
            name = _TARGETS.configure(engine, self._credentials, receiver, kind_of(self._settings), context)
            ntforg.NotificationOriginator().send_varbinds(
                engine, name, None, context, _varbinds(waiting), _take_receipt, receipt
            )
            failure = clockwork.transport.failure
        return await receipt if self._settings.inform else failure


def _take_receipt(
    _engine: object,
    _handle: object,
    unheard: object,
    status: object,
    _index: object,
    _varbinds: object,
    receipt: asyncio.Future[object],
) -> None:
    """What pysnmp calls when it has a receipt, or has given up."""
    if not receipt.done():
        receipt.set_result(unheard or status)


def _varbinds(waiting: Waiting) -> list[tuple[Any, Any]]:
    told = waiting.told
    first = [
        VarBind(SYS_UP_TIME, syntaxes.TIME_TICKS, waiting.ticks),
        VarBind(SNMP_TRAP_OID, syntaxes.OBJECT_ID, told.kind.oid),
    ]
    return [(rfc1902.ObjectName(bound.oid), _value(bound)) for bound in (*first, *told.varbinds)]


def _value(bound: VarBind) -> Any:
    plain = bound.value.encode() if isinstance(bound.value, str) else bound.value
    return _VALUES[bound.syntax.tag](plain)


def _open_engine(identity: EngineIdentity, seconds: int) -> hlapi.SnmpEngine:
    """Make an engine: a second of work the first time, for pysnmp loads its modules."""
    engine = hlapi.SnmpEngine()
    _set_engine(engine, identity, seconds)
    return engine


def _set_engine(engine: hlapi.SnmpEngine, identity: EngineIdentity, seconds: int) -> None:
    names: Sequence[str] = ("snmpEngineID", "snmpEngineBoots", "snmpEngineTime")
    engine_id, boots, started = engine.get_mib_builder().import_symbols("__SNMP-FRAMEWORK-MIB", *names)
    engine_id.syntax = engine_id.syntax.clone(identity.engine_id)
    engine.snmpEngineID = engine_id.syntax
    boots.syntax = boots.syntax.clone(identity.boots)
    # pysnmp keeps the date of the start here, and gives the time since then.
    started.syntax = started.syntax.clone(int(wall_clock()) - seconds)


def _credentials(user: UserSettings) -> object:
    private = user.priv_protocol != "none"
    return hlapi.UsmUserData(
        user.user,
        authKey=user.auth_password,
        privKey=user.priv_password if private else None,
        authProtocol=_AUTH[user.auth_protocol],
        privProtocol=_PRIV[user.priv_protocol],
    )


def _community(target: TargetSettings) -> object:
    return hlapi.CommunityData(target.community, mpModel=1)  # noqa: S508 -- only where the settings say so
