"""Reads a source through once and decides what of it must be encoded. Everything else is copied as it is."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import pairwise

import av
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from distribution_center.content.errors import (
    DamagedSource,
    EncryptedSource,
    NoVideo,
    TruncatedSource,
    UnknownColours,
)
from distribution_center.content.h264 import closes_group
from distribution_center.content.look import Look, Turn, look_of
from distribution_center.content.source import MediaPacket, MediaSource
from distribution_center.content.timeline import Timeline, TimelineReader
from distribution_center.content.track import Track, TrackTable

OnProgress = Callable[[float], None]
"""Takes the fraction done, from 0 to 1; called often."""

PICTURES, SOUNDS = 0, 1
"""Numbers of the streams on the time line."""
_COPIED_PIXELS = frozenset({"yuv420p", "yuvj420p"})  # what every player's decoder takes: 8 bits, 4:2:0
_COPIED_AUDIO_PROFILES = frozenset({"LC"})
_LONGEST_GROUP_OF_TARGET = 1.1
_LONGEST_NOTHING_US = 600_000_000
_TOLERANCE_US = 500_000
_TOLERANCE_OF_DURATION = 0.01
_UNHEARD_US = 50_000
"""Sound so much before the first picture is an encoder's first block, and no reason to hold a picture."""
_NOTICED_US = 250_000
_MOST_SUSPECTS = 1000
_FURTHEST_APART_US = 5_000_000
_DAMAGED_SHARE = 0.1
"""A film of which more than this cannot be decoded is refused."""


@dataclass(frozen=True)
class SourceSurvey:
    """What a source holds and what must be done with it. Times count from the beginning of the program."""

    video_reasons: tuple[str, ...]
    """Why the video must be encoded; empty: it is copied."""
    audio_reasons: tuple[str, ...]
    timeline: Timeline
    begin_us: int
    """On the time line: when the first picture is shown, or the first sound heard if that is earlier."""
    length_us: int
    """Until the last picture or sound has ended."""
    pictures: TrackTable
    sounds: TrackTable
    sound_us: int
    """From the first to the end of the last sound."""
    frame_us: int
    """How long a picture lasts, usually."""
    aspect: Fraction | None
    """Shape of a picture's pixels that the container states and copied pictures do not."""
    apart: bool
    """Pictures and sounds of a moment stand far from each other in the file."""
    warnings: tuple[str, ...]
    """What people should know of the program."""

    @property
    def must_encode(self) -> bool:
        """Whether anything must be encoded."""
        return bool(self.video_reasons or self.audio_reasons)


def survey(source: MediaSource, *, segment_ms: int, longest_segment_ms: int, on_progress: OnProgress) -> SourceSurvey:
    """Read `source` through. Raises `IngestError` if no program can be made of it."""
    reading = _Reading(source)
    declared_us = _declared_us(source)
    for packet in source.packets():
        reading.read(packet)
        on_progress(min(1.0, reading.pictures.read_us / declared_us) if declared_us else 0.0)
    if not reading.pictures.count:
        raise NoVideo(source.name)
    reading.close()
    timeline = reading.reader.timeline()
    pictures, sounds = reading.pictures, reading.sounds
    _refuse_truncated(source, declared_us, _found_us(pictures, sounds), timeline)
    pictures.move(timeline.follow(PICTURES))
    sounds.move(timeline.follow(SOUNDS))
    return _conclude(source, reading, timeline, max(longest_segment_ms, round(segment_ms * _LONGEST_GROUP_OF_TARGET)))


def _conclude(source: MediaSource, reading: "_Reading", timeline: Timeline, limit_ms: int) -> SourceSurvey:
    pictures, sounds = reading.pictures, reading.sounds
    frame_us = pictures.usual_step_us()
    begin_us = pictures.begin_us
    early_us = begin_us - sounds.begin_us if sounds.count else 0
    if early_us > max(frame_us, _UNHEARD_US):
        begin_us = sounds.begin_us
    end_us = max(pictures.end_us, sounds.end_us if sounds.count else begin_us)
    _refuse_nothing(source.name, pictures, sounds)
    video_reasons = reading.video_reasons or _unsuitable_groups(pictures, begin_us, end_us, limit_ms)
    return SourceSurvey(
        video_reasons=tuple(video_reasons),
        audio_reasons=tuple(_unsuitable_audio(source.audio, sounds)),
        timeline=timeline,
        begin_us=begin_us,
        length_us=end_us - begin_us,
        pictures=pictures.table(begin_us, first_us=begin_us),
        sounds=sounds.table(begin_us),
        sound_us=sounds.end_us - sounds.begin_us if sounds.count else 0,
        frame_us=frame_us,
        aspect=_aspect(source.video),
        apart=reading.apart,
        warnings=(
            *source.chosen.left_out,
            *reading.damage(),
            *_joined(timeline),
            *_held(source, pictures, begin_us, end_us),
        ),
    )


