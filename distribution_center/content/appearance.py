"""What a program looks like to who chooses it: its tracks as players name them, its size, and a picture of it.

All of it is read from the program itself, as it was cut: what is said of it is true of what is sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from distribution_center.content.h264 import rfc6381_codec
from distribution_center.content.metadata.languages import language_tag
from distribution_center.content.segment_folder import segment_path
from media_network.packets import TICK_HZ
from media_network.program_header import ATTACHMENT_BYTES_MAX, Picture, Track, TrackKind
from media_network.segment_table import Segment

_AAC_LC = "mp4a.40.2"
"""All sound that is sent (RFC 6381, 3.3)."""
_SHOWN_HEIGHT = 360
_PLACES = (Fraction(1, 10), Fraction(3, 10), Fraction(1, 2))
"""Where in a program a picture of it is looked for: films begin and end in black."""
_QUALITY = 4
"""Of JPEG, as libavcodec counts: 2 is best, 31 worst."""
_TOLERATED_RATE = 0.02
_SHAPE_MAX = 1 << 15


@dataclass(frozen=True)
class Appearance:
    """What is found."""

    tracks: tuple[Track, ...] = ()
    picture: Picture | None = None
    jpeg: bytes | None = None


def appearance_of(folder: Path, segments: Sequence[Segment], pictures: int) -> Appearance:
    """Look at the segments in a folder, of a program with so many pictures. What libav cannot read is left out."""
    try:
        with av.open(str(segment_path(folder, 0)), format="mpegts") as file:
            video, audio = file.streams.video[0], next(iter(file.streams.audio), None)
            tracks = (_video_track(video), *([_audio_track(audio)] if audio is not None else []))
            seconds = sum(segment.duration_ticks for segment in segments) / TICK_HZ
            picture = _picture(video, pictures / seconds)
    except (av.FFmpegError, IndexError, ValueError):
        return Appearance()
    return Appearance(tracks, picture, _liveliest(_candidates(folder, segments)))


def _video_track(video: VideoStream) -> Track:
    return Track(kind=TrackKind.VIDEO, codec=rfc6381_codec(video.codec_context.extradata) or "")


def _audio_track(audio: AudioStream) -> Track:
    language = language_tag(audio.metadata.get("language", ""))
    return Track(
        kind=TrackKind.AUDIO,
        codec=_AAC_LC,
        language=None if language == "und" else language,
        channels=audio.codec_context.layout.nb_channels,
    )


def _picture(video: VideoStream, average_rate: float) -> Picture:
    """As it is shown: a pixel need not be square, and a rate is told only of pictures that keep to it."""
    width, height = _shown_size(video.width, video.height, video.sample_aspect_ratio)
    rate = video.guessed_rate or video.average_rate
    steady = rate is not None and abs(float(rate) - average_rate) <= _TOLERATED_RATE * average_rate
    return Picture(
        width=width,
        height=height,
        frame_rate=(rate.numerator, rate.denominator) if rate is not None and steady else None,
    )


def _shown_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    shown = round(width * aspect) if aspect else width
    return (shown, height) if 0 < shown <= _SHAPE_MAX else (width, height)


def _candidates(folder: Path, segments: Sequence[Segment]) -> Iterator[bytes]:
    """A JPEG of the first picture of a few segments."""
    for number in sorted({int(len(segments) * place) for place in _PLACES}):
        try:
            with av.open(str(segment_path(folder, number)), format="mpegts") as file:
                frame = _first_frame(file)
                if frame is not None:
                    yield _jpeg(frame, file.streams.video[0].sample_aspect_ratio)
        except (av.FFmpegError, IndexError, ValueError):
            continue


def _first_frame(file: InputContainer) -> VideoFrame | None:
    file.streams.video[0].codec_context.thread_count = 1
    return next(iter(file.decode(video=0)), None)


def _jpeg(frame: VideoFrame, aspect: Fraction | None) -> bytes:
    width, height = _shown_size(frame.width, frame.height, aspect)
    scale = min(1.0, _SHOWN_HEIGHT / height)
    small = frame.reformat(_even(width * scale), _even(height * scale), "yuvj420p")
    encoder = VideoCodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = small.width, small.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = _QUALITY
    small.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _liveliest(pictures: Iterable[bytes]) -> bytes | None:
    """The one with most in it: black and fog make short files."""
    return max((one for one in pictures if 0 < len(one) <= ATTACHMENT_BYTES_MAX), key=len, default=None)
