"""The seal of a message that changes something: a CRC-32 at its end, beside the 8-bit sum of IPMI.

At one wrong bit in a thousand, which is what the emulator's noise is unless it is told otherwise, one heartbeat of some
300 passes the sum and is wrong. Of those a CRC-16 would let one in 65,536 through: with 14 blades that is a wrong
message in two weeks of noise, and one is enough. CRC-32 lets through one in four thousand million, for two bytes more.
It is that of zlib, as the digest of an assignment is.

It covers net function, command, completion code (of a response), defining body and fields. Addresses, LUNs and
sequence number are not under it: each end compares them with what it expects, and a bridge writes them anew.
"""

import zlib
from typing import Final

from blade_agent.backplane.layout import InvalidField, WrongLength

SEAL_BYTES: Final = 4


class BrokenSeal(InvalidField):
    """Data that are not what was sealed."""


def seal(head: bytes, data: bytes) -> bytes:
    """Give data with their seal; `head` is what comes before them in the message and is sealed too."""
    return data + _crc(head, data)


def unseal(head: bytes, octets: bytes) -> bytes:
    """Give the data without their seal.

    Raises WrongLength: there is no room for one; BrokenSeal: it is the seal of something else.
    """
    if len(octets) < SEAL_BYTES:
        raise WrongLength(len(octets))
    if not holds(head, octets):
        message = f"the seal of {len(octets)} bytes is broken"
        raise BrokenSeal(message)
    return octets[:-SEAL_BYTES]


def holds(head: bytes, octets: bytes) -> bool:
    """Tell whether octets end in their seal."""
    return octets[-SEAL_BYTES:] == _crc(head, octets[:-SEAL_BYTES])


def _crc(head: bytes, data: bytes) -> bytes:
    return zlib.crc32(data, zlib.crc32(head)).to_bytes(SEAL_BYTES, "little")