class _Reading:
    """What is learnt while the packets go by."""

    def __init__(self, source: MediaSource) -> None:
        self.pictures, self.sounds = Track(), Track()
        self.reader = TimelineReader(2, spliced=source.spliced)
        self.video_reasons = _unsuitable_video(source)
        self.apart = False
        self._source = source
        self._copied = not self.video_reasons
        self._look: Look | None = None
        self._keys = self._bad_keys = 0
        self._suspects: list[tuple[int, int, int]] = []
        """Damaged packets: in which stretch they are due, when, and how far into the film."""
        if self._copied:
            source.video.codec_context.skip_frame = "NONKEY"

    def read(self, packet: MediaPacket) -> None:
        """The next packet."""
        if packet.has_sidedata("encryption_info"):
            raise EncryptedSource(self._source.name)
        if isinstance(packet.stream, AudioStream):
            self._add(SOUNDS, self.sounds, packet, key=False)
            return
        key = self._copied and bool(packet.size) and self._opens_group(packet)
        self._add(PICTURES, self.pictures, packet, key=key)

    def _add(self, number: int, track: Track, packet: MediaPacket, *, key: bool) -> None:
        due_us, shown_us, lasts_us = track.add(packet, key=key)
        stretch = self.reader.read(number, due_us)
        if not packet.is_discard:
            self.reader.cover(stretch, shown_us, shown_us + lasts_us)
        elif number == PICTURES and self._copied:
            self._must_encode("it begins inside a group of pictures")
        if packet.is_corrupt and len(self._suspects) < _MOST_SUSPECTS:
            self._suspects.append((stretch, due_us, track.read_us))
        if self.sounds.count and self.pictures.count:
            self.apart |= abs(self.sounds.last_due_us - self.pictures.last_due_us) > _FURTHEST_APART_US

    def _opens_group(self, packet: MediaPacket) -> bool:
        """Whether a closed group begins here; what nobody can decode is no place to begin."""
        if not packet.is_keyframe:
            return False
        self._keys += 1
        try:
            self._decode(packet)
        except av.FFmpegError:
            self._bad_keys += 1
            return False
        return closes_group(bytes(packet), self._source.video.codec_context.extradata)

    def _decode(self, packet: "MediaPacket | None") -> None:
        for frame in self._source.video.codec_context.decode(packet):
            self._look_at(frame)

    def _look_at(self, frame: object) -> None:
        """Pictures that must be changed to look right cannot be copied."""
        if self._look is not None or not isinstance(frame, VideoFrame):
            return
        self._look = look_of(frame)
        if self._look.turn is not Turn.NONE:
            self._must_encode("it must be turned")
        if self._look.is_hdr:
            self._must_encode("HDR")
        if self._look.is_unknown:
            raise UnknownColours(self._source.name, "Dolby Vision")

    def _must_encode(self, reason: str) -> None:
        self.video_reasons.append(reason)
        self._copied = False

    def close(self) -> None:
        """There are no more. Raises `DamagedSource` if so much is damaged that it is another film."""
        if self._copied:
            with suppress(av.FFmpegError):
                self._decode(None)  # a decoder keeps the last pictures
        if self._bad_keys > _DAMAGED_SHARE * self._keys:
            if self._bad_keys > 1 or self._keys == self._bad_keys:
                raise DamagedSource(self._source.name, 0, f"{self._bad_keys} of {self._keys} key pictures are broken")
            self._must_encode("a key picture is damaged")

    def damage(self) -> list[str]:
        """What to say of damage that players survive."""
        sentences = []
        damaged = [at_us for stretch, due_us, at_us in self._suspects if not self.reader.is_joint(stretch, due_us)]
        if damaged:
            count = f"{len(damaged)} pictures or sounds are" if len(damaged) > 1 else "a picture or sound is"
            sentences.append(f"{count} damaged in the film, from {min(damaged) / 1e6:.1f} s on")
        if self._source.has_partial_packet:
            sentences.append("the film ends inside a packet: its end may be missing")
        return sentences


