"""Normal play time (RFC 2326, 3.6) of a program that is sent at a constant rate: the time of its RTP stream. No I/O.

It is told exactly in the description only. Where a stream begins it has no end: GStreamer leaves out what comes later
than that, by a clock of its own, and a stream that was held up is late.
"""

from media_network.packets import TS_PACKET_BYTES
from media_network.program_header import ProgramHeader


def lasts_ms(header: ProgramHeader) -> int:
    """How long a program is sent, to the next millisecond."""
    return -(-header.length_bytes * 8000 // header.rate_bps)


def sent_ms(header: ProgramHeader, packets: int) -> int:
    """When a packet is sent before which so many lie."""
    return packets * TS_PACKET_BYTES * 8000 // header.rate_bps


def program_ms(header: ProgramHeader, at_ms: int) -> int:
    """The moment of the program that is sent then."""
    return at_ms * header.duration_ms // lasts_ms(header)
