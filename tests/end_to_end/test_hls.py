"""HLS as others see it: judged by their parsers, played by their players, kept by their caches."""

import json
import re
import subprocess
import urllib.request
from urllib.parse import urljoin

import m3u8
import pytest

from tests.addresses import network_number
from tests.conftest import NODE_MODULES
from tests.end_to_end.viewing import sha256
from tests.patience import PATIENCE_S

NETWORK = network_number()
JUDGE = """
const hls = require(process.argv[1]);
hls.setOptions({ strictMode: true });
let text = "";
process.stdin.on("data", (more) => { text += more; });
process.stdin.on("end", () => {
  const found = hls.parse(text);
  console.log(JSON.stringify({
    master: found.isMasterPlaylist, version: found.version, variants: found.variants, segments: found.segments?.length,
    pictures: found.isIFrame, independent: found.independentSegments, end: found.endlist, target: found.targetDuration,
    again: hls.stringify(found).length > 0,
  }));
});
"""


def get(url):
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return answer.read()


@pytest.fixture(scope="module")
def playlists(station, program):
    """The three of the program, by what they are: address and text."""
    url = station.playlist("north", program["program"])
    found = {"multivariant": (url, get(url).decode())}
    first = m3u8.loads(found["multivariant"][1])
    for kind, uri in (("media", first.playlists[0].uri), ("pictures", first.iframe_playlists[0].uri)):
        found[kind] = (urljoin(url, uri), get(urljoin(url, uri)).decode())
    return found


def judged(text):
    """What a strict parser, which somebody else wrote, says of a playlist; it refuses one that breaks RFC 8216."""
    done = subprocess.run(
        ["node", "-e", JUDGE, NODE_MODULES / "hls-parser"],
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.peer("node hls-parser")
def test_a_strict_parser_of_somebody_elses_takes_all_three(playlists, program):
    found = {kind: judged(text) for kind, (_, text) in playlists.items()}
    assert [found[kind]["master"] for kind in found] == [True, False, False]
    played, pictures = found["multivariant"]["variants"]
    assert re.fullmatch(r"avc1\.42c0[0-9a-f]{2},mp4a\.40\.2", played["codecs"])
    assert played["resolution"] == {"width": 320, "height": 180}
    assert played["frameRate"] == 25
    assert played["bandwidth"] >= played["averageBandwidth"] > 0
    assert pictures["isIFrameOnly"]
    assert 0 < pictures["bandwidth"] < played["bandwidth"] * 2
    assert found["media"]["segments"] == program["segments"]
    assert found["pictures"]["segments"] >= program["segments"]
    assert found["pictures"]["pictures"]
    assert all(found[kind]["independent"] for kind in ("multivariant", "media"))
    assert all(found[kind]["end"] for kind in ("media", "pictures"))


@pytest.mark.peer("node hls-parser")
@pytest.mark.parametrize(
    ("kind", "break_it"),
    [
        ("multivariant", lambda text: text.replace("BANDWIDTH=", "RATE=")),
        ("media", lambda text: text.replace("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:0")),
        ("media", lambda text: text.replace("#EXT-X-VERSION:3", "#EXT-X-VERSION:2")),
        ("pictures", lambda text: text.replace("#EXT-X-VERSION:5", "#EXT-X-VERSION:3")),
        ("pictures", lambda text: text.replace("@", "!", 3)),
    ],
)
def test_the_judge_refuses_what_is_broken(playlists, kind, break_it):
    broken = break_it(playlists[kind][1])
    assert broken != playlists[kind][1]
    with pytest.raises(AssertionError):
        judged(broken)


@pytest.mark.peer("ffmpeg", "ffprobe")
def test_ffprobe_finds_what_the_multivariant_playlist_says(playlists):
    url, text = playlists["multivariant"]
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", url],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    video, audio = json.loads(probed.stdout)["streams"]
    said = m3u8.loads(text).playlists[0].stream_info
    assert said.resolution == (video["width"], video["height"])
    assert f"{said.frame_rate:.0f}/1" == video["r_frame_rate"]
    profiles = {"Constrained Baseline": "42c0", "Main": "4d40", "High": "6400"}
    assert said.codecs == f"avc1.{profiles[video['profile']]}{video['level']:02x},mp4a.40.2"
    assert (audio["codec_name"], audio["profile"]) == ("aac", "LC")


@pytest.mark.peer("ffmpeg")
def test_ffmpeg_plays_the_key_pictures_alone(playlists):
    url, text = playlists["pictures"]
    decoded = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", url, "-map", "0:v", "-f", "framemd5", "-"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    frames = [line for line in decoded.stdout.splitlines() if not line.startswith("#")]
    assert len(frames) == len(m3u8.loads(text).segments)
    assert len({line.rpartition(",")[2] for line in frames}) == len(frames), "each another picture"


@pytest.mark.peer("mpv")
def test_mpv_plays_every_frame_and_seeks(playlists, tmp_path):
    """It writes the digest of each picture that it would show."""

    def shown(*options):
        output = tmp_path / "frames"
        command = ["mpv", "--no-config", "--no-audio", "--really-quiet", f"--o={output}", "--of=framemd5"]
        subprocess.run(
            [*command, "--ovc=rawvideo", *options, playlists["multivariant"][0]], timeout=PATIENCE_S, check=True
        )
        return [line.rpartition(",")[2] for line in output.read_text().splitlines() if not line.startswith("#")]

    whole = shown()
    assert len(whole) == 12 * 25
    sought = shown("--start=8")
    assert sought == whole[-len(sought) :]
    assert 3.5 * 25 <= len(sought) <= 4.5 * 25


def test_media_console_follows_the_one_address(station, program, tmp_path):
    output = tmp_path / "film.ts"
    url = station.playlist("north", program["program"])
    station.run("media-console", "play", url, "--output", output)
    assert sha256(output) == program["sha256"]
