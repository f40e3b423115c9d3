"""What receives traps and informs of SNMPv3 (RFC 3413, 3.4), for one user. A datagram in; who sent it, and what to say.

A trap is authentic for its sender's engine, whose id has to be known before; an inform for ours, which is found out by
reports. Whoever proves nothing gets reports, so many, and costs what it takes to read the outside of a message.
"""

from collections import OrderedDict
from random import Random

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.budget import Allowance, Budget
from media_network.snmp.counters import Counters
from media_network.snmp.message import AUTH_FLAG, PRIV_FLAG, REPORTABLE_FLAG, read_scoped_pdu, write_scoped_pdu
from media_network.snmp.pdu import Pdu, PduType, read_pdu, write_pdu
from media_network.snmp.question import read_variables
from media_network.snmp.remote_engine import Incoming, NotBelieved, RemoteEngine, open_message
from media_network.snmp.settings import UserSettings
from media_network.snmp.user_messages import report_message
from media_network.snmp.usm import EngineIdentity, UserSecurity, UsmReport
from media_network.snmp.value import ErrorStatus

MAX_MESSAGE_OCTETS = 16_384
"""Longer datagrams are dropped unread; also what senders of informs are told that we take."""
_MAX_VARIABLES = 128
_MAX_ENGINES = 8_192
_REPORTS = Allowance(burst=100, rate=20)
_ANSWERED = Allowance(burst=0, rate=0)
"""An answer is as long as what it answers, and a report hardly longer."""


class Received(Struct, frozen=True):
    """What came of a datagram."""

    engine_id: bytes = b""
    """Of the engine that has sent an authentic notification; empty if it is none."""
    reply: bytes | None = None
    """What its sender is told: a receipt, or what he has to know before he can send an inform."""
    reason: str = ""
    """Why it was not taken."""


class NotificationInbox:
    """Opens what comes."""

    def __init__(self, user: UserSettings, identity: EngineIdentity, *, rng: Random, started: float) -> None:
        """Take who we are to those who send informs; `started` is the time at which we became it."""
        self._settings = user
        own = RemoteEngine(user, identity.engine_id)
        self._security = UserSecurity(
            identity, [own.user], counters=Counters(), max_size=MAX_MESSAGE_OCTETS, started=started, rng=rng
        )
        self._engine_id = identity.engine_id
        self._level = Level.AUTH_NO_PRIV if own.user.cipher is None else Level.AUTH_PRIV
        self._flags = AUTH_FLAG if own.user.cipher is None else AUTH_FLAG | PRIV_FLAG
        self._budget = Budget(_ANSWERED, _REPORTS)
        self._engines: OrderedDict[bytes, RemoteEngine | None] = OrderedDict()
        """Those whose traps are taken; with keys from the first one on."""

    def know(self, engine_id: bytes) -> None:
        """Take traps of this engine from now on."""
        if not engine_id or engine_id == self._engine_id or engine_id in self._engines:
            return
        if len(self._engines) == _MAX_ENGINES:
            self._engines.popitem(last=False)
        self._engines[engine_id] = None

    def receive(self, octets: bytes, source: str, now: float) -> Received:
        """Take a datagram from a host."""
        if len(octets) > MAX_MESSAGE_OCTETS:
            return Received(reason="longer than what is taken")
        try:
            incoming = open_message(octets)
            if incoming.parameters.engine_id in self._engines:
                return self._take_trap(incoming, now)
            return self._take_inform(incoming, source, now)
        except (ber.BerError, NotBelieved) as error:
            return Received(reason=str(error))

    def _take_trap(self, incoming: Incoming, now: float) -> Received:
        engine_id = incoming.parameters.engine_id
        if incoming.header.flags & (AUTH_FLAG | PRIV_FLAG) != self._flags:
            raise NotBelieved("less secure than it has to be")
        sender = self._engines[engine_id]
        if sender is None:
            sender = self._engines[engine_id] = RemoteEngine(self._settings, engine_id)
        scoped, pdu = sender.open(incoming, now)
        _check(pdu, PduType.TRAP)
        return Received(scoped.context_engine_id)

    def _take_inform(self, incoming: Incoming, source: str, now: float) -> Received:
        octets, header = incoming.octets, incoming.header
        try:
            user, level, plain = self._security.open(octets, header, incoming.parameters, now)
        except UsmReport as report:
            if not header.flags & REPORTABLE_FLAG or not self._budget.report(source, now):
                return Received(reason="for another engine, or not authentic")
            return Received(reply=report_message(self._security, octets, incoming, report, now))
        if level is not self._level:
            raise NotBelieved("less secure than it has to be")
        scoped = read_scoped_pdu(plain)
        pdu = read_pdu(plain, scoped.start, scoped.stop)
        _check(pdu, PduType.INFORM)

        def answer(bindings: bytes, status: int) -> bytes:
            written = write_pdu(PduType.RESPONSE, pdu.request_id, bindings, status)
            inside = write_scoped_pdu(scoped.context_engine_id, scoped.context, written)
            return self._security.seal(header.message_id, inside, user, level, now)

        reply = answer(plain[pdu.start : pdu.stop], ErrorStatus.NO_ERROR)
        if len(reply) > header.max_size:
            reply = answer(b"", ErrorStatus.TOO_BIG)
        return Received(scoped.context_engine_id, reply)


def _check(pdu: Pdu, kind: PduType) -> None:
    """Raise NotBelieved for another kind of message, BerError for variables that are none."""
    if pdu.kind != kind:
        raise NotBelieved("no notification")
    read_variables(pdu, _MAX_VARIABLES)
