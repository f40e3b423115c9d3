"""Which datagrams of a receiver are let through to a decoder that is not ours. No I/O, but a clock that is handed in.

Only what an inform waits for: a datagram with the number of one that was sent, once, soon, and hardly longer than it.
A report, the answer and an error all bear that number (RFC 3412, 6.2; RFC 3416, 4.2), which nobody off the way can
guess.
"""

from collections import OrderedDict

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.message import REPORTABLE_FLAG, VERSION_2C, VERSION_3, read_header
from media_network.snmp.pdu import PduType, read_pdu

LONGER_OCTETS = 512
"""An answer repeats the variables that it answers (RFC 3416, 4.2.7), and names an engine; a report has one variable."""
_AT_ONCE = 64


class _Bounds(Struct, frozen=True):
    until: float
    octets: int


class ExpectedAnswers:
    """What has been sent to one receiver, and is to be answered."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._bounds: OrderedDict[int, _Bounds] = OrderedDict()
        """By number, the oldest first."""

    def sent(self, octets: bytes, now: float) -> None:
        """Note what was sent; a trap is answered by nobody."""
        number, wants_answer = _number(octets)
        if not wants_answer:
            return
        if len(self._bounds) == _AT_ONCE:
            self._bounds.popitem(last=False)
        self._bounds[number] = _Bounds(now + self._wait_s, len(octets) + LONGER_OCTETS)

    def until(self, now: float) -> float | None:
        """When the last one is expected at the latest; None if none is."""
        while self._bounds and next(iter(self._bounds.values())).until <= now:
            self._bounds.popitem(last=False)
        return next(reversed(self._bounds.values())).until if self._bounds else None

    def most_octets(self) -> int:
        """How long one may be, of all that are expected."""
        return max((bounds.octets for bounds in self._bounds.values()), default=0)

    def takes(self, octets: bytes, now: float) -> bool:
        """Tell whether a datagram is one of them; it then is expected no more."""
        try:
            number, _ = _number(octets)
        except ber.BerError:
            return False
        bounds = self._bounds.get(number)
        if bounds is None or bounds.until <= now or len(octets) > bounds.octets:
            return False
        del self._bounds[number]
        return True


def _number(octets: bytes) -> tuple[int, bool]:
    """Give the number of a message, and whether it wants an answer. Raises BerError."""
    at, end = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
    version, at = ber.read_integer(octets, at, end)
    if end != len(octets) or version not in {VERSION_2C, VERSION_3}:
        raise ber.BerError("no message of SNMPv2c or SNMPv3, or something behind it")
    if version == VERSION_3:
        header = read_header(octets, at, end)
        return _integer(header.message_id), bool(header.flags & REPORTABLE_FLAG)
    _, stop = ber.read_expected(octets, at, end, ber.OCTET_STRING)
    pdu = read_pdu(octets, stop, end)
    return _integer(pdu.request_id), pdu.kind == PduType.INFORM


def _integer(written: bytes) -> int:
    return ber.read_integer(written, 0, len(written))[0]
