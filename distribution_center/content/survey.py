"""Reads a source through once and decides what of it must be encoded. Everything else is copied as it is."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from distribution_center.content.errors import DamagedSource, NoVideo, TruncatedSource
from distribution_center.content.h264 import closes_group
from distribution_center.content.rate import AccessUnit
from distribution_center.content.source import MediaPacket, MediaSource, time_us

OnProgress = Callable[[float], None]
"""Takes the fraction done, from 0 to 1; called often."""

_COPIED_PIXELS = frozenset({"yuv420p", "yuvj420p"})  # what every player's decoder takes: 8 bits, 4:2:0
_COPIED_AUDIO_PROFILES = frozenset({"LC"})
_LONGEST_GROUP_OF_TARGET = 1.1
_LONGEST_STILL_US = 10_000_000
_TOLERANCE_US = 500_000
_TOLERANCE_OF_DURATION = 0.01


@dataclass(frozen=True)
class SourceSurvey:
    """What a source holds and what must be done with it."""

    video_reasons: tuple[str, ...]
    """Why the video must be encoded; empty: it is copied."""
    audio_reasons: tuple[str, ...]
    begin_us: int
    """When the first picture is decoded: the program begins there."""
    end_us: int
    """When the last picture ends, and the program with it."""
    loads: tuple[AccessUnit, ...]
    """Pictures and sounds of the program in the order in which they are due."""

    @property
    def must_encode(self) -> bool:
        """Whether anything must be encoded."""
        return bool(self.video_reasons or self.audio_reasons)


class _Track:
    """Time stamps of one stream, in microseconds."""

    def __init__(self) -> None:
        self.loads: list[AccessUnit] = []
        self.keys_us: list[int] = []
        self.begin_us: int | None = None
        self.end_us = 0
        self.in_order = True

    def add(self, packet: MediaPacket, *, key: bool) -> None:
        """Read one packet."""
        stamps = [stamp for stamp in (packet.dts, packet.pts) if stamp is not None]
        if not stamps:
            self.in_order = False
            return
        due_us = time_us(stamps[0], packet)
        self.in_order &= len(stamps) == 2 and (not self.loads or due_us > self.loads[-1].due_us)
        shown_us = time_us(stamps[-1], packet)
        self.begin_us = shown_us if self.begin_us is None else min(self.begin_us, shown_us)
        self.end_us = max(self.end_us, shown_us + time_us(packet.duration, packet))
        self.loads.append(AccessUnit(due_us, packet.size))
        if key:
            self.keys_us.append(shown_us)

    @property
    def length_us(self) -> int:
        """From the first to the end of the last."""
        return 0 if self.begin_us is None else self.end_us - self.begin_us


def survey(source: MediaSource, *, segment_ms: int, on_progress: OnProgress) -> SourceSurvey:
    """Read `source` through. Raises `IngestError` if no program can be made of it."""
    pictures, sounds = _Track(), _Track()
    video_reasons = _unsuitable_video(source.video)
    declared_us = _declared_us(source)
    check_keys = not video_reasons
    if check_keys:
        source.video.codec_context.skip_frame = "NONKEY"
    for packet in source.packets():
        if isinstance(packet.stream, AudioStream):
            if packet.size:
                sounds.add(packet, key=False)
            continue
        if check_keys:
            _decode(source, packet, pictures)
        if packet.size:
            key = (
                check_keys and packet.is_keyframe and closes_group(bytes(packet), source.video.codec_context.extradata)
            )
            pictures.add(packet, key=key)
            on_progress(min(1.0, pictures.length_us / declared_us) if declared_us else 0.0)
    if pictures.begin_us is None:
        raise NoVideo(source.name)
    _refuse_truncated(source.name, declared_us, _found_us(pictures, sounds))
    _refuse_still(source.name, pictures)
    if check_keys:
        video_reasons = _unsuitable_groups(pictures, segment_ms)
    begin_us = pictures.loads[0].due_us
    heard = (load for load in sounds.loads if begin_us <= load.due_us < pictures.end_us)
    return SourceSurvey(
        video_reasons=tuple(video_reasons),
        audio_reasons=tuple(_unsuitable_audio(source.audio, sounds)),
        begin_us=begin_us,
        end_us=pictures.end_us,
        loads=tuple(merge(pictures.loads, heard)),
    )


def _decode(source: MediaSource, packet: MediaPacket, pictures: _Track) -> None:
    """Decode a random access point: a copy of what nobody can decode helps nobody."""
    try:
        packet.decode()
    except av.FFmpegError as error:
        at_ms = (pictures.end_us - (pictures.begin_us or 0)) // 1000
        raise DamagedSource(source.name, at_ms, "a picture cannot be decoded") from error


def _unsuitable_video(video: VideoStream) -> list[str]:
    context = video.codec_context
    reasons = []
    if context.name != "h264":
        reasons.append(f"codec {context.name}")
    if context.pix_fmt not in _COPIED_PIXELS:
        reasons.append(f"pixels {context.pix_fmt}")
    return reasons


def _unsuitable_groups(pictures: _Track, segment_ms: int) -> list[str]:
    """Why pictures of a suitable codec cannot be cut as they are."""
    if not pictures.in_order:
        return ["time stamps missing or out of order"]
    if not pictures.keys_us or pictures.keys_us[0] != pictures.begin_us:
        return ["no closed group of pictures at the beginning"]
    ends_us = [*pictures.keys_us, pictures.end_us]
    longest_us = max(end - begin for begin, end in pairwise(ends_us))
    if longest_us > segment_ms * 1000 * _LONGEST_GROUP_OF_TARGET:
        return [f"a closed group of pictures of {longest_us / 1e6:.1f} s"]
    return []


def _unsuitable_audio(audio: AudioStream | None, sounds: _Track) -> list[str]:
    if audio is None:
        return []
    context = audio.codec_context
    reasons = []
    if context.name != "aac":
        reasons.append(f"codec {context.name}")
    elif context.profile not in _COPIED_AUDIO_PROFILES:
        reasons.append(f"AAC profile {context.profile}")
    if not sounds.in_order:
        reasons.append("time stamps missing or out of order")
    return reasons


def _declared_us(source: MediaSource) -> int:
    """How long the container says that the two streams are; 0 if it does not say."""
    declared = [
        int(stream.duration * stream.time_base * 1_000_000)
        for stream in (source.video, source.audio)
        if stream is not None and stream.duration and stream.time_base
    ]
    return max(declared, default=source.container.duration or 0)


def _found_us(pictures: _Track, sounds: _Track) -> int:
    """How long the source is; containers count from 0 or from where the first stream begins: the longer one."""
    begin_us = min(track.begin_us for track in (pictures, sounds) if track.begin_us is not None)
    end_us = max(pictures.end_us, sounds.end_us)
    return max(end_us, end_us - begin_us)


def _refuse_truncated(name: str, declared_us: int, found_us: int) -> None:
    tolerance_us = max(_TOLERANCE_US, declared_us * _TOLERANCE_OF_DURATION)
    if found_us < declared_us - tolerance_us:
        raise TruncatedSource(name, declared_us // 1000, found_us // 1000)


def _refuse_still(name: str, pictures: _Track) -> None:
    """A gap in time would have to be filled with null packets, as long as a hostile time stamp likes."""
    for before, after in pairwise(pictures.loads):
        if after.due_us - before.due_us > _LONGEST_STILL_US:
            at_ms = (before.due_us - pictures.loads[0].due_us) // 1000
            gap_s = (after.due_us - before.due_us) / 1e6
            raise DamagedSource(name, at_ms, f"no picture for {gap_s:.1f} s")
