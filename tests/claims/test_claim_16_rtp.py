"""Claim 16, by RTP: a stream that is handed over from engine to engine is one RTP stream, from one address."""

import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

from media_network.rtp import RTP_DATAGRAM_BYTES, parse_rtp
from tests.claims.conftest import sha256
from tests.claims.wire import capture
from tests.patience import wait_until

RECEIVERS_SILENT_S = 25.0
CAPS = "application/x-rtp,media=video,clock-rate=90000,encoding-name=MP2T,payload=33"


@pytest.fixture(scope="module")
def program(network, film):
    """Eight segments, each of them on one engine of `north`: no segment has the engine of the one before it."""
    return network.publish(film(8), "north", segment_ms=1000, copies=1)


def free_pair():
    """An even port and the one after it, which nobody has (RFC 3550, 11)."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1] & ~1
            try:
                other.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port


@contextmanager
def receiver(output, port, service):
    """GStreamer that writes the transport stream that comes by RTP at a port, and reports to the station."""
    command = [
        *("gst-launch-1.0", "-q", "rtpbin", "name=bin", "latency=200"),
        *("udpsrc", "address=127.0.0.1", f"port={port}", f"caps={CAPS}", "buffer-size=4194304", "!"),
        *("bin.recv_rtp_sink_0", "bin.", "!", "rtpmp2tdepay", "!"),
        *("filesink", "buffer-mode=unbuffered", f"location={output}"),
        *("udpsrc", "address=127.0.0.1", f"port={port + 1}", "!", "bin.recv_rtcp_sink_0"),
        *("bin.send_rtcp_src_0", "!", "udpsink", f"host={service}", "port=5005", "sync=false", "async=false"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as player:
        try:
            time.sleep(1.0)
            yield player
        finally:
            player.terminate()


def play(network, program, port):
    """Ask for a program by RTP, and have its engine begin."""
    service = network.service("north")
    redirect = network.say(service, "director/play", program=program["program"], console=f"127.0.0.1:{port}", rtp=True)
    session = {name: redirect[name] for name in ("session", "turn", "ticket")}
    network.say(redirect["engine"], "engine/stream", **session)
    return redirect


def state_of(network, redirect):
    page = network.say(network.director("north")["control"], "director/sessions")
    return next((one["state"] for one in page["sessions"] if one["session"] == redirect["session"]), "forgotten")


@pytest.mark.peer("tshark", "gst-launch-1.0")
def test_the_numbers_go_on_over_all_hand_overs_and_the_bytes_are_the_programs(network, program, tmp_path):
    service, port, output = network.service("north").partition(":")[0], free_pair(), tmp_path / "film.ts"
    with capture(network, tmp_path) as wire, receiver(output, port, service):
        redirect = play(network, program, port)
        wait_until(lambda: state_of(network, redirect), lambda state: state != "streaming", why=network.logs)
        wait_until(lambda: output.stat().st_size, lambda size: size >= program["bytes"] - 2 * RTP_DATAGRAM_BYTES)
    mine = [frame for frame in wire.rtp if frame.port == port]
    packets = [
        parse_rtp(frame.data[at : at + RTP_DATAGRAM_BYTES])
        for frame in mine
        for at in range(0, len(frame.data), RTP_DATAGRAM_BYTES)
    ]
    # One source, by its address and by its SSRC; no number is left out, and none comes twice.
    assert {frame.source for frame in mine} == {service}
    assert {packet.ssrc for packet in packets} == {redirect["rtp"]["ssrc"]}
    first = redirect["rtp"]["sequence"]
    assert [packet.sequence for packet in packets] == [(first + at) % 2**16 for at in range(len(packets))]
    assert packets[0].timestamp == redirect["rtp"]["timestamp"]
    elapsed = (packets[-1].timestamp - packets[0].timestamp) % 2**32
    sent_before = sum(len(packet.payload) for packet in packets[:-1])
    assert elapsed == sent_before * 8 * 90_000 // redirect["program"]["rate_bps"]
    # What passed is the program, over at least five hand-overs.
    assert sha256(b"".join(packet.payload for packet in packets)) == program["sha256"]
    handed = wire.said("engine/start", session=redirect["session"])
    assert len(handed) == program["segments"] - 1 >= 5
    assert len({message.destination for message in handed}) == 3
    received = output.read_bytes()
    assert (
        sha256(received) == program["sha256"]
        or received == b"".join(packet.payload for packet in packets)[: len(received)]
    )


@pytest.mark.peer("gst-launch-1.0")
def test_a_receiver_that_reports_is_there_and_one_that_has_gone_is_noticed(network, film, tmp_path):
    program = network.publish(film(70), "north", segment_ms=4000, copies=2)
    service, port, output = network.service("north").partition(":")[0], free_pair(), tmp_path / "film.ts"
    with receiver(output, port, service):
        redirect = play(network, program, port)
        # Nothing else says that anybody is there.
        until = time.monotonic() + RECEIVERS_SILENT_S + 5
        while time.monotonic() < until:
            assert state_of(network, redirect) == "streaming"
            time.sleep(1.0)
    gone_at = time.monotonic()
    wait_until(lambda: state_of(network, redirect) == "ended", why=network.logs)
    assert time.monotonic() - gone_at < RECEIVERS_SILENT_S + 3
