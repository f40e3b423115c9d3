"""Sends notifications, by pysnmp: traps and informs, SNMPv3 and v2c. Off the request path, from a queue with an end.

Traps carry the agent's own engine id, boots and time, so that a receiver takes them and the agent's answers for one
engine's (RFC 3414, 2.2). pysnmp would keep boots of its own below the folder for temporary files; it is not let.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from pysnmp.entity.rfc3413 import ntforg
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.hlapi.v3arch.asyncio.lcd import NotificationOriginatorLcdConfigurator
from pysnmp.proto import errind, rfc1902
from pysnmp.proto.mpmod.rfc3412 import SnmpV3MessageProcessingModel
from pysnmp.proto.secmod.rfc3414 import SnmpUSMSecurityModel

from media_network.address import Address
from media_network.snmp import value as syntaxes
from media_network.snmp.objects.notification import SNMP_TRAP_OID, SYS_UP_TIME, Notification, VarBind
from media_network.snmp.objects.times import wall_clock
from media_network.snmp.settings import UserSettings
from media_network.snmp.targets import AgentSettings, TargetSettings, kind_of
from media_network.snmp.usm import EngineIdentity

logger = logging.getLogger(__name__)

_WAITING_MAX = 512
"""Notifications that wait. A receiver that is told more than this at once is told the newest."""
_ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- compared with; no socket is opened
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


class Delivery(Struct):
    """What became of what a target was to be told."""

    sent: int = 0
    """Traps that left, informs that were acknowledged."""
    failed: int = 0
    """Informs without a receipt, and what could not leave."""
    dropped: int = 0
    """Too many were waiting."""


class _Waiting(Struct, frozen=True):
    told: Notification
    ticks: int


class Notifier:
    """Tells all targets of an agent. `tell` never waits."""

    def __init__(
        self,
        settings: AgentSettings,
        identity: EngineIdentity,
        engine_seconds: Callable[[], int],
        ticks: Callable[[], int],
    ) -> None:
        """`engine_seconds` is the snmpEngineTime of the agent, `ticks` its sysUpTime."""
        self._settings = settings
        self._identity = identity
        self._engine_seconds = engine_seconds
        self._ticks = ticks
        self._targets = [_Target(target) for target in settings.targets]

    def tell(self, told: Notification) -> None:
        """Tell every target, soon."""
        waiting = _Waiting(told, self._ticks())
        for target in self._targets:
            target.add(waiting)

    def deliveries(self) -> dict[str, Delivery]:
        """What became of it, by the target's address."""
        return {target.settings.address: target.delivery for target in self._targets}

    async def run(self) -> None:
        """Send what is told until cancelled. Does nothing where there is no target."""
        if not self._targets:
            return
        loop = asyncio.get_running_loop()
        engine = await loop.run_in_executor(None, _open_engine, self._identity)
        _set_engine(engine, self._identity, self._engine_seconds())
        clockwork = _Clockwork(engine)
        try:
            async with asyncio.TaskGroup() as tasks:
                for target in self._targets:
                    user = self._settings.user_of(target.settings) if target.settings.user else None
                    sending = target.run(clockwork, user, self._settings.host)
                    tasks.create_task(sending, name=f"notify {target.settings.address}")
        finally:
            engine.close_dispatcher()


class _Clockwork:
    """pysnmp's timers, ten ticks a second that cost more than all else an idle agent does: only while one is needed.

    What pysnmp knows of receivers' engines expires by the same timers, which is to say never.
    """

    def __init__(self, engine: hlapi.SnmpEngine) -> None:
        self.engine = engine
        self.acquaintances = 0
        """How often the receivers' engines have been found out anew."""
        self.receivers: set[tuple[str, int]] = set()
        """Addresses at which engines are told."""
        self._needed = 0
        self._forgot_s = -_FORGET_S
        engine.observer.register_observer(self._look, _NOT_UNDERSTOOD)

    def _look(self, _engine: object, _point: str, seen: dict[str, Any], _context: object) -> None:
        """See a message that was not understood: it may be of a receiver that is another engine than it was."""
        why = seen["statusInformation"].get("errorIndication")
        if tuple(seen["transportAddress"]) in self.receivers and why in _OF_ANOTHER_ENGINE:
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
            self._rest()

    def _rest(self) -> None:
        dispatcher = self.engine.transport_dispatcher
        if not self._needed and dispatcher is not None and dispatcher.loopingcall is not None:
            dispatcher.loopingcall.cancel()
            dispatcher.loopingcall = None


