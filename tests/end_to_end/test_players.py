"""Players that nobody here wrote play a program from a running station, both ways."""

import hashlib
import signal
import socket
import subprocess
import time
from collections import Counter

import pytest

NETWORK = 21


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def received(station, program, by, path, *options):
    document = station.json(
        "media-console", "play", program["program"], "--station", "north", "--by", by, "--output", path, *options
    )
    assert sha256(path) == document["sha256"]
    return document


def test_media_console_by_hls_receives_the_programs_bytes_each_segment_from_its_engine(station, program, tmp_path):
    document = received(station, program, "hls", tmp_path / "film.ts")
    assert document["sha256"] == program["sha256"]
    engines = {row["http"] for row in station.engines("north")}
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
    player = subprocess.Popen(
        [
            *("gst-launch-1.0", "-q", "-e", "udpsrc", "address=127.0.0.1", f"port={port}", "buffer-size=4194304"),
            *("!", "filesink", "buffer-mode=unbuffered", f"location={output}"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_bound(port)
        station.run(
            *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
            *("--to", f"127.0.0.1:{port}"),
        )
        wait_until_length(output, program["bytes"])
    finally:
        player.send_signal(signal.SIGINT)
        player.wait(timeout=20)
    assert sha256(output) == program["sha256"]


def wait_until_bound(port, timeout_s=20):
    """Until somebody holds the UDP port."""
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at:
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return
        time.sleep(0.05)
    pytest.fail(f"nobody bound UDP port {port}")


def wait_until_length(path, length_bytes, timeout_s=10):
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at and path.stat().st_size < length_bytes:
        time.sleep(0.05)


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
