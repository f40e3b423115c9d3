"""An SNMP engine that answers (RFC 3411, 3.1): a datagram, its source and the time go in, an answer or None comes out.

Nothing of a request's bindings is looked at before its sender is known to be who he says.
"""

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.access import V2C, Level
from media_network.snmp.budget import Allowance, Budget
from media_network.snmp.message import VERSION_2C, VERSION_3
from media_network.snmp.pdu import read_pdu
from media_network.snmp.responder import Responder, UnknownContext
from media_network.snmp.user_messages import UserMessages
from media_network.snmp.usm import UserSecurity

_MAX_COMMUNITY_OCTETS = 255


class Limits(Struct, frozen=True, kw_only=True):
    """What one source, and one datagram, may cost."""

    request_octets: int = 16_384
    """Longer datagrams are dropped unread; also what the engine tells others as its msgMaxSize."""
    reply_octets: int = 1_400
    """A response to SNMPv2c is no longer, unless the request was."""
    message_octets: int = 8_192
    """An SNMPv3 message of ours is no longer, and no longer than its receiver takes."""
    answered: Allowance = Allowance(burst=4 * 2**20, rate=2**20)
    """Octets for one source beyond twice those that came from it."""
    reports: Allowance = Allowance(burst=400, rate=200)
    """Answers to one source that has proved nothing."""


class Community(Struct, frozen=True):
    """What is known of who writes a community string (RFC 3584, 5)."""

    name: str
    """Security name."""
    context: bytes = b""


class SnmpEngine:
    """Answers SNMPv3, and SNMPv2c for those communities that there are."""

    def __init__(
        self, responder: Responder, security: UserSecurity, communities: dict[bytes, Community], limits: Limits
    ) -> None:
        self.counters = responder.counters
        self.security = security
        self.responder = responder
        self.limits = limits
        self._communities = communities
        self._budget = Budget(limits.answered, limits.reports)
        self._user_messages = UserMessages(security, responder, self._budget, limits.message_octets)

    def receive(self, octets: bytes, source: str, now: float) -> bytes | None:
        """Answer a datagram from a host."""
        counters = self.counters
        counters.in_packets += 1
        if len(octets) > self.limits.request_octets:
            counters.oversized += 1
            return None
        try:
            answer = self._answer(octets, source, now)
        except ber.BerError:
            counters.in_asn_parse_errors += 1
            return None
        if answer is None:
            return None
        if not self._budget.answer(source, len(octets), len(answer), now):
            counters.over_budget += 1
            return None
        counters.out_packets += 1
        return answer

    def _answer(self, octets: bytes, source: str, now: float) -> bytes | None:
        at, end = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
        if end != len(octets):
            raise ber.BerError("something behind the message")
        version, at = ber.read_integer(octets, at, end)
        if version == VERSION_3:
            return self._user_messages.answer(octets, at, source, now)
        if version == VERSION_2C and self._communities:
            return self._of_community(octets, at)
        self.counters.in_bad_versions += 1
        return None

    def _of_community(self, octets: bytes, at: int) -> bytes | None:
        start, stop = ber.read_expected(octets, at, len(octets), ber.OCTET_STRING)
        community = self._communities.get(octets[start:stop]) if stop - start <= _MAX_COMMUNITY_OCTETS else None
        if community is None:
            self.counters.in_bad_community_names += 1
            return None
        pdu = read_pdu(octets, stop, len(octets))
        prefix = _VERSION_2C + octets[at:stop]
        room = max(self.limits.reply_octets, len(octets)) - len(prefix) - 4
        who = (V2C, community.name)
        try:
            answer = self.responder.respond(pdu, who, Level.NO_AUTH_NO_PRIV, community.context, room)
        except UnknownContext:
            return None
        if answer is None:
            return None
        return ber.header(ber.SEQUENCE, len(prefix) + len(answer)) + prefix + answer


_VERSION_2C = ber.integer(VERSION_2C)
