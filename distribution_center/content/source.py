"""Opens a film that somebody hands us: files only, containers of moving pictures only."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from distribution_center.content.choosing import Chosen, choose
from distribution_center.content.encrypted import is_scrambled
from distribution_center.content.errors import (
    DamagedSource,
    EmptySource,
    EncryptedSource,
    NotAFile,
    NotMedia,
    UnreadableSource,
)
from distribution_center.content.loudspeakers import Loudspeakers, settle_loudspeakers
from media_network.packets import TS_PACKET_BYTES
from media_network.transport_stream import SYNC_BYTE

# A playlist or a text file must not make the demuxer read other files, and a still picture is not a film.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,nut,ogg,asf,mxf,h264,hevc,m4v,mpegvideo,mp3,flac,wav"
)
_SPLICED = frozenset({"mpegts", "mpeg", "flv", "h264", "hevc", "m4v", "mpegvideo"})
_UNTIMED = frozenset({"h264", "hevc", "m4v", "mpegvideo"})
_UNDATED = frozenset({"avi"})
_MOST_REORDERED = 16  # H.264 A.3.1: max_dec_frame_buffering
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
_KINDS = {
    stat.S_ISDIR: "directory",
    stat.S_ISFIFO: "named pipe",
    stat.S_ISSOCK: "socket",
    stat.S_ISCHR: "device",
    stat.S_ISBLK: "device",
}


MediaPacket: TypeAlias = "Packet[Stream]"


@dataclass(frozen=True)
class MediaSource:
    """An open film and the streams of it that become a program."""

    name: str
    """What people call it: the path or URL that they gave."""
    container: InputContainer
    chosen: Chosen
    loudspeakers: Loudspeakers | None
    """Of its sound."""

    @property
    def video(self) -> VideoStream:
        """The pictures."""
        return self.chosen.video

    @property
    def audio(self) -> AudioStream | None:
        """The sound, if it has one."""
        return self.chosen.audio

    @property
    def spliced(self) -> bool:
        """Whether its container is made to be cut and joined anywhere: time stamps may jump."""
        return self.container.format.name in _SPLICED

    @property
    def untimed(self) -> bool:
        """Whether it is nothing but coded pictures: how fast they follow each other is a guess."""
        return self.container.format.name in _UNTIMED

    @property
    def has_partial_packet(self) -> bool:
        """Whether it is a transport stream that ends inside a packet: it was longer once."""
        path = Path(self.container.name)
        if self.container.format.name != "mpegts" or not path.stat().st_size % TS_PACKET_BYTES:
            return False
        with path.open("rb") as file:
            head = file.read(2 * TS_PACKET_BYTES)
        return head[0] == SYNC_BYTE == head[-TS_PACKET_BYTES]  # packets of 192 or 204 bytes look otherwise

    def packets(self, *streams: VideoStream | AudioStream | None) -> Iterator[MediaPacket]:
        """The packets of the streams (default: both) in the file's order.

        One without bytes has a time: the picture before stays. Raises `DamagedSource`.
        """
        wanted = [stream for stream in streams or (self.video, self.audio) if stream is not None]
        at_us = 0
        try:
            packets = _dated(self.container.demux(wanted), self.video)
            if self.container.format.name in _UNDATED and not self.video.codec_context.has_b_frames:
                packets = _undelayed(packets, self.video)
            for packet in packets:
                at_us = max(at_us, time_us(packet.dts, packet))
                if packet.size or packet.dts is not None:  # the others end the streams
                    yield packet
        except av.FFmpegError as error:
            raise DamagedSource(self.name, at_us // 1000, "it cannot be read on") from error


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


def _undelayed(packets: Iterator[MediaPacket], video: VideoStream) -> Iterator[MediaPacket]:
    """Where nothing is dated and no picture is reordered each is shown when it is decoded, whatever libav guesses."""
    delay: int | None = None
    for packet in packets:
        if packet.stream is video and packet.pts is not None and packet.dts is not None:
            delay = packet.pts - packet.dts if delay is None else delay
            packet.pts -= delay
            packet.dts -= delay
        yield packet


def time_us(ticks: int | None, packet: MediaPacket) -> int:
    """A packet's time stamp in microseconds; 0 without one."""
    base = packet.time_base
    return 0 if ticks is None else ticks * base.numerator * 1_000_000 // base.denominator


@contextmanager
def open_source(path: Path, name: str) -> Iterator[MediaSource]:
    """Open the film at `path`, which people call `name`. Raises `IngestError`."""
    try:
        _require_file(path, name)
        container = _open(path)
    except OSError as error:
        raise UnreadableSource(name, str(error.strerror)) from error
    except av.FFmpegError as error:
        raise NotMedia(name) from error
    with container:
        if is_scrambled(path, container.format.name):
            raise EncryptedSource(name)
        chosen = choose(container, name)
        yield MediaSource(name, container, chosen, settle_loudspeakers(chosen.audio) if chosen.audio else None)


def _open(path: Path) -> InputContainer:
    """Open it whatever its tags are written in; a PyAV that replaces by itself knows no `metadata_errors`."""
    try:
        return av.open(str(path), options=_OPTIONS, metadata_errors="replace")
    except TypeError:
        return av.open(str(path), options=_OPTIONS)


def _require_file(path: Path, name: str) -> None:
    status = path.stat()
    for is_kind, kind in _KINDS.items():
        if is_kind(status.st_mode):
            raise NotAFile(name, kind)
    if status.st_size == 0:
        raise EmptySource(name)
