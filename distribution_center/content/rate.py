"""The rate of a constant-rate transport stream that delivers every picture and sound in time."""

from collections import deque

from distribution_center.content.decoder_buffers import BufferSizes
from distribution_center.content.track import TrackTable
from media_network.packets import TS_PACKET_BYTES

_HEADERS_BYTES = 64  # PES header, access unit delimiter, ADTS header, random access indicator, PCR: never more
_TABLES_BPS = 130_000  # PAT and PMT ten times, clock references fifty times a second, and some at random access
_PAYLOAD_BYTES = 184
_STEP_BPS = 10_000
_MARGIN = 1.01
"""Whole packets and gaps between packets of sound are not reckoned with."""


def required_rate_bps(
    pictures: TrackTable, picture_sizes: BufferSizes, sounds: TrackTable, sound_sizes: BufferSizes
) -> int:
    """The lowest rate at which all is there when it is due.

    Sound is sent as soon as it may be, pictures in the time that it leaves; neither before its decoder has room.
    """
    wires = [_on_wire_bytes(length) for length in pictures.lengths]
    sound_wires = [_on_wire_bytes(length) for length in sounds.lengths]
    largest, count = max([*wires, *sound_wires]), len(wires) + len(sound_wires)
    low, high = 0, 8_000_000 * largest * count // sound_sizes.lead_us
    while high - low > _STEP_BPS:
        rate_bps = (low + high) // 2
        if _sounds_in_time(sounds, sound_wires, sound_sizes, rate_bps) and _in_time(
            pictures, wires, picture_sizes, (sounds, sound_wires, sound_sizes), rate_bps
        ):
            high = rate_bps
        else:
            low = rate_bps
    return -(-(round(high * _MARGIN) + _TABLES_BPS) // _STEP_BPS) * _STEP_BPS


def _on_wire_bytes(length_bytes: int) -> int:
    packets = -(-(length_bytes + _HEADERS_BYTES) // _PAYLOAD_BYTES)
    return packets * TS_PACKET_BYTES


def _sounds_in_time(sounds: TrackTable, wires: list[int], sizes: BufferSizes, rate_bps: int) -> bool:
    us_a_byte = 8_000_000 / rate_bps
    sent_us = float("-inf")
    for due_us, wire_bytes in zip(sounds.due_us, wires, strict=True):
        sent_us = max(sent_us, due_us - sizes.lead_us) + wire_bytes * us_a_byte
        if sent_us > due_us:
            return False
    return True


def _in_time(
    pictures: TrackTable,
    wires: list[int],
    sizes: BufferSizes,
    others: tuple[TrackTable, list[int], BufferSizes],
    rate_bps: int,
) -> bool:
    """Whether each picture is there when it is due, with sound sent meanwhile."""
    sounds, sound_wires, sound_sizes = others
    us_a_byte = 8_000_000 / rate_bps
    sent_us = float("-inf")
    heard, sound_count = 0, len(sound_wires)
    held: deque[tuple[int, int]] = deque()
    held_bytes = 0
    for due_us, wire_bytes in zip(pictures.due_us, wires, strict=True):
        begin_us = max(sent_us, due_us - sizes.lead_us)
        while held and (held[0][0] <= begin_us or held_bytes + wire_bytes > sizes.main_bytes):
            begin_us = max(begin_us, held[0][0])
            held_bytes -= held.popleft()[1]
        while heard < sound_count and sounds.due_us[heard] - sound_sizes.lead_us < begin_us:
            heard += 1
        sent_us = begin_us + wire_bytes * us_a_byte
        while heard < sound_count and sounds.due_us[heard] - sound_sizes.lead_us <= sent_us:
            sent_us += sound_wires[heard] * us_a_byte
            heard += 1
        if sent_us > due_us:
            return False
        held.append((due_us, wire_bytes))
        held_bytes += wire_bytes
    return True
