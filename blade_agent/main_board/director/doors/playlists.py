"""HLS playlists (RFC 8216) of a program, as text. No I/O: a long one comes in pieces.

A program is listed once in a multivariant playlist, with what a player wants to know before it fetches anything; its
media playlist has the segments; the playlist of key pictures has, as ranges of bytes of those segments, what fast
forward and a bar of previews show.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from media_network.key_picture_table import ListedPicture
from media_network.packets import TICK_HZ, TS_PACKET_BYTES
from media_network.program import Program
from media_network.program_header import ProgramHeader, TrackKind

MEDIA, KEY_PICTURES = "media.m3u8", "key-pictures.m3u8"
"""What the two that a multivariant playlist lists are called, beside it."""

_LINES_A_PIECE = 512
_CODEC = re.compile(r"[A-Za-z0-9.+-]{1,40}")
"""What may stand between the quotation marks of an attribute (RFC 6381)."""

AddressOf = Callable[[int], str]
"""Where a segment is, by its number."""


def multivariant(header: ProgramHeader, query: str, key_pictures_bps: int | None) -> Iterator[str]:
    """The playlist that is given to players; `query` goes with all that it leads to.

    `key_pictures_bps`: what the playlist of key pictures takes, in bits a second; None: there is none.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    average_bps = header.length_bytes * 8 * TICK_HZ // header.duration_ticks
    rates = {"BANDWIDTH": str(header.peak_bps), "AVERAGE-BANDWIDTH": str(average_bps)}
    codecs = [track.codec for track in header.tracks]
    stream = rates | _codecs(codecs) | _resolution(header) | _frame_rate(header)
    lines += [f"#EXT-X-STREAM-INF:{_attributes(stream)}", f"{MEDIA}?{query}"]
    if key_pictures_bps is not None:
        pictures = [track.codec for track in header.tracks if track.kind is TrackKind.VIDEO]
        found = {"BANDWIDTH": str(key_pictures_bps)} | _codecs(pictures) | _resolution(header)
        address = {"URI": f'"{KEY_PICTURES}?{query}"'}
        lines.append(f"#EXT-X-I-FRAME-STREAM-INF:{_attributes(found | address)}")
    yield _joined(lines)


def media(program: Program, address: AddressOf) -> Iterator[str]:
    """The playlist of all segments, in pieces."""
    longest_s = math.ceil(program.segments.longest_ticks / TICK_HZ)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", *_head(longest_s), "#EXT-X-INDEPENDENT-SEGMENTS"]
    for number in range(len(program.segments)):
        lines += [_duration(program.segments.ticks(number)), address(number)]
        if len(lines) >= _LINES_A_PIECE:
            yield _joined(lines)
            lines = []
    yield _joined([*lines, "#EXT-X-ENDLIST"])


def key_pictures(program: Program, pictures: Sequence[ListedPicture], address: AddressOf) -> Iterator[str]:
    """The playlist of key pictures, in pieces. What goes before the first one, PAT and PMT, is good for all."""
    lasting = [ticks for _, ticks in shown_for(program, pictures)]
    lines = ["#EXTM3U", "#EXT-X-VERSION:5", *_head(math.ceil(max(lasting) / TICK_HZ)), "#EXT-X-I-FRAMES-ONLY"]
    tables = pictures[0].first_packet * TS_PACKET_BYTES
    if tables:
        lines.append(f'#EXT-X-MAP:URI="{address(pictures[0].segment)}",BYTERANGE="{tables}@0"')
    for picture, ticks in zip(pictures, lasting, strict=True):
        length, offset = picture.packets * TS_PACKET_BYTES, picture.first_packet * TS_PACKET_BYTES
        lines += [_duration(ticks), f"#EXT-X-BYTERANGE:{length}@{offset}", address(picture.segment)]
        if len(lines) >= _LINES_A_PIECE:
            yield _joined(lines)
            lines = []
    yield _joined([*lines, "#EXT-X-ENDLIST"])


def shown_for(program: Program, pictures: Sequence[ListedPicture]) -> Iterator[tuple[ListedPicture, int]]:
    """Each key picture, and how many ticks it is until the next one, or until the end."""
    begin = [program.segments.before(one.segment).ticks + one.ticks for one in pictures]
    ends = [*begin[1:], program.segments.duration_ticks]
    return ((one, max(1, end - at)) for one, at, end in zip(pictures, begin, ends, strict=True))


def peak_bps(program: Program, pictures: Sequence[ListedPicture]) -> int:
    """The most bits a second that one of them takes, until the next is shown."""
    bits = TS_PACKET_BYTES * 8 * TICK_HZ
    return max(-(-one.packets * bits // ticks) for one, ticks in shown_for(program, pictures))


def _head(longest_s: int) -> Iterable[str]:
    return f"#EXT-X-TARGETDURATION:{longest_s}", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"


def _duration(ticks: int) -> str:
    return f"#EXTINF:{ticks / TICK_HZ:.5f},"


def _codecs(codecs: Sequence[str]) -> dict[str, str]:
    """All of them or nothing: a player counts on what is left out not to be there."""
    known = bool(codecs) and all(_CODEC.fullmatch(codec) for codec in codecs)
    return {"CODECS": f'"{",".join(dict.fromkeys(codecs))}"'} if known else {}


def _resolution(header: ProgramHeader) -> dict[str, str]:
    picture = header.picture
    return {"RESOLUTION": f"{picture.width}x{picture.height}"} if picture else {}


def _frame_rate(header: ProgramHeader) -> dict[str, str]:
    rate = header.picture.frame_rate if header.picture else None
    return {"FRAME-RATE": f"{float(Fraction(*rate)):.3f}"} if rate else {}


def _attributes(values: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())


def _joined(lines: Iterable[str]) -> str:
    return "\n".join([*lines, ""])
