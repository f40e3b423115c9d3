"""What a program is multiplexed from: pictures and sound, each copied from the film or encoded in a file of its own."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from distribution_center.content.decoder_buffers import BufferSizes, picture_buffers, sound_buffers
from distribution_center.content.encode import Encoded
from distribution_center.content.h264 import level_limits
from distribution_center.content.placing import placed
from distribution_center.content.source import MediaPacket, open_source, time_us
from distribution_center.content.survey import SourceSurvey
from distribution_center.content.track import Track, TrackTable

_UNLIMITED_BPS = 1 << 40


@dataclass(frozen=True)
class Material:
    """Streams, what is known of them, and their packets in about the order in which they are due."""

    video: VideoStream
    audio: AudioStream | None
    pictures: TrackTable
    sounds: TrackTable
    picture_sizes: BufferSizes
    sound_sizes: BufferSizes
    aspect: Fraction | None
    """Shape of a picture's pixels that must be written into the pictures."""
    packets: Iterator[MediaPacket]
    """Both time stamps count from the beginning of the program, where the first picture is shown."""


@contextmanager
def gather(path: Path, name: str, plan: SourceSurvey, encoded: Encoded, *, within_level: bool) -> Iterator[Material]:
    """Open what the program is made of. Raises `IngestError`.

    `within_level`: pictures come no faster than their level says.
    """
    with ExitStack() as files:
        film = files.enter_context(open_source(path, name))
        video, audio, readers = film.video, film.audio, []
        if encoded.pictures is not None:
            file = files.enter_context(av.open(str(encoded.pictures)))
            video = file.streams.video[0]
            readers.append(_of_file(file))
        if encoded.sounds is not None:
            file = files.enter_context(av.open(str(encoded.sounds)))
            audio = file.streams.audio[0]
            readers.append(_of_file(file))
        copied = [stream for stream in (film.video, film.audio) if stream in (video, audio) and stream is not None]
        if plan.apart and len(copied) > 1:
            second = files.enter_context(open_source(path, name))
            readers.append(placed(second, plan, second.audio))
            copied = [film.video]
        if copied:
            readers.append(placed(film, plan, *copied))
        sizes = picture_buffers(level_limits(video.codec_context.extradata))
        yield Material(
            video,
            audio,
            _table(encoded.pictures) if encoded.pictures else plan.pictures,
            _table(encoded.sounds) if encoded.sounds else plan.sounds,
            sizes if within_level else replace(sizes, leak_bps=_UNLIMITED_BPS),
            sound_buffers(audio.codec_context.layout.nb_channels if audio is not None else 0),
            None if encoded.pictures else plan.aspect,
            _from_the_first_picture(merge(*readers, key=_due_us)),
        )


def _of_file(file: InputContainer) -> Iterator[MediaPacket]:
    """The packets of a file of ours, which has one stream."""
    return (packet for packet in file.demux() if packet.size)


def _table(path: Path) -> TrackTable:
    """Times and lengths of what was encoded: known only now."""
    track = Track()
    with av.open(str(path)) as file:
        for packet in _of_file(file):
            track.add(packet, key=False)
    return track.table(0)


def _due_us(packet: MediaPacket) -> int:
    return time_us(packet.dts if packet.dts is not None else packet.pts, packet)


def _from_the_first_picture(packets: Iterable[MediaPacket]) -> Iterator[MediaPacket]:
    """Only what is sent; the first picture is shown at the beginning, if sound begins before it."""
    begun = False
    for packet in packets:
        if not packet.size or packet.is_discard or packet.dts is None or packet.pts is None:
            continue
        if not begun and not isinstance(packet.stream, AudioStream):
            begun = True
            packet.dts -= packet.pts
            packet.pts = 0
        yield packet
