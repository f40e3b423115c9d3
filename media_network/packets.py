"""The units that a program is counted in: packets of its transport stream, datagrams of these, ticks of its clock."""

TS_PACKET_BYTES = 188
"""Length of a transport stream packet (ISO/IEC 13818-1, 2.4.3.2)."""

PACKETS_PER_DATAGRAM = 7
DATAGRAM_BYTES = PACKETS_PER_DATAGRAM * TS_PACKET_BYTES
"""Payload of a full media datagram: seven packets are what an Ethernet frame of 1500 bytes carries."""

TICK_HZ = 90_000
"""Ticks a second: what presentation time stamps count in (2.4.3.6), and RTP time stamps of a transport stream."""

TICKS_PER_MS = TICK_HZ // 1000


def datagrams_of(packets: int) -> int:
    """How many datagrams so many packets take."""
    return -(-packets // PACKETS_PER_DATAGRAM)
