"""Datagrams of the LAN interface: RMCP, then ASF's ping or an IPMI session packet (IPMI 2.0, 13.1.3, 13.2.4, 13.6).

A packet of IPMI 2.0 (RMCP+) lies so; one of IPMI 1.5 is only taken outside a session:

    06 00 FF 07   06  type  session  sequence  length  payload   FF ...  pad length  07  integrity code
    RMCP          |<------------- what the integrity code covers ------------------------>|
"""

import struct
from enum import Enum, IntEnum

from msgspec import Struct

MAX_DATAGRAM_BYTES = 1024
"""Longest datagram that is read. No message of ours comes near it; one of theirs that is too long is told so."""

_RMCP = struct.Struct(">BBBB")
_VERSION = 6
_NO_ACKNOWLEDGEMENT = 0xFF
_CLASS_ASF = 6
_CLASS_IPMI = 7
_HEADER = struct.Struct("<BBIIH")
_RMCP_PLUS = 6
_PLAIN_HEADER = struct.Struct("<BIIB")
_LEGACY_PAD_BYTES = 1
_PING = struct.Struct(">IBBBB")
_ASF_ENTERPRISE = 4542
_ASF_PING = 0x80
_ASF_PONG = 0x40
_PONG_BODY = struct.Struct(">IIBB6x")
_SUPPORTS_IPMI_AND_ASF_1 = 0x81
_ENCRYPTED = 0x80
_AUTHENTICATED = 0x40
_TYPE_MASK = 0x3F
_NEXT_HEADER = 0x07


class PayloadType(IntEnum):
    """What a packet carries (IPMI 2.0, table 13-16)."""

    IPMI = 0x00
    SOL = 0x01
    OPEN_SESSION_REQUEST = 0x10
    OPEN_SESSION_RESPONSE = 0x11
    RAKP_1 = 0x12
    RAKP_2 = 0x13
    RAKP_3 = 0x14
    RAKP_4 = 0x15


class LanFault(Enum):
    """Why a datagram was dropped without an answer."""

    TOO_LONG = "longer than any packet"
    NOT_RMCP = "no RMCP"
    CUT_SHORT = "shorter than it says, or longer"
    UNKNOWN_PAYLOAD = "carries a payload that is not known"
    UNKNOWN_SESSION = "of no session that is open"
    UNPROTECTED = "in a session, and not both authenticated and encrypted"
    BAD_INTEGRITY = "its integrity code does not match"
    BAD_PADDING = "authentic, and not to be decrypted"
    REPLAYED = "its sequence number was seen, or is too old"
    BAD_MESSAGE = "holds no request to this manager"
    PENALIZED = "logging in too soon after a wrong password"
    BAD_LOGIN = "a step of a login that was never begun, or not as long as it says"


