"""Packs pictures and sounds into transport stream packets, by libav; when they are sent is decided elsewhere."""

from collections import deque
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.stream import VideoStream

from distribution_center.content.h264 import SLICE_OF_IDR, unit_types
from distribution_center.content.source import MediaPacket, time_us
from media_network.packets import TS_PACKET_BYTES
from media_network.transport_stream import (
    PAT_PID,
    Packets,
    decoding_time,
    program_map_pid,
    video_pid,
)

_WRITE_BYTES = 1024 * TS_PACKET_BYTES
_NEVER_S = "86400"
_PAUSE_US = 300_000


class Unit(NamedTuple):
    """The packets of one picture or sound."""

    is_picture: bool
    due: int
    """When it is decoded, in 1 / `TIME_STAMP_HZ`."""
    data: bytes
    access: bool
    """Decoding can begin with it."""
    clocks: tuple[int, ...]
    """Packets of it that have room for a clock reference."""

    @property
    def packets(self) -> int:
        """How many packets it has."""
        return len(self.data) // TS_PACKET_BYTES


class Packetiser:
    """Takes packets of streams in the order of their decoding times, and gives units in about that order."""

    def __init__(self, video: VideoStream, audio: AudioStream | None, *, aspect: Fraction | None) -> None:
        self.tables = b""
        """A packet with the PAT, and one with the PMT: known with the first unit."""
        options = {
            "pes_payload_size": "0",  # sound waits for no more sound
            "sdt_period": _NEVER_S,
            "pat_period": _NEVER_S,
            "max_delay": "0",
            "flush_packets": "0",
            "fflags": "+bitexact",
        }
        self._out = av.open(self, "w", format="mpegts", options=options, buffer_size=_WRITE_BYTES)
        self._video = self._out.add_stream_from_template(video)
        self._audio = self._out.add_stream_from_template(audio) if audio is not None else None
        self._extradata = video.codec_context.extradata
        self._reshape: BitStreamFilterContext | None = None
        if aspect is not None:
            shape = f"h264_metadata=sample_aspect_ratio={aspect.numerator}/{aspect.denominator}"
            self._reshape = BitStreamFilterContext(shape, video, self._video)
        self._pending = bytearray()
        self._units: list[Unit] = []
        self._sounds: deque[bool] = deque()
        """For each sound that libav has not given back: whether it is one of the film."""
        self._last_sound: MediaPacket | None = None
        self._map_pid: int | None = None
        self._video_pid: int | None = None

    def feed(self, packet: MediaPacket) -> list[Unit]:
        """Pack a packet with both time stamps."""
        if isinstance(packet.stream, AudioStream):
            if self._audio is not None:
                packet.stream = self._audio
            self._sounds.append(True)
            self._last_sound = _twin(packet)
            self._out.mux(packet)
        else:
            self._push_out_sound(packet)
            packet.is_keyframe = packet.is_keyframe and SLICE_OF_IDR in unit_types(bytes(packet), self._extradata)
            for shaped in self._reshape.filter(packet) if self._reshape else [packet]:
                shaped.stream = self._video
                self._out.mux(shaped)
        return self._take()

    def close(self) -> list[Unit]:
        """There are no more packets."""
        self._out.close()
        self._cut(final=True)
        return self._take()

    def write(self, data: bytes) -> int:
        """Called by libav."""
        self._pending += data
        self._cut(final=False)
        return len(data)

    def _push_out_sound(self, picture: MediaPacket) -> None:
        """Where sound pauses or ends: libav keeps a short sound until another one comes, so one comes that is none."""
        last = self._last_sound
        if last is not None and time_us(picture.dts, picture) - time_us(last.dts, last) > _PAUSE_US:
            self._last_sound = None
            self._sounds.append(False)
            self._out.mux(last)

    def _take(self) -> list[Unit]:
        units, self._units = self._units, []
        return units

    def _cut(self, *, final: bool) -> None:
        """Set apart what is complete: up to where the next one begins."""
        whole = len(self._pending) - len(self._pending) % TS_PACKET_BYTES
        packets = Packets(bytes(self._pending[:whole]))
        starts = list(packets.unit_starts())
        if final:
            starts.append(packets.count)
        for begin, end in pairwise(starts):
            self._sort_in(packets, begin, end)
        if starts:
            del self._pending[: starts[-1] * TS_PACKET_BYTES]

    def _sort_in(self, packets: Packets, begin: int, end: int) -> None:
        pid, payload = packets.pid(begin), packets.payload(begin)
        data = packets.data[begin * TS_PACKET_BYTES : end * TS_PACKET_BYTES]
        if pid == PAT_PID:
            self._map_pid = program_map_pid(payload)
            self.tables = data
        elif pid == self._map_pid:
            self._video_pid = video_pid(payload)
            self.tables = self.tables[:TS_PACKET_BYTES] + data
        elif (due := decoding_time(payload)) is not None:
            is_picture = pid == self._video_pid
            if not is_picture and not self._sounds.popleft():
                return
            unit = Packets(data)
            clocks = tuple(index for index, _ in unit.clock_references())
            self._units.append(Unit(is_picture, due, data, packets.random_access(begin), clocks))


def _twin(packet: MediaPacket) -> MediaPacket:
    """The same packet, a tick later."""
    twin: MediaPacket = Packet(bytes(packet))
    twin.stream, twin.time_base = packet.stream, packet.time_base
    twin.pts = twin.dts = (packet.dts or 0) + 1
    return twin
