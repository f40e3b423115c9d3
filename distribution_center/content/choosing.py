"""Which streams of a film become the program: its best pictures, and the sound that belongs to them."""

from dataclasses import dataclass

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from distribution_center.content.errors import NoVideo

_ASIDE = (
    Disposition.comment
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
    | Disposition.descriptions
    | Disposition.karaoke
)
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass(frozen=True)
class Chosen:
    """The streams of a program, and what of the film is not among them."""

    video: VideoStream
    audio: AudioStream | None
    cover: bool
    """The picture is a cover: it stands for as long as there is sound."""
    left_out: tuple[str, ...]
    """A sentence for each kind of stream that stays behind."""


def choose(container: InputContainer, name: str) -> Chosen:
    """Choose as ffmpeg does, but no commentary where there is something else. Raises `NoVideo`."""
    moving = [stream for stream in container.streams.video if _has_pictures(stream) and not _is_still(stream)]
    covers = [stream for stream in container.streams.video if _has_pictures(stream) and _is_still(stream)]
    sounds = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not moving and not (covers and sounds):
        raise NoVideo(name)
    video = _best_video(container, moving or covers)
    audio = _best_audio(container, sounds, video)
    return Chosen(video, audio, not moving, tuple(_left_out(container, audio, len(moving), sounds)))


def _has_pictures(stream: VideoStream) -> bool:
    """Whether it can be decoded and has a size."""
    context = stream.codec_context
    return context is not None and context.width > 0


def _is_still(stream: VideoStream) -> bool:
    return bool(stream.disposition & _NO_FILM)


def _best_video(container: InputContainer, candidates: list[VideoStream]) -> VideoStream:
    best = container.streams.best("video")
    return next((stream for stream in candidates if stream is best), candidates[0])


def _best_audio(container: InputContainer, sounds: list[AudioStream], video: VideoStream) -> AudioStream | None:
    """The best one in the video's own program, and of what was meant for everybody."""
    if not sounds:
        return None
    best = container.streams.best("audio", related=video)
    if isinstance(best, AudioStream) and best in sounds and not best.disposition & _ASIDE:
        return best
    plain = [stream for stream in sounds if not stream.disposition & _ASIDE]
    if isinstance(best, AudioStream) and best in sounds and not plain:
        return best
    return max(plain or sounds, key=lambda stream: bool(stream.disposition & Disposition.default))


def _left_out(
    container: InputContainer,
    audio: AudioStream | None,
    moving: int,
    sounds: list[AudioStream],
) -> list[str]:
    sentences = []
    if moving > 1:
        sentences.append(f"{moving - 1} more video {_tracks(moving - 1)} left out: a program has one")
    if len(sounds) > 1:
        languages = sorted({str(stream.language or "unnamed")[:8] for stream in sounds if stream is not audio})
        named = ", ".join(languages[:6])
        sentences.append(f"{len(sounds) - 1} more audio {_tracks(len(sounds) - 1)} ({named}) left out")
    if container.streams.subtitles:
        count = len(container.streams.subtitles)
        sentences.append(f"{count} subtitle {_tracks(count)} left out: only captions in the picture are kept")
    return sentences


def _tracks(count: int) -> str:
    return "track is" if count == 1 else "tracks are"
