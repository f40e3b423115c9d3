"""Where the key pictures of a video are, for the indexes of its segments. No I/O.

A key picture is one at which the stream says that decoding can begin. It lasts until the next picture begins; whether
it is an instantaneous decoder refresh its first slice says, which may come some packets after its beginning.
"""

from dataclasses import dataclass
from typing import Final

from distribution_center.content.h264 import SLICE_OF_IDR, first_slice_type
from media_network.segment_index import KEY_PICTURES_MAX, KeyPicture

_LOOKED_AT_BYTES: Final = 64 * 1024
"""What may stand before the first slice: parameter sets and messages. Of a picture without one it is not known."""


@dataclass
class _Found:
    packet: int
    ticks: int
    end: int | None = None
    """Packet at which the next picture begins."""
    idr: bool = False


class KeyPictures:
    """Those that no segment has been given yet. Packets and ticks are counted from the stream's beginning."""

    def __init__(self) -> None:
        self._found: list[_Found] = []
        self._begun = bytearray()
        self.looks = False
        """Whether the first slice of the last one has yet to come."""

    def begin(self, packet: int, ticks: int, data: bytes) -> None:
        """A key picture begins; `data` is what its first packet has of it."""
        self.end(packet)
        self._found.append(_Found(packet, ticks))
        self._begun.clear()
        self.looks = True
        self.go_on(data)

    def go_on(self, data: bytes) -> None:
        """More of the picture that began last."""
        self._begun += data
        first = first_slice_type(self._begun)
        self._found[-1].idr = first == SLICE_OF_IDR
        self.looks = first is None and len(self._begun) < _LOOKED_AT_BYTES

    def end(self, packet: int) -> None:
        """Another picture begins at this packet."""
        self.looks = False
        if self._found and self._found[-1].end is None:
            self._found[-1].end = packet

    def of_segment(self, packets: range, ticks: range) -> tuple[KeyPicture, ...]:
        """Take those of a segment. What is shown before or after it (the stream says what it likes) is no use in it."""
        inside = [one for one in self._found if one.packet < packets.stop]
        self._found = self._found[len(inside) :]
        shown = [one for one in inside if one.packet in packets and one.ticks in ticks][:KEY_PICTURES_MAX]
        return tuple(
            KeyPicture(
                first_packet=one.packet - packets.start,
                packets=min(one.end or packets.stop, packets.stop) - one.packet,
                ticks=one.ticks - ticks.start,
                idr=one.idr,
            )
            for one in shown
        )
