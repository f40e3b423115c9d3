"""Opens a film that somebody hands us: files only, containers of moving pictures only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from distribution_center.content.errors import (
    DamagedSource,
    EmptySource,
    NotMedia,
    NoVideo,
    UnreadableSource,
)

# A playlist or a text file must not make the demuxer read other files, and a still picture is not a film.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,nut,ogg,asf,mxf,h264,hevc,m4v,mpegvideo"
_MOST_REORDERED = 16  # H.264 A.3.1: max_dec_frame_buffering
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}


MediaPacket: TypeAlias = "Packet[Stream]"


@dataclass(frozen=True)
class MediaSource:
    """An open film: its best video stream and, if it has one, its best audio stream."""

    name: str
    """What people call it: the path or URL that they gave."""
    container: InputContainer
    video: VideoStream
    audio: AudioStream | None

    def packets(self) -> Iterator[MediaPacket]:
        """The packets of the two streams in the file's order; an empty one ends each stream."""
        streams = [stream for stream in (self.video, self.audio) if stream is not None]
        at_us = 0
        try:
            for packet in _dated(self.container.demux(streams), self.video):
                at_us = max(at_us, time_us(packet.dts, packet))
                if packet.is_corrupt:
                    raise DamagedSource(self.name, at_us // 1000, "part of a picture or sound is missing")
                yield packet
        except av.FFmpegError as error:
            raise DamagedSource(self.name, at_us // 1000, str(error.strerror)) from error


def _dated(packets: Iterator[MediaPacket], video: VideoStream) -> Iterator[MediaPacket]:
    """Give the first pictures their decoding times, which Matroska leaves out: so much before the first one known."""
    undated: list[MediaPacket] | None = []
    for packet in packets:
        if undated is None or packet.stream is not video:
            yield packet
            continue
        if packet.size and packet.dts is None and len(undated) < _MOST_REORDERED:
            undated.append(packet)
            continue
        for place, early in enumerate(undated):
            if packet.dts is not None and early.pts is not None and early.duration:
                early.dts = min(early.pts, packet.dts - (len(undated) - place) * early.duration)
        yield from undated
        undated = None
        yield packet


def time_us(ticks: int | None, packet: MediaPacket) -> int:
    """A packet's time stamp in microseconds; 0 without one."""
    base = packet.time_base
    return 0 if ticks is None else ticks * base.numerator * 1_000_000 // base.denominator


@contextmanager
def open_source(path: Path, name: str) -> Iterator[MediaSource]:
    """Open the film at `path`, which people call `name`. Raises `IngestError`."""
    try:
        if path.stat().st_size == 0:
            raise EmptySource(name)
        container = av.open(str(path), options=_OPTIONS)
    except OSError as error:
        raise UnreadableSource(name, str(error.strerror)) from error
    except av.FFmpegError as error:
        raise NotMedia(name, str(error.strerror)) from error
    with container:
        video = next((stream for stream in container.streams.video if _moving(stream)), None)
        if video is None:
            raise NoVideo(name)
        audio = next((stream for stream in container.streams.audio if stream.codec_context is not None), None)
        yield MediaSource(name, container, video, audio)


def _moving(stream: VideoStream) -> bool:
    """Whether it can be decoded, has a size and is no cover picture."""
    context = stream.codec_context
    return context is not None and context.width > 0 and not stream.disposition & Disposition.attached_pic
