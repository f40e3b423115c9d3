"""Players that nobody here wrote play a program from a running station, both ways."""

import subprocess
from collections import Counter

import pytest

from tests.addresses import network_number
from tests.end_to_end.viewing import gstreamer, sha256, wait_until_length

NETWORK = network_number()


def received(station, program, by, path, *options):
    document = station.json(
        "media-console", "play", program["program"], "--station", "north", "--by", by, "--output", path, *options
    )
    assert sha256(path) == document["sha256"]
    return document


def test_media_console_by_hls_receives_the_programs_bytes_each_segment_from_its_engine(station, program, tmp_path):
    document = received(station, program, "hls", tmp_path / "film.ts")
    assert document["sha256"] == program["sha256"]
    engines = {row["media"] for row in station.engines("north")}
    assert {segment["engine"] for segment in document["segments"]} <= engines
    assert [segment["number"] for segment in document["segments"]] == list(range(program["segments"]))


def test_media_console_by_push_is_handed_over_from_engine_to_engine(station, program, tmp_path):
    document = received(station, program, "push", tmp_path / "film.ts")
    assert document["sha256"] == program["sha256"]
    assert document["hand_overs"] >= 5
    sources = Counter(segment["engine"].partition(":")[0] for segment in document["segments"])
    assert set(sources) == {row["address"] for row in station.engines("north")}


@pytest.mark.peer("ffmpeg", "ffprobe")
def test_ffmpeg_decodes_every_frame_of_the_playlist(station, program, tmp_path):
    url = station.playlist("north", program["program"])
    decoded = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", url, "-map", "0:v", "-f", "framemd5", "-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # ffmpeg tells, as an error, that a redirect leads to another engine than its connection; it then opens one.
    complaints = [line for line in decoded.stderr.splitlines() if "Cannot reuse HTTP connection" not in line]
    assert not complaints
    frames = [line for line in decoded.stdout.splitlines() if not line.startswith("#")]
    assert len(frames) == 12 * 25


@pytest.mark.peer("gst-launch-1.0")
def test_gstreamer_receives_the_programs_bytes_by_hls(station, program, tmp_path):
    output = tmp_path / "film.ts"
    url = station.playlist("north", program["program"])
    subprocess.run(
        [
            "gst-launch-1.0",
            "-q",
            "souphttpsrc",
            f"location={url}",
            "!",
            "hlsdemux",
            "!",
            "filesink",
            f"location={output}",
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert sha256(output) == program["sha256"]


@pytest.mark.peer("gst-launch-1.0")
def test_gstreamer_receives_the_programs_bytes_by_push(station, program, tmp_path, free_port):
    output, port = tmp_path / "film.ts", free_port()
    with gstreamer(output, port):
        station.run(
            *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
            *("--to", f"127.0.0.1:{port}"),
        )
        wait_until_length(output, program["bytes"])
    assert sha256(output) == program["sha256"]


@pytest.mark.peer("ipmitool")
def test_ipmitool_reads_every_blade_at_its_service_port_while_the_backplane_is_in_use(station):
    for row in station.ps():
        if row["slot"] is None:
            continue
        answer = subprocess.run(
            ["ipmitool", "-I", "serial-basic", "-D", f"{row['serial']}:115200", "mc", "info"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        assert "IPMI Version              : 2.0" in answer
        assert "Device Available          : yes" in answer


@pytest.mark.peer("ipmitool")
def test_ipmitool_reaches_every_blade_through_its_chassis_manager(station):
    user = station.json("chassis-emulator", "credentials")["ipmi"]
    for manager in (row for row in station.ps() if row["role"] == "chassis_manager"):
        host, _, port = manager["ipmi"].partition(":")
        session = ["ipmitool", "-I", "lanplus", "-C", "17", "-H", host, "-p", port]
        session += ["-U", user["user"], "-P", user["password"]]
        for blade in (row for row in station.ps() if row["station"] == manager["station"] and row["slot"]):
            answer = subprocess.run(
                [*session, "-t", hex(0x80 + 2 * blade["slot"]), "mc", "info"],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            ).stdout
            assert "IPMI Version              : 2.0" in answer
