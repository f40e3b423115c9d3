"""SNMPv3 at an authoritative engine (RFC 3412, 7.2): requests in, responses and reports out."""

from typing import Protocol

from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.ber import Oid
from media_network.snmp.budget import Budget
from media_network.snmp.counters import Counters
from media_network.snmp.message import (
    AUTH_FLAG,
    PRIV_FLAG,
    REPORTABLE_FLAG,
    USER_SECURITY,
    Header,
    Parameters,
    read_header,
    read_parameters,
    read_scoped_pdu,
    write_scoped_pdu,
)
from media_network.snmp.pdu import Pdu, PduType, read_pdu, write_pdu
from media_network.snmp.responder import Responder, UnknownContext
from media_network.snmp.shape import MessageShape, PduShape
from media_network.snmp.usm import UserSecurity, UsmReport, UsmUser
from media_network.snmp.value import COUNTER32
from media_network.snmp.visible import binding

_UNKNOWN_CONTEXTS: Oid = (1, 3, 6, 1, 6, 3, 12, 1, 5, 0)
_UNKNOWN_PDU_HANDLERS: Oid = (1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0)
_NO_REQUEST_ID = ber.integer(0)
_NO_AUTH_NO_PRIV = Level.NO_AUTH_NO_PRIV
_AROUND_OCTETS = 72
"""More than all headers and integers of a message take together."""


class UserMessages:
    """Answers SNMPv3 messages."""

    def __init__(self, security: UserSecurity, responder: Responder, budget: Budget, message_octets: int) -> None:
        """Take what a message of ours may be long at most, if its receiver takes so much."""
        self.security = security
        self._responder = responder
        self._budget = budget
        self._counters: Counters = responder.counters
        self._message_octets = message_octets

    def answer(self, octets: bytes, at: int, source: str, now: float) -> tuple[bytes | None, MessageShape | None]:
        """Answer the message in a datagram, from behind its version. Raises BerError.

        With the answer comes the shape of the message, if its sender has proved who he is and the message was good.
        """
        header = read_header(octets, at, len(octets))
        if header.security_model != USER_SECURITY:
            self._counters.unknown_security_models += 1
            return None, None
        if header.flags & (AUTH_FLAG | PRIV_FLAG) == PRIV_FLAG:
            self._counters.invalid_messages += 1
            return None, None
        shape = MessageShape(octets, header, read_parameters(octets, header.parameters, header.data))
        answer = self.answer_known(octets, shape, source, now)
        return answer, None if shape.inside is None else shape

    def answer_known(self, octets: bytes, shape: MessageShape, source: str, now: float) -> bytes | None:
        """Answer a message of which the header and the security parameters were read. Raises BerError."""
        header = shape.header
        try:
            user, level, plain = self.security.open(octets, header, shape.parameters, now)
            if level is not _NO_AUTH_NO_PRIV or self._may_report(source, now):
                return self._respond(plain, shape, user, level, now)
        except UsmReport as report:
            if header.flags & REPORTABLE_FLAG and self._may_report(source, now):
                return report_message(self.security, octets, shape, report, now)
        return None

    def _may_report(self, source: str, now: float) -> bool:
        """Tell whether to answer somebody who has proved nothing."""
        granted = self._budget.report(source, now)
        self._counters.reports_withheld += not granted
        return granted

    def _respond(self, plain: bytes, shape: MessageShape, user: UsmUser, level: Level, now: float) -> bytes | None:
        inside = shape.inside
        pdu = None if inside is None else inside.again(plain)
        if pdu is None:
            pdu = self._read(plain, shape, user, level)
        try:
            answer = self._responder.respond(pdu, user.who, level, shape.context, shape.room)
        except UnknownContext:
            count = self._counters.unknown_contexts
            raise UsmReport(_UNKNOWN_CONTEXTS, count, level, user, pdu.request_id) from None
        if answer is None:
            return None
        sealed = write_scoped_pdu(self.security.identity.engine_id, shape.context, answer)
        return self.security.seal(shape.header.message_id, sealed, user, level, now)

    def _read(self, plain: bytes, shape: MessageShape, user: UsmUser, level: Level) -> Pdu:
        """Read a scoped PDU from its beginning; if it is found good, and its sender too, keep its shape."""
        try:
            scoped = read_scoped_pdu(plain)
            pdu = read_pdu(plain, scoped.start, scoped.stop)
        except ber.BerError:
            if level < Level.AUTH_PRIV:
                raise
            # What an authentic message was decrypted to makes no sense: its sender has another privacy password.
            raise self.security.fault("decryption_errors") from None
        engine_id = self.security.identity.engine_id
        if scoped.context_engine_id != engine_id:
            self._counters.unknown_pdu_types += 1
            raise UsmReport(_UNKNOWN_PDU_HANDLERS, self._counters.unknown_pdu_types, level, user, pdu.request_id)
        around = _AROUND_OCTETS + 2 * len(engine_id) + len(user.octets) + user.signer.code_octets + len(scoped.context)
        shape.room = min(shape.header.max_size, self._message_octets) - around
        shape.context = scoped.context
        if level is not _NO_AUTH_NO_PRIV:
            shape.inside = PduShape(plain, pdu)
        return pdu


class Reported(Protocol):
    """A message that a report answers."""

    @property
    def header(self) -> Header:
        """What it says of itself."""

    @property
    def parameters(self) -> Parameters:
        """What it says of its sender."""


def report_message(security: UserSecurity, octets: bytes, message: Reported, report: UsmReport, now: float) -> bytes:
    """Write a report: one counter, and nothing that its receiver did not know.

    It echoes the user name that it was asked with, known or not (RFC 3414, 3.1 and 3.2): clients look for it.
    """
    header = message.header
    request_id = report.request_id or _request_id(octets, header)
    pdu = write_pdu(PduType.REPORT, request_id, binding(ber.write_oid(report.oid), COUNTER32.encode(report.count)))
    scoped = write_scoped_pdu(security.identity.engine_id, b"", pdu)
    name = message.parameters.user
    return security.seal(header.message_id, scoped, report.user, report.level, now, name=name)


def _request_id(octets: bytes, header: Header) -> bytes:
    """Give the request id of a message that was not taken, 0 if it cannot be read."""
    if header.flags & PRIV_FLAG:
        return _NO_REQUEST_ID
    try:
        plain = octets[header.data : header.end]
        scoped = read_scoped_pdu(plain)
        return read_pdu(plain, scoped.start, scoped.stop).request_id
    except ber.BerError:
        return _NO_REQUEST_ID
