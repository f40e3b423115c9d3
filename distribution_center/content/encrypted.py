"""Whether a film is encrypted: what nobody has the key for cannot become a program."""

import re
from pathlib import Path

from media_network.packets import TS_PACKET_BYTES
from media_network.transport_stream import SYNC_BYTE

_LOOKED_AT_BYTES = 1 << 22
_SCRAMBLED_SHARE = 0.1
_NULL_PID = 0x1FFF
# The header of a picture's packet: without time stamps, or with one or two of them, which are five bytes each.
_PICTURE_PACKET = re.compile(
    rb"\x00\x00\x01[\xe0-\xef]..([\x80-\xbf])(?:[\x00-\x3f]|[\x80-\xbf][\x05-\x30][\x21-\x2f]|[\xc0-\xff][\x0a-\x30][\x31-\x3f])",
    re.DOTALL,
)


def is_scrambled(path: Path, container: str) -> bool:
    """Whether packets of a transport or program stream say that they are scrambled (ISO/IEC 13818-1, 2.4.3.3, 2.4.3.7).

    Raises `OSError`.
    """
    if container not in {"mpegts", "mpeg"}:
        return False
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT_BYTES)
    controls = _transport_controls(head) if container == "mpegts" else _program_controls(head)
    return sum(map(bool, controls)) > _SCRAMBLED_SHARE * len(controls)


def _transport_controls(head: bytes) -> list[int]:
    controls = []
    for place in range(max(0, head.find(SYNC_BYTE)), len(head) - 3, TS_PACKET_BYTES):
        pid = int.from_bytes(head[place + 1 : place + 3], "big") & 0x1FFF
        if head[place] == SYNC_BYTE and pid != _NULL_PID:
            controls.append(head[place + 3] >> 6)
    return controls


def _program_controls(head: bytes) -> list[int]:
    return [match[1][0] >> 4 & 3 for match in _PICTURE_PACKET.finditer(head)]
