import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_emulator.media_console.errors import BadPlaylist, BadUrl, ConsoleError
from chassis_emulator.media_console.playlist import join, only_variant, parse_playlist, split_url
from media_network.address import Address

URL = "http://127.1.2.1:8080/programs/film/playlist.m3u8?ticket=s.1"


def playlist(*lines):
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:2", *lines, "#EXT-X-ENDLIST"]).encode()


def test_segments_in_order_relative_and_absolute():
    body = playlist(
        "#EXTINF:2,", "0.ts?ticket=a", "# a comment", "#EXTINF:2,", "/other/1.ts", "", "http://127.1.2.3/2.ts"
    )
    assert parse_playlist(body.replace(b"\n", b"\r\n"), URL) == (
        "http://127.1.2.1:8080/programs/film/0.ts?ticket=a",
        "http://127.1.2.1:8080/other/1.ts",
        "http://127.1.2.3/2.ts",
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "EXTM3U"),
        (b"<html>", "EXTM3U"),
        (b"\xff\xfe", "not text"),
        (b"#EXTM3U\n0.ts\n", "no end"),
        (playlist(), "0 segments"),
        (playlist("#EXT-X-STREAM-INF:BANDWIDTH=1", "low.m3u8"), "other playlists"),
        (playlist("#EXT-X-BYTERANGE:10@0", "0.ts"), "parts of files"),
        (playlist('#EXT-X-MAP:URI="init.mp4"', "0.m4s"), "initialization"),
        (playlist('#EXT-X-KEY:METHOD=AES-128,URI="k"', "0.ts"), "encrypted"),
    ],
)
def test_what_cannot_be_put_together(body, reason):
    with pytest.raises(BadPlaylist, match=reason):
        parse_playlist(body, URL)


def test_a_multivariant_playlist_leads_to_its_only_variant():
    stream, pictures = "#EXT-X-STREAM-INF:BANDWIDTH=1", '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="p.m3u8"'
    body = playlist(stream, "media.m3u8?session=a", pictures)
    assert only_variant(body, URL) == "http://127.1.2.1:8080/programs/film/media.m3u8?session=a"
    assert only_variant(playlist("#EXTINF:2,", "0.ts"), URL) is None
    with pytest.raises(BadPlaylist, match="2 variants"):
        only_variant(playlist(stream, "low.m3u8", stream, "high.m3u8"), URL)
    with pytest.raises(BadPlaylist, match="1 variants"):
        only_variant(playlist(stream), URL)
    with pytest.raises(BadUrl):
        only_variant(playlist(stream, "file:///etc/passwd"), URL)


def test_not_encrypted_is_said_too():
    assert len(parse_playlist(playlist("#EXT-X-KEY:METHOD=NONE", "0.ts"), URL)) == 1


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/0.ts", "file:///etc/passwd", "http://", "http://[::1]:80/0.ts", "http://[::1", "http://a:b/",
     "http://a:99999/", "http://a:0/", "http://127.0.0.1/a b", "http://127.0.0.1/\x00", "http://a/" + "x" * 5000, ""],
)  # fmt: skip
def test_what_is_not_fetched(url):
    with pytest.raises(BadUrl) as caught:
        split_url(url)
    assert len(str(caught.value)) < 400


def test_where_to_connect_to():
    assert split_url(URL) == (Address("127.1.2.1", 8080), "/programs/film/playlist.m3u8?ticket=s.1")
    assert split_url("http://localhost") == (Address("localhost", 80), "/")
    assert join(URL, "//127.9.9.9/x") == "http://127.9.9.9/x"


@given(st.binary(max_size=80) | st.lists(st.text(max_size=30), max_size=5).map(lambda lines: playlist(*lines)))
def test_hostile_playlists_are_urls_or_an_error(body):
    try:
        urls = parse_playlist(body, URL)
    except ConsoleError:
        return
    assert all(split_url(url) for url in urls)
