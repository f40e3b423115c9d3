"""RTP packets that carry a transport stream (RFC 3550, RFC 2250), and the RTCP packets beside them. No I/O.

All that stands in a packet follows from where it is in its stream: whoever goes on with a stream sends what the one
before would have sent.
"""

import struct
from collections.abc import Iterator
from struct import Struct as Layout
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from msgspec.structs import replace

from media_network.packets import DATAGRAM_BYTES, PACKETS_PER_DATAGRAM, TICK_HZ, TS_PACKET_BYTES, datagrams_of

RTP_PORT, RTSP_PORT = 5004, 8554
"""Where RTP leaves from, and players speak RTSP, where nothing else is said: as IANA has them. RTCP has the port after
RTP; 554 for RTSP would take a privilege."""
RTP_HEADER_BYTES = 12
RTP_DATAGRAM_BYTES = RTP_HEADER_BYTES + DATAGRAM_BYTES
"""Length of a full datagram."""
PAYLOAD_TYPE = 33
"""MP2T (RFC 3551, 6)."""

_HEADER = Layout(">BBHII")
_VERSION = 0x80
_PACKET_TICKS = TS_PACKET_BYTES * 8 * TICK_HZ
"""Ticks that a packet plays, times the rate in bits a second."""


class RtpPlace(Struct, frozen=True, kw_only=True):
    """Where a turn stands in its RTP stream: the stream's base, and what lies between that and the turn's packet 0.

    That may be less than nothing: a stream that begins in the middle of a segment has sent none of what lies before.
    """

    ssrc: Annotated[int, Meta(ge=0, lt=2**32)]
    sequence: Annotated[int, Meta(ge=0, lt=2**16)]
    """Of the stream's first datagram."""
    timestamp: Annotated[int, Meta(ge=0, lt=2**32)]
    """Of the stream's first packet, at 90 kHz."""
    datagrams: Annotated[int, Meta(ge=-(2**48), le=2**48)] = 0
    packets: Annotated[int, Meta(ge=-(2**48), le=2**48)] = 0
    """Of the transport stream."""

    def sequence_of(self, packet: int) -> int:
        """Sequence number of the datagram that this packet of the turn is in."""
        return (self.sequence + self.datagrams + packet // PACKETS_PER_DATAGRAM) % 2**16

    def timestamp_of(self, packet: int, rate_bps: int) -> int:
        """Time stamp of a datagram that begins with this packet of the turn."""
        return (self.timestamp + (self.packets + packet) * _PACKET_TICKS // rate_bps) % 2**32

    def onwards(self, packet: int) -> "RtpPlace":
        """The same stream, counted from this packet of the turn on."""
        datagrams = self.datagrams + packet // PACKETS_PER_DATAGRAM
        return replace(self, datagrams=datagrams, packets=self.packets + packet)

    def sent(self, packet: int) -> tuple[int, int]:
        """Datagrams, and octets of their payload, that the stream has sent before this packet of the turn."""
        return self.datagrams + datagrams_of(packet), (self.packets + packet) * TS_PACKET_BYTES


def framed(place: RtpPlace, batch: memoryview, packet: int, rate_bps: int) -> bytes:
    """A batch as RTP datagrams, one behind the other; it begins with this packet of the turn.

    All are full but the last. Who begins within a datagram sends the rest of that alone.
    """
    parts: list[bytes | memoryview] = []
    sequence = place.sequence + place.datagrams + packet // PACKETS_PER_DATAGRAM
    base, ticks_before = place.timestamp, (place.packets + packet) * _PACKET_TICKS
    pack, datagram_ticks = _HEADER.pack, PACKETS_PER_DATAGRAM * _PACKET_TICKS
    for offset in range(0, len(batch), DATAGRAM_BYTES):
        timestamp = (base + ticks_before // rate_bps) & 0xFFFFFFFF
        parts.append(pack(_VERSION, PAYLOAD_TYPE, sequence & 0xFFFF, timestamp, place.ssrc))
        parts.append(batch[offset : offset + DATAGRAM_BYTES])
        sequence += 1
        ticks_before += datagram_ticks
    return b"".join(parts)


class BadRtp(ValueError):
    """These octets are no RTP or RTCP packet; the message says why."""


class RtpPacket(NamedTuple):
    """What a receiver reads of a datagram."""

    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(octets: bytes) -> RtpPacket:
    """A packet of payload type 33 without contributing sources, extension and padding. Raises BadRtp."""
    if len(octets) < RTP_HEADER_BYTES:
        raise BadRtp("it is shorter than a header")
    first, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(octets)
    if first != _VERSION or kind & 0x7F != PAYLOAD_TYPE:
        raise BadRtp("it is not what carries a transport stream")
    return RtpPacket(sequence, timestamp, ssrc, octets[RTP_HEADER_BYTES:])


# RTCP (RFC 3550, 6)

RTCP_BYTES_MAX = 1500
"""Longer compounds are not read: whoever receives one stream has less to say."""
SENDER_REPORT_EVERY_S = 5
"""Of the stream's own time (RFC 3550, 6.2: the recommended minimum)."""
RECEPTIONS_MAX = 256
"""So many receivers' words an engine passes on at once; whoever was left out says it again."""

_SENDER_REPORT, _RECEIVER_REPORT, _SOURCE_DESCRIPTION, _GOODBYE = 200, 201, 202, 203
_RTCP_HEAD = Layout(">BBH")
_REPORT_BLOCK = Layout(">IIIIII")
_WORD = Layout(">I")
_CNAME = 1
_NTP_1970 = 2_208_988_800
"""Seconds from 1900, which NTP counts from."""


class Reception(Struct, frozen=True, kw_only=True):
    """What a receiver says of a stream (RFC 3550, 6.4.1)."""

    ssrc: Annotated[int, Meta(ge=0, lt=2**32)]
    """Of the stream."""
    host: str
    """From where it was said."""
    lost: Annotated[int, Meta(ge=-(2**23), lt=2**23)] = 0
    """Datagrams, since it began to receive."""
    highest: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    """The highest sequence number that came, with how often it began anew."""
    jitter: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    """In ticks of 90 kHz."""


def sender_report(place: RtpPlace, packet: int, rate_bps: int, unix_s: float, cname: str) -> bytes:
    """A sender report that goes out with this packet of a turn, and who sends it (6.4.1, 6.5)."""
    seconds = int(unix_s)
    fraction = int((unix_s - seconds) * 2**32) & 0xFFFFFFFF
    datagrams, octets = place.sent(packet)
    words = (
        place.ssrc,
        (seconds + _NTP_1970) & 0xFFFFFFFF,
        fraction,
        place.timestamp_of(packet, rate_bps),
        datagrams & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    body = b"".join(_WORD.pack(word) for word in words)
    return _rtcp(_SENDER_REPORT, 0, body) + _description(place.ssrc, cname)


def goodbye(place: RtpPlace, packet: int, rate_bps: int, unix_s: float, cname: str) -> bytes:
    """The last word: the stream has ended before this packet (6.6). A compound begins with a report (6.1)."""
    return sender_report(place, packet, rate_bps, unix_s, cname) + _rtcp(_GOODBYE, 1, _WORD.pack(place.ssrc))


def _description(ssrc: int, cname: str) -> bytes:
    name = cname.encode()[:255]
    item = bytes((_CNAME, len(name))) + name
    return _rtcp(_SOURCE_DESCRIPTION, 1, _WORD.pack(ssrc) + item + bytes(4 - len(item) % 4))


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    return _RTCP_HEAD.pack(_VERSION | count, kind, len(body) // 4) + body


def parse_rtcp(octets: bytes, host: str) -> list[Reception]:
    """What the receiver at `host` says of the streams that it gets. Raises BadRtp.

    What else a compound contains is passed over.
    """
    if len(octets) > RTCP_BYTES_MAX:
        raise BadRtp("it is longer than a receiver has to say")
    found: list[Reception] = []
    for kind, count, body in _compound(octets):
        if kind in (_SENDER_REPORT, _RECEIVER_REPORT):
            found += _blocks(body, 24 if kind == _SENDER_REPORT else 4, count, host)
    return found


def _compound(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    while place < len(octets):
        try:
            first, kind, words = _RTCP_HEAD.unpack_from(octets, place)
        except struct.error:
            raise BadRtp("it ends within a head") from None
        end = place + 4 + 4 * words
        if first & 0xC0 != _VERSION or end > len(octets):
            raise BadRtp("it is no RTCP packet of version 2, or cut short")
        yield kind, first & 0x1F, octets[place + 4 : end]
        place = end


def _blocks(body: bytes, offset: int, count: int, host: str) -> Iterator[Reception]:
    if len(body) < offset + count * _REPORT_BLOCK.size:
        raise BadRtp("a report has fewer blocks than it says")
    for number in range(count):
        ssrc, losses, highest, jitter, _, _ = _REPORT_BLOCK.unpack_from(body, offset + number * _REPORT_BLOCK.size)
        lost = losses & 0xFFFFFF
        yield Reception(ssrc=ssrc, host=host, lost=lost - (1 << 24) * (lost >> 23), highest=highest, jitter=jitter)
