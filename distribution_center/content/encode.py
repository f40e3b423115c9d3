"""Encodes what cannot be copied: H.264 in closed groups of pictures of one segment each, and AAC.

The result is an intermediate file (MP4: exact decoding times), which is then multiplexed like any other source; its
real sizes give the rate. The same source gives the same bytes: the number of threads is fixed, because x264's output
depends on it.
"""

from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from distribution_center.content.errors import DamagedSource
from distribution_center.content.source import MediaPacket, MediaSource, time_us
from distribution_center.content.survey import OnProgress, SourceSurvey

_BITS_A_PIXEL = 0.15
_LOWEST_PEAK_BPS = 500_000
_AUDIO_RATE_HZ = 48_000
_AUDIO_BPS = 160_000
_AUDIO_FRAME_SAMPLES = 1024
_AUDIO_JITTER_S = Fraction(1, 20)  # containers round time stamps
_UNKNOWN_PICTURE_RATE = Fraction(25)  # x264 wants one for its rate control; time stamps come from the source


def encode(source: MediaSource, plan: SourceSurvey, target: Path, *, segment_ms: int, on_progress: OnProgress) -> None:
    """Write `target` from `source`: encoded where `plan` has reasons, copied elsewhere."""
    length_us = max(1, plan.end_us - plan.begin_us)
    with av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        video: _Copy | _Pictures = (
            _Pictures(out, source, segment_ms) if plan.video_reasons else _Copy(out, source.video)
        )
        audio: _Copy | _Sounds | None = None
        if source.audio is not None:
            audio = _Sounds(out) if plan.audio_reasons else _Copy(out, source.audio)
        at_us = 0
        for packet in source.packets():
            track = audio if isinstance(packet.stream, AudioStream) else video
            at_us = max(at_us, time_us(packet.pts, packet) - plan.begin_us)
            on_progress(min(1.0, at_us / length_us))
            if track is not None:
                try:
                    track.feed(packet)
                except ValueError as error:  # invalid data, or sound that changes its form midway
                    raise DamagedSource(source.name, at_us // 1000, "it cannot be decoded") from error


class _Copy:
    """A stream that stays as it is."""

    def __init__(self, out: OutputContainer, stream: VideoStream | AudioStream) -> None:
        self._out = out
        self._stream = out.add_stream_from_template(stream)

    def feed(self, packet: MediaPacket) -> None:
        if packet.size:
            packet.stream = self._stream
            self._out.mux(packet)


class _Pictures:
    """Video that is decoded and encoded."""

    def __init__(self, out: OutputContainer, source: MediaSource, segment_ms: int) -> None:
        context = source.video.codec_context
        self._out = out
        self._width, self._height = context.width & ~1 or 2, context.height & ~1 or 2  # 4:2:0 halves both
        rate = Fraction(source.video.average_rate or source.video.guessed_rate or _UNKNOWN_PICTURE_RATE)
        peak_bps = max(_LOWEST_PEAK_BPS, int(self._width * self._height * rate * _BITS_A_PIXEL))
        options = {
            "preset": "veryfast",
            "crf": "21",
            "maxrate": str(peak_bps),
            "bufsize": str(peak_bps),
            "forced-idr": "1",
            "sc_threshold": "0",
            "g": "100000",  # group of pictures: we say where one begins
            "threads": "4",
        }
        self._stream = out.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = self._width, self._height, "yuv420p"
        self._time_base = source.video.time_base or 1 / rate
        self._stream.codec_context.time_base = self._time_base
        if context.sample_aspect_ratio is not None:
            self._stream.codec_context.sample_aspect_ratio = context.sample_aspect_ratio
        self._segment_s = Fraction(segment_ms, 1000)
        self._group_s: Fraction | None = None
        self._last_pts: int | None = None

    def feed(self, packet: MediaPacket) -> None:
        for frame in packet.decode():
            if isinstance(frame, VideoFrame) and frame.pts is not None and self._later(frame.pts):
                self._out.mux(self._stream.encode(self._prepared(frame, frame.pts * self._time_base)))
        if not packet.size:
            self._out.mux(self._stream.encode(None))

    def _later(self, pts: int) -> bool:
        """Whether it comes after the frame before; what does not was repeated or misplaced."""
        if self._last_pts is not None and pts <= self._last_pts:
            return False
        self._last_pts = pts
        return True

    def _prepared(self, frame: VideoFrame, shown_s: Fraction) -> VideoFrame:
        """In our size and pixels, and a group's first if the group before it is long enough."""
        frame = frame.reformat(width=self._width, height=self._height, format="yuv420p")
        frame.pict_type = PictureType.NONE
        if self._group_s is None or shown_s - self._group_s >= self._segment_s:
            frame.pict_type = PictureType.I
            self._group_s = shown_s
        return frame


class _Sounds:
    """Audio that is decoded and encoded: stereo, and in time with the source however roughly that keeps it."""

    def __init__(self, out: OutputContainer) -> None:
        self._out = out
        self._stream = out.add_stream("aac", rate=_AUDIO_RATE_HZ, layout="stereo")
        self._stream.bit_rate = _AUDIO_BPS
        self._resampler = AudioResampler("fltp", "stereo", _AUDIO_RATE_HZ, frame_size=_AUDIO_FRAME_SAMPLES)
        self._end_s: Fraction | None = None

    def feed(self, packet: MediaPacket) -> None:
        for frame in packet.decode():
            if isinstance(frame, AudioFrame) and self._timed(frame):
                self._encode(frame)
        if not packet.size:
            self._encode(None)
            self._out.mux(self._stream.encode(None))

    def _timed(self, frame: AudioFrame) -> bool:
        """Let it begin where the one before ended, unless it is really later; False if it is really earlier."""
        begin_s = self._end_s or Fraction(0)
        if frame.pts is not None and frame.time_base is not None:
            given_s = frame.pts * frame.time_base
            if self._end_s is None or given_s - begin_s > _AUDIO_JITTER_S:
                begin_s = given_s
            elif begin_s - given_s > _AUDIO_JITTER_S:
                return False
        frame.time_base = Fraction(1, frame.sample_rate)
        frame.pts = round(begin_s * frame.sample_rate)
        self._end_s = begin_s + Fraction(frame.samples, frame.sample_rate)
        return True

    def _encode(self, frame: AudioFrame | None) -> None:
        for even in self._resampler.resample(frame):
            self._out.mux(self._stream.encode(even))
