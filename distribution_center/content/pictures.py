"""Pictures that are decoded and encoded: H.264 in closed groups of one segment each, none lost and none too many.

Where a picture stands for longer than a segment it is repeated, so that a segment can begin.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.frame import Frame
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from distribution_center.content.damage import Damage
from distribution_center.content.errors import UnknownColours
from distribution_center.content.filtering import CLOCK_HZ, PictureFilters
from distribution_center.content.look import look_of
from distribution_center.content.source import MediaPacket, MediaSource
from distribution_center.content.survey import SourceSurvey

_BITS_A_PIXEL = 0.15
_LOWEST_PEAK_BPS = 500_000
_UNKNOWN_PICTURE_RATE = Fraction(25)  # x264 wants one for its rate control; time stamps come from the source
_HIGHEST_PICTURE_RATE = 240
_STILL_OF_SEGMENT = 1.1


class PictureEncoder:
    """Packets of the film in, an MP4 file of H.264 out. Times count from the beginning of the program."""

    def __init__(self, source: MediaSource, plan: SourceSurvey, target: Path, *, segment_ms: int) -> None:
        self.decoded = self.repeated = self.shown = 0
        """Pictures that came out of the decoder, those that were added to fill stills, and all that were encoded."""
        self.damage = Damage(source.name, "pictures")
        self._source = source
        self._context = source.video.codec_context
        self._time_base = source.video.time_base or Fraction(1, CLOCK_HZ)
        self._step = max(1, plan.frame_us * CLOCK_HZ // 1_000_000)
        self._end = plan.length_us * CLOCK_HZ // 1_000_000
        self._segment = segment_ms * CLOCK_HZ // 1000
        self._filters = PictureFilters()
        self._out = av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream: VideoStream | None = None
        self._looks: set[tuple[int, int]] = set()
        self._lies = False
        self._read_at: int | None = None
        self._standing: VideoFrame | None = None
        self._shown_at = self._group_at = 0

    @property
    def warnings(self) -> list[str]:
        """What people should know of it."""
        sentences = self.damage.sentences()
        if len(self._looks) > 1:
            sentences.append("pictures change their size in the film: all have the size of the first")
        if self.repeated and not self._source.chosen.cover:
            sentences.append(f"{self.repeated} pictures were added where one stands longer than a segment")
        return sentences

    def feed(self, packet: MediaPacket) -> None:
        """The next packet; one without bytes says that the picture stays."""
        if packet.size:
            self._read(self.damage.survive(self._context, packet))

    def close(self) -> None:
        """There are no more. Raises `DamagedSource`."""
        self._read(self.damage.survive(self._context, None))
        for frame in self._filters.flush():
            self._show(frame)
        self._hold_until(self._end)
        if self._stream is not None:
            self._out.mux(self._stream.encode(None))
        self._out.close()
        self.damage.refuse_ruin()

    def abandon(self) -> None:
        """Leave the file as it is."""
        self._out.close()

    def _read(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if isinstance(frame, VideoFrame):
                self._note(frame)
                for ready in self._filters.push(frame, self._time_of(frame)):
                    self._show(ready)

    def _note(self, frame: VideoFrame) -> None:
        self.decoded += 1
        look = look_of(frame)
        if look.is_unknown:
            raise UnknownColours(self._source.name, "Dolby Vision")
        self._looks.add((look.width, look.height))
        self._lies = look.turn.lies

    def _time_of(self, frame: VideoFrame) -> int:
        """When it is shown: the first one at the beginning, each later than the one before, whatever it says."""
        given = None
        if frame.pts is not None:
            given = round(frame.pts * (frame.time_base or self._time_base) * CLOCK_HZ)
        if self._read_at is None:
            self._read_at = 0
        elif given is None:
            self._read_at += self._step
        else:
            self._read_at = max(self._read_at + 1, given)
        return self._read_at

    def _show(self, frame: VideoFrame) -> None:
        at = round((frame.pts or 0) * (frame.time_base or self._time_base) * CLOCK_HZ)
        self._hold_until(at)
        self._standing = frame
        self._encode(frame, at)

    def _hold_until(self, at: int) -> None:
        """Repeat the picture that stands, so that no segment gets long."""
        longest = round(self._segment * _STILL_OF_SEGMENT)
        if self._standing is None or at - self._shown_at <= longest:
            return
        still = _without_captions(self._standing)
        while at - self._shown_at > longest:
            self.repeated += 1
            self._encode(still, max(self._shown_at + 1, self._group_at + self._segment))

    def _encode(self, frame: VideoFrame, at: int) -> None:
        if self._stream is None:
            self._stream = self._begin(frame)
        frame.pts, frame.time_base = at, Fraction(1, CLOCK_HZ)
        begins = self._shown_at == self._group_at == at or at - self._group_at >= self._segment
        frame.pict_type = PictureType.I if begins else PictureType.NONE
        if begins:
            self._group_at = at
        self._shown_at = at
        self.shown += 1
        self._out.mux(self._stream.encode(frame))

    def _begin(self, frame: VideoFrame) -> VideoStream:
        """Encode as the first frame looks."""
        video = self._source.video
        rate = Fraction(video.average_rate or video.guessed_rate or _UNKNOWN_PICTURE_RATE)
        rate = min(max(rate, Fraction(1)), Fraction(_HIGHEST_PICTURE_RATE))
        peak_bps = max(_LOWEST_PEAK_BPS, int(frame.width * frame.height * rate * _BITS_A_PIXEL))
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
        stream = self._out.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, CLOCK_HZ)
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
        context.colorspace, context.color_range = frame.colorspace, frame.color_range
        aspect = video.sample_aspect_ratio
        if aspect:
            context.sample_aspect_ratio = 1 / aspect if self._lies else aspect
        return stream


def _without_captions(frame: VideoFrame) -> VideoFrame:
    """The same picture without what was said to it: repeated, captions would be read again."""
    still = VideoFrame(frame.width, frame.height, frame.format.name)
    for to, plane in zip(still.planes, frame.planes, strict=True):
        rows = memoryview(plane)
        kept = min(to.line_size, plane.line_size)
        to.update(
            b"".join(bytes(rows[row * plane.line_size :][:kept]).ljust(to.line_size) for row in range(plane.height))
        )
    still.color_range, still.colorspace = frame.color_range, frame.colorspace
    still.color_primaries, still.color_trc = frame.color_primaries, frame.color_trc
    return still