class PacketDropped(Exception):
    """A datagram that is not answered."""

    def __init__(self, fault: LanFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Ping(Struct, frozen=True):
    """ASF's question whether anybody speaks RMCP here."""

    tag: int


class Packet(Struct, frozen=True, kw_only=True):
    """An IPMI packet. Outside a session `session` is 0."""

    payload_type: int = PayloadType.IPMI
    payload: bytes
    session: int = 0
    sequence: int = 0
    protected: bool = False
    """Whether it says that it is authenticated and encrypted. Half of it is no protection."""
    octets: bytes = b""
    """Everything after the RMCP header; from the payload's end on it is padding and integrity code."""
    plus: bool = True
    """Whether it is RMCP+, not a packet of IPMI 1.5."""


def read(datagram: bytes) -> Ping | Packet:
    """Read a datagram.

    Raises PacketDropped: it is none of ours.
    """
    if len(datagram) > MAX_DATAGRAM_BYTES:
        raise PacketDropped(LanFault.TOO_LONG)
    if len(datagram) <= _RMCP.size:
        raise PacketDropped(LanFault.NOT_RMCP)
    version, _, _, message_class = _RMCP.unpack_from(datagram)
    octets = datagram[_RMCP.size :]
    if version == _VERSION and message_class == _CLASS_ASF:
        return _read_ping(octets)
    if version == _VERSION and message_class == _CLASS_IPMI:
        return _read_plus(octets) if octets[0] == _RMCP_PLUS else _read_plain(octets)
    raise PacketDropped(LanFault.NOT_RMCP)


def pong(ping: Ping) -> bytes:
    """Give the datagram that answers a ping (ASF 2.0, 3.2.4.3)."""
    body = _PONG_BODY.pack(_ASF_ENTERPRISE, 0, _SUPPORTS_IPMI_AND_ASF_1, 0)
    return _rmcp(_CLASS_ASF) + _PING.pack(_ASF_ENTERPRISE, _ASF_PONG, ping.tag, 0, len(body)) + body


def write(packet: Packet) -> bytes:
    """Give the datagram of a packet, without integrity code and what goes before it."""
    if packet.plus:
        return _rmcp(_CLASS_IPMI) + packet_octets(packet)
    return _rmcp(_CLASS_IPMI) + _PLAIN_HEADER.pack(0, 0, 0, len(packet.payload)) + packet.payload


def write_protected(packet: Packet, integrity_code: bytes) -> bytes:
    """Give the datagram of a packet whose `covered` octets have this integrity code."""
    return _rmcp(_CLASS_IPMI) + covered(packet) + integrity_code


def covered(packet: Packet) -> bytes:
    """Give what the integrity code of an RMCP+ packet covers: a multiple of 4 octets."""
    octets = packet_octets(packet)
    pad_bytes = -(len(octets) + 2) % 4
    return octets + b"\xff" * pad_bytes + bytes((pad_bytes, _NEXT_HEADER))


def ends_well(packet: Packet, code_bytes: int) -> bool:
    """Tell whether, between payload and integrity code, there is padding as it has to be."""
    trailer = packet.octets[_HEADER.size + len(packet.payload) : -code_bytes]
    if len(trailer) < 2:
        return False
    return trailer[-1] == _NEXT_HEADER and trailer[-2] == len(trailer) - 2 < 4


def packet_octets(packet: Packet) -> bytes:
    """Give header and payload of an RMCP+ packet."""
    flags = _ENCRYPTED | _AUTHENTICATED if packet.protected else 0
    header = _HEADER.pack(_RMCP_PLUS, packet.payload_type | flags, packet.session, packet.sequence, len(packet.payload))
    return header + packet.payload


def _rmcp(message_class: int) -> bytes:
    return _RMCP.pack(_VERSION, 0, _NO_ACKNOWLEDGEMENT, message_class)


def _read_ping(octets: bytes) -> Ping:
    if len(octets) < _PING.size:
        raise PacketDropped(LanFault.CUT_SHORT)
    enterprise, kind, tag, _, _ = _PING.unpack_from(octets)
    if (enterprise, kind) != (_ASF_ENTERPRISE, _ASF_PING):
        raise PacketDropped(LanFault.NOT_RMCP)
    return Ping(tag)


def _read_plain(octets: bytes) -> Packet:
    """Read a packet of IPMI 1.5, which counts only outside a session and without authentication."""
    if len(octets) < _PLAIN_HEADER.size:
        raise PacketDropped(LanFault.CUT_SHORT)
    authentication, _, session, length_bytes = _PLAIN_HEADER.unpack_from(octets)
    if authentication or session:
        raise PacketDropped(LanFault.UNKNOWN_SESSION)
    payload = octets[_PLAIN_HEADER.size :]
    # Some clients still send the byte that network chips of the IPMI 1.5 time needed (IPMI 2.0, table 13-8).
    if not 0 <= len(payload) - length_bytes <= _LEGACY_PAD_BYTES:
        raise PacketDropped(LanFault.CUT_SHORT)
    return Packet(payload=payload[:length_bytes], plus=False)


def _read_plus(octets: bytes) -> Packet:
    if len(octets) < _HEADER.size:
        raise PacketDropped(LanFault.CUT_SHORT)
    _, kind, session, sequence, length_bytes = _HEADER.unpack_from(octets)
    end = _HEADER.size + length_bytes
    if len(octets) < end or (not session and len(octets) > end):
        raise PacketDropped(LanFault.CUT_SHORT)
    return Packet(
        payload_type=kind & _TYPE_MASK,
        payload=octets[_HEADER.size : end],
        session=session,
        sequence=sequence,
        protected=kind & ~_TYPE_MASK == _ENCRYPTED | _AUTHENTICATED,
        octets=octets,
    )
