"""Claim 25: a console requests a security token, and is redirected only when that fits the streaming request."""

import os
import signal
import subprocess

import pytest

from tests.claims.tokens import PASSWORD, attacks, ffmpeg, get
from tests.end_to_end.viewing import segments_of, sha256
from tests.patience import PATIENCE_S


def play(tokens, by, output):
    words = ("play", tokens.program, "--station", "north", "--by", by, "--output", output)
    return tokens.run("media-console", *words, check=False)


@pytest.fixture
def good(tokens):
    return tokens.token(name="viewer", password=tokens.password)


def test_what_is_no_good_token_is_refused_before_the_redirect(tokens, good):
    public = next(key for key in tokens.published() if key["alg"] == "Ed25519")
    assert tokens.playlist(good) == (200, None)
    for name, (token, status, reason) in attacks(good, public).items():
        assert tokens.playlist(token) == (status, reason), name
        assert tokens.play_message(token) == (status, reason), name


def test_a_token_is_for_its_program_its_station_and_its_time(tokens):
    said = {"password": PASSWORD}
    tokens.subscriber("other-film", "some-other-film")
    assert tokens.playlist(tokens.token(name="other-film", **said)) == (403, "wrong_program")
    tokens.subscriber("at-home", "*", stations=["home"])
    elsewhere = tokens.token(name="at-home", **said)
    assert tokens.playlist(elsewhere) == (403, "wrong_station")
    assert tokens.play_message(elsewhere) == (403, "wrong_station")
    assert tokens.playlist(elsewhere, "home") == (200, None)
    assert tokens.playlist(tokens.expired()) == (401, "expired")
    tokens.subscriber("nothing")
    assert tokens.token(name="nothing", **said) is None


def test_the_right_token_plays_by_hls_and_by_push_also_without_the_authentication_server(tokens, tmp_path):
    (tokens.state / "console.json").unlink(missing_ok=True)
    for by in ("hls", "push"):
        refused = play(tokens, by, tmp_path / "nothing.ts")
        assert refused.returncode == 1
        assert "asks for a token" in refused.stderr
        assert "media-console login" in refused.stderr
    tokens.log_in("viewer", tokens.viewers)
    tokens.kill_server()
    tokens.wait_until(lambda: tokens.server["pid"] is None, "the end of the authentication server")
    try:
        for by in ("hls", "push"):
            played = play(tokens, by, tmp_path / f"{by}.ts")
            assert played.returncode == 0, played.stderr
            assert sha256(tmp_path / f"{by}.ts") == tokens.sha256
        url = tokens.json("media-console", "url", tokens.program, "--station", "north")["url"]
        assert not ffmpeg(url, tmp_path / "ffmpeg.ts")
        assert (tmp_path / "ffmpeg.ts").stat().st_size > 100_000
    finally:
        tokens.up()


@pytest.mark.peer("gst-launch-1.0")
def test_the_right_token_plays_by_rtsp_and_no_other_does(tokens, good, tmp_path):
    (tokens.state / "console.json").unlink(missing_ok=True)
    bare = tokens.json("media-console", "url", tokens.program, "--station", "north", "--by", "rtsp")["url"]
    assert "Unauthorized" in gstreamer(bare, tmp_path / "nothing.ts")
    assert "Unauthorized" in gstreamer(f"{bare}?URISigningPackage={good[:-4]}aaaa", tmp_path / "nothing.ts")
    tokens.subscriber("not-this-one", "some-other-film")
    other = tokens.token(name="not-this-one", password=PASSWORD)
    assert "Forbidden" in gstreamer(f"{bare}?URISigningPackage={other}", tmp_path / "nothing.ts")
    tokens.log_in("viewer", tokens.viewers)
    url = tokens.json("media-console", "url", tokens.program, "--station", "north", "--by", "rtsp")["url"]
    # The director sends the player to an engine, with its token.
    assert gstreamer(url, tmp_path / "film.ts") == ""
    assert sha256(tmp_path / "film.ts") == tokens.sha256


def gstreamer(url, output):
    """What a player that nobody here wrote says of an address."""
    command = ["gst-launch-1.0", "-q", "rtspsrc", f"location={url}", "!", "rtpmp2tdepay", "!", "filesink"]
    finished = subprocess.run(
        [*command, f"location={output}"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return finished.stderr


def test_a_segment_is_given_for_the_ticket_of_its_playlist_only(tokens):
    base = tokens.playlist_url().rpartition("/")[0]
    assert get(f"{base}/0.ts?session={'a' * 24}") == (403, "bad_ticket")
    assert get(f"{base}/0.ts?session={'a' * 24}&ticket={'a' * 24}.{'0' * 32}") == (403, "bad_ticket")


def test_a_playlist_outlives_the_director_that_wrote_it(tokens, good):
    addresses, before = segments_of(f"{tokens.playlist_url()}?URISigningPackage={good}"), tokens.director("north")
    assert get(addresses[0]) == (200, None)
    os.kill(before["pid"], signal.SIGKILL)
    try:
        tokens.new_director(before)
        tokens.wait_until(lambda: get(addresses[1]) == (200, None), "a segment by the ticket of before")
    finally:
        tokens.up()
