"""Encodes what cannot be copied. The results are files (MP4: exact times), which are then multiplexed with the rest.

The same source gives the same bytes: the number of threads is fixed, because x264's output depends on it.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from av.audio.stream import AudioStream

from distribution_center.content.errors import DamagedSource, LostOnTheWay
from distribution_center.content.pictures import PictureEncoder
from distribution_center.content.placing import placed
from distribution_center.content.sounds import SoundEncoder
from distribution_center.content.source import MediaSource, time_us
from distribution_center.content.survey import OnProgress, SourceSurvey

_PICTURES, _SOUNDS = "pictures.mp4", "sounds.mp4"
_FIELDS_A_PICTURE = 2
_NOTICED_S = 0.1


@dataclass(frozen=True)
class Encoded:
    """Files of what was encoded; None of what is copied."""

    pictures: Path | None = None
    sounds: Path | None = None
    warnings: tuple[str, ...] = ()


def encode(
    source: MediaSource, plan: SourceSurvey, folder: Path, *, segment_ms: int, on_progress: OnProgress
) -> Encoded:
    """Encode into `folder` what `plan` has reasons for. Raises `IngestError`."""
    pictures = sounds = None
    warnings: list[str] = []
    with ExitStack() as cleanup:
        if plan.video_reasons:
            pictures = PictureEncoder(source, plan, folder / _PICTURES, segment_ms=segment_ms)
            cleanup.callback(pictures.abandon)
        if plan.audio_reasons and source.audio is not None and source.loudspeakers is not None:
            sounds = SoundEncoder(source.name, source.audio, source.loudspeakers, folder / _SOUNDS)
            cleanup.callback(sounds.abandon)
        _feed(source, plan, pictures, sounds, on_progress)
        if pictures is not None:
            pictures.close()
            warnings += [*pictures.warnings, *_compared_pictures(source.name, plan, pictures)]
        if sounds is not None:
            sounds.close()
            warnings += [*sounds.warnings, *_compared_sounds(plan, sounds)]
    return Encoded(
        folder / _PICTURES if pictures is not None else None,
        folder / _SOUNDS if sounds is not None else None,
        tuple(warnings),
    )


def _feed(
    source: MediaSource,
    plan: SourceSurvey,
    pictures: PictureEncoder | None,
    sounds: SoundEncoder | None,
    on_progress: OnProgress,
) -> None:
    streams = (source.video if pictures else None, source.audio if sounds else None)
    at_us = 0
    for packet in placed(source, plan, *streams):
        at_us = max(at_us, time_us(packet.dts, packet))
        on_progress(min(1.0, at_us / max(1, plan.length_us)))
        track = sounds if isinstance(packet.stream, AudioStream) else pictures
        if track is not None:
            track.feed(packet)


def _compared_pictures(name: str, plan: SourceSurvey, pictures: PictureEncoder) -> list[str]:
    """Whether as many pictures came out as went in; a coded picture may be one of two fields."""
    if not pictures.decoded:
        raise DamagedSource(name, 0, "no picture can be decoded")
    if pictures.shown != pictures.decoded + pictures.repeated:
        raise LostOnTheWay(name, "pictures", pictures.decoded, pictures.shown - pictures.repeated)
    coded = len(plan.pictures.due_us)
    missing = coded - pictures.decoded
    if missing <= 1 or abs(coded - _FIELDS_A_PICTURE * pictures.decoded) <= _FIELDS_A_PICTURE:
        return []
    return [f"the film holds {coded} coded pictures, of which {pictures.decoded} can be shown"]


def _compared_sounds(plan: SourceSurvey, sounds: SoundEncoder) -> list[str]:
    held_s, heard_s = plan.sound_us / 1e6, sounds.samples_in / sounds.rate_hz
    if held_s - heard_s <= _NOTICED_S or sounds.warnings:
        return []
    return [f"the film holds {held_s:.1f} s of sound, of which {heard_s:.1f} s can be heard"]
