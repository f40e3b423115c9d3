"""Captions in the picture (CEA-608 in the user data of ATSC A/53) survive, whether pictures are copied or encoded.

They are written here bit by bit, and read back from the units of the program.
"""

import re
from pathlib import Path

import pytest

from tests.distribution_center.content.odd_films import AAC, H264, Workshop, take_in

pytestmark = pytest.mark.peer("ffmpeg")

_WORDS = b"WHAT GOES IN COMES OUT"
_START = re.compile(b"\x00\x00(?:\x00)?\x01")


def odd_parity(byte: int) -> int:
    return byte if byte.bit_count() % 2 else byte | 0x80


def caption_unit(first: int, second: int) -> bytes:
    """A message of supplemental enhancement information that says two bytes (ANSI/SCTE 128, 8.1)."""
    triplet = bytes([0xFC, odd_parity(first), odd_parity(second)])
    data = b"\xb5\x00\x31GA94\x03" + bytes([0xC0 | 1, 0xFF]) + triplet + b"\xff"
    return b"\x00\x00\x00\x01\x06\x04" + bytes([len(data)]) + data + b"\x80"


def captioned(shop: Workshop, path: Path) -> None:
    """One pair of bytes at each picture, in the order in which they are shown."""
    raw = shop.film("plain.h264", lambda to: shop.run("-i", shop.base, "-an", *H264, "-bf", 0, "-g", 25, to))
    data = raw.read_bytes()
    slices = [match.start() for match in _START.finditer(data) if data[match.end()] & 0x1F in {1, 5}]
    slices = [place for place in slices if data[_START.match(data, place).end() + 1] & 0x80]  # first slice of a picture
    out, at = bytearray(), 0
    for number, place in enumerate(slices):
        pair = _WORDS[2 * number : 2 * number + 2] or b"\0\0"
        out += data[at:place] + caption_unit(pair[0], pair[1])
        at = place
    captions = shop.folder / f"{path.name}.h264"
    captions.write_bytes(bytes(out) + data[at:])
    shop.run("-r", 25, "-i", captions, "-i", shop.base, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *AAC, path)


def read_captions(stream: bytes) -> bytes:
    """What the program says, by the presentation times of its pictures."""
    said: list[tuple[int, bytes]] = []
    body = bytearray()
    bodies = []
    for at in range(0, len(stream), 188):
        packet = stream[at : at + 188]
        if (packet[1] & 0x1F, packet[2]) != (1, 0) or not packet[3] & 0x10:
            continue
        payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
        if packet[1] & 0x40:
            body = bytearray()
            bodies.append(body)
        body += payload
    for body in bodies:
        stamp = (body[9] >> 1 & 7) << 30 | (body[10] << 7 | body[11] >> 1) << 15 | (body[12] << 7 | body[13] >> 1)
        for match in re.finditer(rb"\xb5\x00\x31GA94\x03(.).", bytes(body), re.DOTALL):
            count = match[1][0] & 0x1F
            data = bytes(body[match.end() : match.end() + 3 * count])
            said += [(stamp, data[n + 1 : n + 3]) for n in range(0, len(data), 3) if data[n] & 7 == 4]
    return bytes(byte & 0x7F for _, pair in sorted(said) for byte in pair).rstrip(b"\0")


@pytest.mark.parametrize("longest_segment_ms", [12_000, 500], ids=["copied", "encoded"])
def test_captions_survive(longest_segment_ms: int, tmp_path: Path) -> None:
    shop, film = Workshop(tmp_path), tmp_path / "captions.mp4"
    captioned(shop, film)
    program, stream = take_in(film, tmp_path / "program", segment_ms=400, longest_segment_ms=longest_segment_ms)
    assert bool(program.header.streams[0].encoded_because) == (longest_segment_ms == 500)
    assert read_captions(stream) == _WORDS
