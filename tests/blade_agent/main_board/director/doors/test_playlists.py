"""Playlists as text, read by somebody else's parser."""

import m3u8
import pytest

from blade_agent.main_board.director.doors import playlists
from media_network.key_picture_table import ListedPicture
from media_network.program_header import Picture, Track, TrackKind
from media_network.segment_table import Segment
from tests.blade_agent.main_board.director.stage import program_of
from tests.programs import program_with

QUERY = "session=" + "a" * 24
TRACKS = (
    Track(kind=TrackKind.VIDEO, codec="avc1.64001f"),
    Track(kind=TrackKind.AUDIO, codec="mp4a.40.2", channels=2),
    Track(kind=TrackKind.AUDIO, codec="mp4a.40.2", channels=2),
)
PICTURE = Picture(width=1280, height=720, frame_rate=(30_000, 1001))
FILM = program_of(segments=3, packets=10_000, tracks=TRACKS, picture=PICTURE)
PICTURES = (ListedPicture(0, 2, 100, 0), ListedPicture(0, 5000, 60, 450_000), ListedPicture(2, 2, 90, 0))


def beside(number):
    return f"{number}.ts?{QUERY}"


def multivariant(program, bps=None):
    return "".join(playlists.multivariant(program.header, QUERY, bps))


def test_a_multivariant_playlist_says_what_a_player_wants_to_know_before_it_fetches():
    found = m3u8.loads(multivariant(FILM, 4711))
    assert found.is_variant
    assert found.is_independent_segments
    [variant] = found.playlists
    assert variant.uri == f"media.m3u8?{QUERY}"
    said = variant.stream_info
    assert (said.bandwidth, said.average_bandwidth) == (FILM.header.peak_bps, 1_504_000)
    assert (said.codecs, said.resolution, said.frame_rate) == ("avc1.64001f,mp4a.40.2", (1280, 720), 29.97)
    [pictures] = found.iframe_playlists
    assert pictures.uri == f"key-pictures.m3u8?{QUERY}"
    assert pictures.iframe_stream_info.bandwidth == 4711
    assert pictures.iframe_stream_info.codecs == "avc1.64001f"
    assert pictures.iframe_stream_info.resolution == (1280, 720)


def test_of_a_program_of_an_earlier_release_only_what_is_known_is_said():
    text = multivariant(program_of(segments=3))
    assert "CODECS" not in text
    assert "RESOLUTION" not in text
    assert "I-FRAME" not in text
    assert m3u8.loads(text).playlists[0].stream_info.bandwidth


@pytest.mark.parametrize("codec", ["", 'a"\n#EXT-X-ENDLIST', "a b", "a,b"])
def test_a_codec_that_is_none_takes_the_others_with_it(codec):
    """What is left out is not there, to a player."""
    text = multivariant(program_of(tracks=(TRACKS[0], Track(kind=TrackKind.AUDIO, codec=codec))))
    assert "CODECS" not in text
    assert len(text.splitlines()) == 5


def test_a_media_playlist_has_every_segment():
    found = m3u8.loads("".join(playlists.media(FILM, beside)))
    assert not found.is_variant
    assert (found.playlist_type, found.is_endlist, found.media_sequence) == ("vod", True, 0)
    assert found.is_independent_segments
    assert [segment.uri for segment in found.segments] == [beside(number) for number in range(3)]
    assert [segment.duration for segment in found.segments] == [10.0] * 3
    assert found.target_duration == 10


def test_a_segment_lasts_no_longer_than_is_said():
    rows = [
        Segment(number=number, length_bytes=188, duration_ticks=ticks, sha256="0" * 64)
        for number, ticks in enumerate((90_000, 180_001, 45_000))
    ]
    found = m3u8.loads("".join(playlists.media(program_with(rows), beside)))
    assert found.target_duration == 3
    assert found.segments[1].duration == 2.00001


def test_a_long_one_comes_in_pieces():
    film = program_of(segments=2000, packets=1)
    pieces = list(playlists.media(film, beside))
    assert len(pieces) > 7
    assert max(map(len, pieces)) < 40_000
    assert len(m3u8.loads("".join(pieces)).segments) == 2000


def test_key_pictures_are_ranges_of_their_segments():
    found = m3u8.loads("".join(playlists.key_pictures(FILM, PICTURES, beside)))
    assert found.is_i_frames_only
    assert int(found.version) >= 5, "for EXT-X-MAP"
    assert [one.uri for one in found.segments] == [beside(0), beside(0), beside(2)]
    assert [one.byterange for one in found.segments] == [
        f"{100 * 188}@{2 * 188}",
        f"{60 * 188}@{5000 * 188}",
        f"{90 * 188}@376",
    ]
    assert [one.duration for one in found.segments] == [5.0, 15.0, 10.0]
    assert found.target_duration == 15
    [tables] = found.segment_map
    assert (tables.uri, tables.byterange) == (beside(0), "376@0")


def test_what_key_pictures_take_is_the_most_that_one_takes():
    assert playlists.peak_bps(FILM, PICTURES) == 100 * 188 * 8 // 5
    assert playlists.peak_bps(FILM, PICTURES[1:]) == -(-90 * 188 * 8 // 10)
