"""An SNMP engine that answers (RFC 3411, 3.1): a datagram, its source and the time go in, an answer or None comes out.

Nothing of a request's bindings is looked at before its sender is known to be who he says.
"""

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.access import V2C, Level
from media_network.snmp.budget import FREE_FACTOR, Allowance, Budget
from media_network.snmp.message import VERSION_2C, VERSION_3
from media_network.snmp.pdu import Pdu, read_pdu
from media_network.snmp.responder import Responder, UnknownContext
from media_network.snmp.shape import MAX_SHAPE_OCTETS, MAX_SHAPES, MessageShape, PduShape
from media_network.snmp.sought_rows import RowsAway
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

    @property
    def who(self) -> tuple[int, str]:
        """Security model and name."""
        return V2C, self.name


class _Known(Struct, frozen=True):
    """A shape of SNMPv2c requests, whose community it is, and how the answer begins."""

    shape: PduShape
    community: Community
    prefix: bytes


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
        self._longest = limits.request_octets
        self._reply_octets = limits.reply_octets
        self._budget = Budget(limits.answered, limits.reports)
        self._user_messages = UserMessages(security, responder, self._budget, limits.message_octets)
        self._known: dict[tuple[str, int], _Known | MessageShape] = {}
        """What came last from a host in a message of this length."""

    def receive(self, octets: bytes, source: str, now: float) -> bytes | None:
        """Answer a datagram from a host. Raises RowsAway: when these are fetched it is to be received again."""
        counters = self.counters
        counters.in_packets += 1
        size = len(octets)
        if size > self._longest:
            counters.oversized += 1
            return None
        try:
            answer = self._answer(octets, source, now)
        except ber.BerError:
            counters.in_asn_parse_errors += 1
            return None
        except RowsAway:
            counters.in_packets -= 1
            raise
        if answer is None:
            return None
        if len(answer) > FREE_FACTOR * size and not self._budget.answer(source, size, len(answer), now):
            counters.over_budget += 1
            return None
        counters.out_packets += 1
        return answer

    def _answer(self, octets: bytes, source: str, now: float) -> bytes | None:
        key = (source, len(octets))
        known = self._known.get(key)
        if known is None:
            return self._answer_unknown(octets, key, now)
        if isinstance(known, MessageShape):
            if known.again(octets):
                return self._user_messages.answer_known(octets, known, source, now)
        else:
            pdu = known.shape.again(octets)
            if pdu is not None:
                return self._respond(pdu, known.community, known.prefix)
        return self._answer_unknown(octets, key, now)

    def _answer_unknown(self, octets: bytes, key: tuple[str, int], now: float) -> bytes | None:
        """Read a message from its beginning; if it is found good, keep its shape."""
        at, end = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
        if end != len(octets):
            raise ber.BerError("something behind the message")
        version, at = ber.read_integer(octets, at, end)
        if version == VERSION_3:
            answer, shape = self._user_messages.answer(octets, at, key[0], now)
            if shape is not None:
                self._keep(key, shape)
            return answer
        if version == VERSION_2C and self._communities:
            return self._of_community(octets, at, key)
        self.counters.in_bad_versions += 1
        return None

    def _of_community(self, octets: bytes, at: int, key: tuple[str, int]) -> bytes | None:
        start, stop = ber.read_expected(octets, at, len(octets), ber.OCTET_STRING)
        community = self._communities.get(octets[start:stop]) if stop - start <= _MAX_COMMUNITY_OCTETS else None
        if community is None:
            self.counters.in_bad_community_names += 1
            return None
        pdu = read_pdu(octets, stop, len(octets))
        prefix = _VERSION_2C + octets[at:stop]
        self._keep(key, _Known(PduShape(octets, pdu), community, prefix))
        return self._respond(pdu, community, prefix)

    def _respond(self, pdu: Pdu, community: Community, prefix: bytes) -> bytes | None:
        """Answer an SNMPv2c request."""
        room = max(self._reply_octets, len(pdu.octets)) - len(prefix) - 4
        try:
            answer = self.responder.respond(pdu, community.who, _NO_AUTH_NO_PRIV, community.context, room)
        except UnknownContext:
            return None
        if answer is None:
            return None
        return ber.header(ber.SEQUENCE, len(prefix) + len(answer)) + prefix + answer

    def _keep(self, key: tuple[str, int], known: _Known | MessageShape) -> None:
        if key[1] <= MAX_SHAPE_OCTETS:
            if len(self._known) >= MAX_SHAPES:
                self._known.clear()
            self._known[key] = known


_VERSION_2C = ber.integer(VERSION_2C)
_NO_AUTH_NO_PRIV = Level.NO_AUTH_NO_PRIV
