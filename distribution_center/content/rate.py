"""The rate of a constant-rate transport stream that delivers every picture and sound in time."""

from collections.abc import Sequence
from typing import NamedTuple

from media_network.program import TS_PACKET_BYTES

DELAY_US = 700_000
"""How long before it is due a picture may be sent: what decoders commonly buffer."""

_HEADERS_BYTES = 64  # PES header, access unit delimiter, ADTS header, random access indicator, PCR: never more
_TABLES_BPS = 130_000  # PAT and PMT ten times, clock references fifty times a second, and some at random access
_PAYLOAD_BYTES = 184
_STEP_BPS = 10_000


class AccessUnit(NamedTuple):
    """One picture or sound: when it is decoded, and its length."""

    due_us: int
    length_bytes: int


def required_rate_bps(loads: Sequence[AccessUnit]) -> int:
    """The lowest rate at which every load, sent in turn and at most `DELAY_US` early, is there when it is due."""
    wire = [AccessUnit(due_us, _on_wire_bytes(length_bytes)) for due_us, length_bytes in loads]
    low, high = 0, 8_000_000 * max(load.length_bytes for load in wire) * len(wire) // DELAY_US
    while high - low > _STEP_BPS:
        rate_bps = (low + high) // 2
        if _in_time(wire, rate_bps):
            high = rate_bps
        else:
            low = rate_bps
    return -(-(high + _TABLES_BPS) // _STEP_BPS) * _STEP_BPS


def _on_wire_bytes(length_bytes: int) -> int:
    packets = -(-(length_bytes + _HEADERS_BYTES) // _PAYLOAD_BYTES)
    return packets * TS_PACKET_BYTES


def _in_time(wire: Sequence[AccessUnit], rate_bps: int) -> bool:
    sent_us = float(wire[0].due_us - DELAY_US)
    us_a_byte = 8_000_000 / rate_bps
    for due_us, length_bytes in wire:
        sent_us = max(sent_us, due_us - DELAY_US) + length_bytes * us_a_byte
        if sent_us > due_us:
            return False
    return True