class _Target:
    """A receiver and what it is still to be told."""

    def __init__(self, settings: TargetSettings) -> None:
        self.settings = settings
        self.delivery = Delivery()
        self._waiting: deque[_Waiting] = deque()
        self._news = asyncio.Event()

    def add(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= _WAITING_MAX:
            self._waiting.popleft()
            self.delivery.dropped += 1
        self._waiting.append(waiting)
        self._news.set()

    async def run(self, clockwork: "_Clockwork", user: UserSettings | None, host: str) -> None:
        """Send from `host`, for receivers know an agent by the address it answers at, until cancelled."""
        address = Address.parse(self.settings.address)
        transport = await hlapi.UdpTransportTarget.create(
            (address.host, address.port), timeout=self.settings.timeout_s, retries=self.settings.retries
        )
        clockwork.receivers.add(tuple(transport.transport_address))
        if host not in _ANY_HOST:
            transport.set_local_address((host, 0))
        credentials = _community(self.settings) if user is None else _credentials(user)
        room = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                while not self._waiting:
                    self._news.clear()
                    await self._news.wait()
                await room.acquire()
                sending = tasks.create_task(self._send(clockwork, credentials, transport, self._waiting.popleft()))
                sending.add_done_callback(lambda _: room.release())
                if not self.settings.inform:
                    await sending  # Traps stay in their order.

    async def _send(self, clockwork: "_Clockwork", credentials: object, transport: object, waiting: _Waiting) -> None:
        """Send, and wait for the receipt of an inform; of a receiver that is another engine now, once more."""
        acquaintances = clockwork.acquaintances
        try:
            with clockwork.ticking():
                refusal = await self._attempt(clockwork.engine, credentials, transport, waiting)
                if refusal and clockwork.acquaintances != acquaintances:
                    refusal = await self._attempt(clockwork.engine, credentials, transport, waiting)
        except (PySnmpError, OSError) as error:
            refusal = error
        if refusal:
            self.delivery.failed += 1
            logger.debug("%s was not told of %s: %s", self.settings.address, waiting.told.kind.name, refusal)
        else:
            self.delivery.sent += 1

    async def _attempt(
        self, engine: hlapi.SnmpEngine, credentials: object, transport: object, waiting: _Waiting
    ) -> object:
        """Why an inform was not taken, or nothing. The names of pysnmp's high-level call would look for modules."""
        receipt: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        context = waiting.told.context
        name = _TARGETS.configure(engine, credentials, transport, kind_of(self.settings), context)
        ntforg.NotificationOriginator().send_varbinds(
            engine, name, None, context, _varbinds(waiting), _take_receipt, receipt
        )
        return await receipt if self.settings.inform else None


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


def _varbinds(waiting: _Waiting) -> list[tuple[Any, Any]]:
    told = waiting.told
    first = [
        VarBind(SYS_UP_TIME, syntaxes.TIME_TICKS, waiting.ticks),
        VarBind(SNMP_TRAP_OID, syntaxes.OBJECT_ID, told.kind.oid),
    ]
    return [(rfc1902.ObjectName(bound.oid), _value(bound)) for bound in (*first, *told.varbinds)]


def _value(bound: VarBind) -> Any:
    plain = bound.value.encode() if isinstance(bound.value, str) else bound.value
    return _VALUES[bound.syntax.tag](plain)


def _open_engine(identity: EngineIdentity) -> hlapi.SnmpEngine:
    """Make an engine: a second of work the first time, for pysnmp loads its modules."""
    engine = hlapi.SnmpEngine()
    _set_engine(engine, identity, 0)
    return engine


def _set_engine(engine: hlapi.SnmpEngine, identity: EngineIdentity, seconds: int) -> None:
    names: Sequence[str] = ("snmpEngineID", "snmpEngineBoots", "snmpEngineTime")
    engine_id, boots, time = engine.get_mib_builder().import_symbols("__SNMP-FRAMEWORK-MIB", *names)
    engine_id.syntax = engine_id.syntax.clone(identity.engine_id)
    engine.snmpEngineID = engine_id.syntax
    boots.syntax = boots.syntax.clone(identity.boots)
    # pysnmp keeps the date of the start here, and gives the time since then.
    time.syntax = time.syntax.clone(int(wall_clock()) - seconds)


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