def _unsuitable_video(source: MediaSource) -> list[str]:
    context = source.video.codec_context
    reasons = []
    if context.name != "h264":
        reasons.append(f"codec {context.codec.canonical_name}")
    if context.pix_fmt not in _COPIED_PIXELS:
        reasons.append(f"pixels {context.pix_fmt}")
    if source.chosen.cover:
        reasons.append("a cover picture")
    return reasons


def _unsuitable_groups(pictures: Track, begin_us: int, end_us: int, limit_ms: int) -> list[str]:
    """Why pictures of a suitable codec cannot be cut as they are."""
    if not pictures.in_order:
        return ["time stamps missing or out of order"]
    keys_us = pictures.keys_us()
    if not keys_us or keys_us[0] != pictures.begin_us or not pictures.begins_with_key:
        return ["no closed group of pictures at the beginning"]
    longest_us = max(end - begin for begin, end in pairwise([begin_us, *keys_us[1:], end_us]))
    if longest_us > limit_ms * 1000:
        return [f"a closed group of pictures of {longest_us / 1e6:.1f} s"]
    return []


def _unsuitable_audio(audio: AudioStream | None, sounds: Track) -> list[str]:
    if audio is None:
        return []
    context = audio.codec_context
    reasons = []
    if context.name != "aac":
        reasons.append(f"codec {context.codec.canonical_name}")
    elif context.profile not in _COPIED_AUDIO_PROFILES:
        reasons.append(f"AAC profile {context.profile}")
    if not sounds.in_order:
        reasons.append("time stamps missing or out of order")
    return reasons


def _aspect(video: VideoStream) -> Fraction | None:
    """The container's word, where the codec has another one; it wins in every player."""
    stated = video.sample_aspect_ratio
    coded = video.codec_context.sample_aspect_ratio
    return stated if stated and stated != (coded or 1) else None


def _declared_us(source: MediaSource) -> int:
    """How long the container says that the two streams are; 0 if it does not say."""
    declared = [
        int(stream.duration * stream.time_base * 1_000_000)
        for stream in (source.video, source.audio)
        if stream is not None and stream.duration and stream.time_base
    ]
    return max(declared, default=source.container.duration or 0)


def _found_us(pictures: Track, sounds: Track) -> int:
    """How long the source is; containers count from 0 or from where the first stream begins: the longer one."""
    begin_us = min(track.begin_us for track in (pictures, sounds) if track.count)
    end_us = max(track.end_us for track in (pictures, sounds) if track.count)
    return max(end_us, end_us - begin_us)


def _refuse_truncated(source: MediaSource, declared_us: int, found_us: int, timeline: Timeline) -> None:
    """A container that is made to be cut does not know how long it is: libav reckons it from both ends."""
    tolerance_us = max(_TOLERANCE_US, declared_us * _TOLERANCE_OF_DURATION)
    if found_us < declared_us - tolerance_us and not source.spliced and not timeline.joints:
        raise TruncatedSource(source.name, declared_us // 1000, found_us // 1000)


def _refuse_nothing(name: str, pictures: Track, sounds: Track) -> None:
    """A gap in time would have to be filled with null packets, as long as a hostile time stamp likes."""
    begin_us = at_us = min(pictures.begin_us, sounds.begin_us if sounds.count else pictures.begin_us)
    for due_us in merge(sorted(pictures.due_us), sorted(sounds.due_us)):
        if due_us - at_us > _LONGEST_NOTHING_US:
            raise DamagedSource(
                name, (at_us - begin_us) // 1000, f"no picture and no sound for {(due_us - at_us) / 1e6:.1f} s"
            )
        at_us = max(at_us, due_us)


def _joined(timeline: Timeline) -> list[str]:
    if not timeline.joints:
        return []
    times = "once" if timeline.joints == 1 else f"{timeline.joints} times"
    return [f"time jumps {times} in the film, which was joined from several: it goes on without a gap"]


def _held(source: MediaSource, pictures: Track, begin_us: int, end_us: int) -> list[str]:
    """Pictures that stand because there is sound before the first or after the last one."""
    if source.chosen.cover:
        return ["the film is sound with a cover picture, which stands all the time"]
    sentences = []
    if source.untimed:
        rate = 1_000_000 / pictures.usual_step_us()
        sentences.append(f"the film has no time stamps: {rate:.3g} pictures a second were taken")
    before_us, after_us = pictures.begin_us - begin_us, end_us - pictures.end_us
    if before_us > _NOTICED_US:
        sentences.append(f"the first picture stands {before_us / 1e6:.1f} s longer: sound begins before it")
    if after_us > _NOTICED_US:
        sentences.append(f"the last picture stands {after_us / 1e6:.1f} s longer: sound goes on after it")
    return sentences
