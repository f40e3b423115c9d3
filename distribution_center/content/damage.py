"""Damage that every player survives, counted, so that it is said; and more than that, which is refused."""

import av
from av.audio.codeccontext import AudioCodecContext
from av.frame import Frame
from av.video.codeccontext import VideoCodecContext

from distribution_center.content.errors import DamagedSource
from distribution_center.content.source import MediaPacket, time_us

DAMAGED_SHARE = 0.1
"""A film of which more than this cannot be decoded is refused."""


class Damage:
    """Decodes packets of one stream, and goes on after one that cannot be decoded."""

    def __init__(self, source: str, what: str) -> None:
        self._source = source
        self._what = what
        self._packets = self._bad = 0
        self._first_us: int | None = None

    def survive(self, context: VideoCodecContext | AudioCodecContext, packet: "MediaPacket | None") -> list[Frame]:
        """Decode a packet, or what is left in the decoder. A broken one gives nothing."""
        self._packets += packet is not None
        try:
            return list(context.decode(packet))
        except av.FFmpegError:
            self._bad += 1
            if self._first_us is None and packet is not None:
                self._first_us = time_us(packet.dts if packet.dts is not None else packet.pts, packet)
            return []

    def refuse_ruin(self) -> None:
        """All has been decoded. Raises `DamagedSource` if too much of it is lost."""
        if self._bad > DAMAGED_SHARE * self._packets:
            problem = f"{self._bad} of {self._packets} {self._what} cannot be decoded"
            raise DamagedSource(self._source, max(0, self._first_us or 0) // 1000, problem)

    def sentences(self) -> list[str]:
        """What to say of it."""
        if not self._bad:
            return []
        at_s = max(0, self._first_us or 0) / 1e6
        return [f"{self._bad} of {self._packets} {self._what} cannot be decoded, from {at_s:.1f} s on"]
