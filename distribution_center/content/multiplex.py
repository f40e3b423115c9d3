"""Multiplexes a suitable source into a constant-rate MPEG transport stream."""

from fractions import Fraction
from typing import Protocol

import av
from av.audio.stream import AudioStream

from distribution_center.content.cutter import CutError
from distribution_center.content.h264 import SLICE_OF_IDR, unit_types
from distribution_center.content.rate import DELAY_US
from distribution_center.content.source import MediaSource, time_us
from distribution_center.content.survey import OnProgress, SourceSurvey
from media_network.program import TS_PACKET_BYTES

_CLOCK_PERIOD_MS = 20  # ISO/IEC 13818-1 allows 100, DVB 40
_WRITE_BYTES = 1024 * TS_PACKET_BYTES


class PacketSink(Protocol):
    """Takes the stream, some packets at a time."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`."""


def multiplex(
    source: MediaSource, plan: SourceSurvey, sink: PacketSink, *, rate_bps: int, on_progress: OnProgress
) -> None:
    """Write `source` to `sink` at `rate_bps`, null packets included, PAT and PMT before every random access point.

    The program begins with the first picture and ends with the last: sound outside is left out. What `sink` raises
    comes out as it is.
    """
    guard = _Guard(sink)
    try:
        _multiplex(source, plan, guard, rate_bps, on_progress)
    finally:
        guard.raise_again()


class _Guard:
    """Keeps what the sink raised: libav sees only that something failed, and fails again when it is closed."""

    def __init__(self, sink: PacketSink) -> None:
        self._sink = sink
        self._error: OSError | CutError | None = None

    def write(self, data: bytes) -> int:
        if self._error is None:
            try:
                return self._sink.write(data)
            except (OSError, CutError) as error:
                self._error = error
                raise
        return len(data)

    def raise_again(self) -> None:
        if self._error is not None:
            raise self._error


def _multiplex(
    source: MediaSource, plan: SourceSurvey, sink: PacketSink, rate_bps: int, on_progress: OnProgress
) -> None:
    options = {
        "muxrate": str(rate_bps),
        "max_delay": str(DELAY_US),
        "pcr_period": str(_CLOCK_PERIOD_MS),
        "mpegts_flags": "pat_pmt_at_frames",
        "pes_payload_size": "0",  # sound waits for no more sound: gathered, quiet sound is late by up to the delay
        "sdt_period": "86400",
        "flush_packets": "0",
        "fflags": "+bitexact",
    }
    length_us = max(1, plan.end_us - plan.begin_us)
    with av.open(sink, "w", format="mpegts", options=options, buffer_size=_WRITE_BYTES) as out:
        out.metadata.update({"service_name": "program", "service_provider": "media-station"})
        streams = {
            stream.index: out.add_stream_from_template(stream) for stream in (source.video, source.audio) if stream
        }
        extradata = source.video.codec_context.extradata
        for packet in source.packets():
            if not packet.size or packet.dts is None or packet.pts is None:
                continue
            due_us = time_us(packet.dts, packet)
            if isinstance(packet.stream, AudioStream):
                if not plan.begin_us <= due_us < plan.end_us:
                    continue
            else:
                packet.is_keyframe = packet.is_keyframe and SLICE_OF_IDR in unit_types(bytes(packet), extradata)
                on_progress(min(1.0, (due_us - plan.begin_us) / length_us))
            begin = round(Fraction(plan.begin_us, 1_000_000) / packet.time_base)
            packet.dts -= begin
            packet.pts -= begin
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
