"""What is said of a program's look, and the picture of it: true of what is sent, and found where there is something."""

import io
from fractions import Fraction

import av
import pytest
from av.video.frame import VideoFrame

from distribution_center.content.appearance import appearance_of
from distribution_center.content.h264 import rfc6381_codec
from media_network.key_picture_table import parse_key_pictures
from media_network.packets import TS_PACKET_BYTES
from media_network.program_header import AttachmentKind, TrackKind
from media_network.segment_index import parse_index
from tests.clips import render
from tests.distribution_center.content.ingested import ingested


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A program of four segments, its folder, and its attachments by kind."""
    folder = tmp_path_factory.mktemp("made")
    film = render(folder / "film.mp4", 4, width=640, height=360)
    program, attached = ingested(film, folder / "spool", segment_ms=1000)
    kinds = [attachment.kind for attachment in program.header.attachments]
    return program, folder / "spool" / program.name, dict(zip(kinds, attached, strict=True))


def test_tracks_are_named_as_players_name_them(made):
    program, folder, _ = made
    video, audio = program.header.tracks
    assert (video.kind, audio.kind) == (TrackKind.VIDEO, TrackKind.AUDIO)
    with av.open(str(folder / "0.ts")) as file:
        context = file.streams.video[0].codec_context
        assert video.codec == rfc6381_codec(context.extradata)
        assert int(video.codec[5:7], 16) in {66, 77, 88, 100}, "a profile of table A-1"
        assert (audio.codec, audio.channels) == ("mp4a.40.2", 2)
    picture = program.header.picture
    assert (picture.width, picture.height, Fraction(*picture.frame_rate)) == (640, 360, 25)


def test_the_picture_is_a_small_jpeg_of_the_film(made):
    octets = made[2][AttachmentKind.PICTURE]
    assert octets.startswith(b"\xff\xd8\xff")
    assert len(octets) < 200_000
    with av.open(io.BytesIO(octets)) as file:
        frame = next(file.decode(video=0))
        assert (frame.width, frame.height) == (640, 360)
        luma = bytes(frame.reformat(format="gray").planes[0])
        assert max(luma) - min(luma) > 50, "there is something to be seen"


def test_the_key_pictures_are_those_of_all_indexes(made):
    program, folder, attached = made
    found = parse_key_pictures(attached[AttachmentKind.KEY_PICTURES], program.segments)
    assert {one.segment for one in found} == set(range(len(program.segments)))
    for segment in program.segments:
        index = parse_index(
            (folder / f"{segment.number}.index").read_bytes(),
            packets=segment.packets,
            ticks=segment.duration_ticks,
            length_bytes=segment.length_bytes,
        )
        own = [one[1:] for one in found if one.segment == segment.number]
        assert own == [(one.first_packet, one.packets, one.ticks) for one in index.key_pictures if one.idr]


def test_a_key_picture_with_the_tables_before_it_is_decoded_by_itself(made):
    program, folder, attached = made
    found = parse_key_pictures(attached[AttachmentKind.KEY_PICTURES], program.segments)
    content = [(folder / f"{number}.ts").read_bytes() for number in range(len(program.segments))]
    tables = content[0][: found[0].first_packet * TS_PACKET_BYTES]
    for one in found:
        begin = one.first_packet * TS_PACKET_BYTES
        alone = tables + content[one.segment][begin : begin + one.packets * TS_PACKET_BYTES]
        with av.open(io.BytesIO(alone), format="mpegts") as file:
            assert next(file.decode(video=0)).key_frame


def film_that_begins_in_the_dark(path, seconds, dark_s, fps=25):
    with av.open(path, "w") as film:
        video = film.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "threads": "1"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        video.codec_context.gop_size = fps
        for number in range(seconds * fps):
            frame = VideoFrame(320, 180, "yuv420p")
            bright = number >= dark_s * fps
            for place, plane in enumerate(frame.planes):
                slope = bytes(16 + (at * 7 if bright and not place else 0) % 200 for at in range(plane.line_size))
                plane.update((slope if not place else bytes([128]) * plane.line_size) * plane.height)
            frame.pts = number
            film.mux(video.encode(frame))
        film.mux(video.encode(None))
    return path


def test_a_picture_is_looked_for_beyond_the_dark(tmp_path):
    film = film_that_begins_in_the_dark(tmp_path / "film.mp4", seconds=10, dark_s=4)
    program, [jpeg, _] = ingested(film, tmp_path / "spool", segment_ms=1000)
    with av.open(io.BytesIO(jpeg)) as file:
        luma = bytes(next(file.decode(video=0)).reformat(format="gray").planes[0])
    assert max(luma) > 100
    assert [track.kind for track in program.header.tracks] == [TrackKind.VIDEO]


def test_what_libav_cannot_read_is_left_out(tmp_path, made):
    program, _, _ = made
    (tmp_path / "0.ts").write_bytes(b"G" + bytes(187) * 10)
    seen = appearance_of(tmp_path, list(program.segments), 100)
    assert (seen.tracks, seen.picture, seen.jpeg) == ((), None, None)


@pytest.mark.parametrize("extradata", [None, b"", b"\x00\x00\x01\x67\x42", b"\x01\x42"])
def test_a_codec_that_is_not_known_is_not_made_up(extradata):
    assert rfc6381_codec(extradata) is None
