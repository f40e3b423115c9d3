"""Players that nobody here wrote play by RTSP: through hand-overs, and the loss of a sender and of the director."""

import json
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from media_network.rtp import parse_rtp
from tests.addresses import network_number
from tests.claims.conftest import sha256 as digest
from tests.clips import render
from tests.end_to_end.viewing import sessions, sha256
from tests.patience import PATIENCE_S, wait_until

NETWORK = network_number()
SECONDS, FRAMES_A_SECOND = 12, 25


@pytest.fixture(scope="module")
def program(station, film):
    """Twelve segments, each on one engine: all of them are handed over."""
    return station.publish(film, "north", segment_ms=1000, copies=1)


@pytest.fixture(scope="module")
def long_program(station, tmp_path_factory):
    """Forty segments, each on two engines."""
    film = render(tmp_path_factory.mktemp("long") / "long.mp4", 40, 160, 90)
    return station.publish(film, "north", segment_ms=1000, copies=2)


@pytest.fixture(autouse=True)
def whole_again(station):
    yield
    station.run("chassis-emulator", "fault", "clear", "all")
    station.up()


def address_of(station, program):
    return f"rtsp://{station.service('north').partition(':')[0]}:8554/programs/{program['program']}"


def director_of(station):
    return station.director("north")["control"]


def of(station, program):
    return [one for one in sessions(director_of(station)) if one["program"] == program["program"]]


def turns_of(station, program):
    return max((one["turns"] for one in of(station, program)), default=0)


def gstreamer(url, output, protocol):
    return [
        *("gst-launch-1.0", "-q", "rtspsrc", f"location={url}", f"protocols={protocol}"),
        *("!", "rtpmp2tdepay", "!", "filesink", "buffer-mode=unbuffered", f"location={output}"),
    ]


@pytest.mark.peer("gst-launch-1.0")
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_gstreamer_receives_the_program_byte_for_byte(station, program, tmp_path, protocol):
    output = tmp_path / "film.ts"
    finished = subprocess.run(
        gstreamer(address_of(station, program), output, protocol),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert sha256(output) == program["sha256"], (finished.stderr, station.logs())
    assert finished.returncode == 0, finished.stderr
    # Eleven times it went from engine to engine.
    assert turns_of(station, program) == program["segments"]


@pytest.mark.peer("ffmpeg")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ffmpeg_sees_every_frame(station, program, transport):
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", transport, "-i", address_of(station, program)),
        *("-map", "0:v", "-c", "copy", "-f", "framemd5", "-"),
    ]
    played = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    frames = [line for line in played.stdout.splitlines() if line and not line.startswith("#")]
    # The last one it may keep to itself: it waits for the next to be sure where that one ends.
    assert SECONDS * FRAMES_A_SECOND - len(frames) in (0, 1), (played.stderr, station.logs())
    assert [line for line in played.stderr.splitlines() if "missed" in line or "corrupt" in line] == []


class Mpv:
    """A player that is told what to do over its own socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.settimeout(PATIENCE_S)
        self._file = self._socket.makefile("rw")

    def do(self, *command):
        self._file.write(json.dumps({"command": command}) + "\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline())
            if "error" in answer:
                return answer.get("data")

    @property
    def position(self):
        return self.do("get_property", "time-pos") or 0.0

    def close(self):
        self._file.close()
        self._socket.close()


@contextmanager
def mpv(url, folder, *options):
    """mpv without a window or a sound."""
    path = folder / "mpv"
    command = ["mpv", "--no-config", "--vo=null", "--ao=null", "--msg-level=all=error", f"--input-ipc-server={path}"]
    with subprocess.Popen([*command, *options, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as player:
        try:
            wait_until(path.exists, process=player)
            remote = Mpv(path)
            wait_until(lambda: remote.position > 0.5, process=player)
            yield remote
            remote.close()
        finally:
            player.send_signal(signal.SIGTERM)


@pytest.mark.peer("mpv")
def test_mpv_seeks(station, long_program, tmp_path):
    """By PAUSE and PLAY with a Range. When it is told to pause it stops showing, and goes on receiving."""
    with mpv(address_of(station, long_program), tmp_path) as player:
        player.do("seek", 30, "absolute")
        wait_until(lambda: player.position, lambda position: 29 <= position <= 33)
        player.do("seek", 5, "absolute")
        wait_until(lambda: player.position, lambda position: 4 <= position <= 9)
        wait_until(lambda: player.position > 10)
    wait_until(lambda: all(one["state"] == "ended" for one in of(station, long_program)), why=station.logs)


@pytest.mark.peer("gst-launch-1.0")
@pytest.mark.parametrize("who", ["sender", "director"])
def test_a_player_survives_the_loss_of_the_sender_and_of_the_director(station, long_program, tmp_path, who):
    """Not of the blade that holds its connection: docs/protocols/rtsp.md."""
    output = tmp_path / "film.ts"
    command = gstreamer(address_of(station, long_program), output, "udp")
    before = {one["session"] for one in of(station, long_program)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as player:
        wait_until(lambda: output.exists() and output.stat().st_size > 0, process=player, why=station.logs)
        holder = held_by(player.pid)
        if who == "sender":
            lost = wait_until(
                lambda: sender_of(station, before), lambda name: name not in (None, holder_name(station, holder))
            )
        else:
            lost = station.director("north")["name"]
        station.run("chassis-emulator", "fault", "crash", lost)
        complaints = player.communicate(timeout=PATIENCE_S + 30)[1].decode()
    received = output.read_bytes()
    # What came is the program but for what was lost with the sender: less than half a second.
    lost_bytes = long_program["bytes"] - len(received)
    assert 0 <= lost_bytes < long_program["bytes"] / 40 / 2, (lost_bytes, complaints, station.logs())
    if who == "director":
        assert digest(received) == long_program["sha256"], (lost_bytes, station.logs())


@pytest.mark.peer("gst-launch-1.0")
def test_a_drain_waits_for_who_has_its_connection_here(station, program, tmp_path):
    """As long as the chassis manager lets it, ten seconds: the last half of the film."""
    output = tmp_path / "film.ts"
    command = gstreamer(address_of(station, program), output, "tcp")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as player:
        half = program["bytes"] // 2
        wait_until(lambda: output.exists() and output.stat().st_size > half, process=player, why=station.logs)
        holder = holder_name(station, held_by(player.pid))
        pulling = station.start("chassis-emulator", "pull", holder)
        try:
            complaints = player.communicate(timeout=PATIENCE_S)[1].decode()
            assert sha256(output) == program["sha256"], (complaints, station.logs())
            assert pulling.wait(timeout=PATIENCE_S) == 0
        finally:
            pulling.kill()
            pulling.communicate()
            station.run("chassis-emulator", "insert", holder, check=False)


def held_by(pid):
    """The host that the process of a player has its RTSP connection with."""
    rows = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    inodes = {match[1] for match in map(re.compile(r"socket:\[(\d+)\]").match, links(pid)) if match}
    for row in rows:
        fields = row.split()
        host, port = fields[2].split(":")
        if fields[9] in inodes and int(port, 16) == 8554 and fields[3] == "01":
            return ".".join(str(octet) for octet in bytes.fromhex(host)[::-1])
    return None


def links(pid):
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield str(path.readlink())
        except OSError:
            continue


def holder_name(station, host):
    return next((row["name"] for row in station.ps() if row.get("address") == host), None)


def sender_of(station, but):
    """The blade that sends the session that is not among these."""
    for one in sessions(director_of(station)):
        if one["session"] not in but and one["state"] == "streaming" and one["engine"]:
            return next(row["name"] for row in station.engines("north") if row["media"] == one["engine"])
    return None


class Line:
    """A connection that gets its stream between the messages, as a player that nobody has to trust."""

    def __init__(self, host):
        self._socket = socket.create_connection((host, 8554), timeout=PATIENCE_S)
        self._kept, self._number = b"", 0
        self.packets = []

    def close(self):
        self._socket.close()

    def ask(self, method, uri, **headers):
        """The answer; what comes before it of the stream is kept."""
        self._number += 1
        named = {"CSeq": self._number, **headers}
        lines = [f"{method} {uri} RTSP/1.0", *(f"{name}: {value}" for name, value in named.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        while not isinstance(answer := self._next(), str):
            self._take(answer)
        return answer

    def receive(self, holds):
        while not holds():
            self._take(self._next())

    def _take(self, frame):
        if frame[0] == 0:
            self.packets.append(parse_rtp(frame[1]))

    def _next(self):
        while True:
            if self._kept[:1] == b"$" and len(self._kept) >= 4:
                end = 4 + int.from_bytes(self._kept[2:4])
                if len(self._kept) >= end:
                    frame, self._kept = (self._kept[1], self._kept[4:end]), self._kept[end:]
                    return frame
            elif self._kept[:1] != b"$" and b"\r\n\r\n" in self._kept:
                head, _, self._kept = self._kept.partition(b"\r\n\r\n")
                return head.decode()
            data = self._socket.recv(65_536)
            assert data, "the connection was closed"
            self._kept += data


@pytest.fixture
def line(station, program):
    """A connection to an engine, over which a session has been set up; its address, and the session."""
    engine = station.engines("north")[0]["address"]
    url = f"rtsp://{engine}:8554/programs/{program['program']}"
    line = Line(engine)
    answer = line.ask("SETUP", f"{url}/stream", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
    yield line, url, re.search(r"Session: ([0-9a-f]+)", answer)[1]
    line.close()


def test_a_pause_loses_nothing_and_no_number_is_left_out(station, program, line):
    line, url, session = line
    line.ask("PLAY", url, Session=session)
    line.receive(lambda: len(line.packets) > 200)
    paused = line.ask("PAUSE", url, Session=session)
    at = float(re.search(r"Range: npt=([0-9.]+)-", paused)[1])
    assert at > 0.5
    assert "paused" in [one["state"] for one in of(station, program)]
    time.sleep(1.0)
    going = line.ask("PLAY", url, Session=session)
    assert float(re.search(r"Range: npt=([0-9.]+)-", going)[1]) == pytest.approx(at, abs=0.01)
    heard = len(line.packets)
    line.receive(lambda: sum(len(packet.payload) for packet in line.packets) >= program["bytes"])
    assert line.packets[heard].sequence == int(re.search(r"seq=(\d+)", going)[1])
    numbers = [packet.sequence for packet in line.packets]
    assert numbers == [(numbers[0] + count) % 2**16 for count in range(len(numbers))]
    assert digest(b"".join(packet.payload for packet in line.packets)) == program["sha256"]


def test_a_pause_outlives_the_director(station, program, line):
    """No engine knows of a stream that is paused: the blade that answers the player tells the next director."""
    line, url, session = line
    line.ask("PLAY", url, Session=session)
    line.receive(lambda: len(line.packets) > 100)
    line.ask("PAUSE", url, Session=session)
    director = station.director("north")
    station.run("chassis-emulator", "fault", "crash", director["name"])
    station.new_director(director)
    heard = len(line.packets)
    going = line.ask("PLAY", url, Session=session)
    assert going.startswith("RTSP/1.0 200"), going
    line.receive(lambda: sum(len(packet.payload) for packet in line.packets) >= program["bytes"])
    assert line.packets[heard].sequence == int(re.search(r"seq=(\d+)", going)[1])
    numbers = [packet.sequence for packet in line.packets]
    assert numbers == [(numbers[0] + count) % 2**16 for count in range(len(numbers))]
    assert digest(b"".join(packet.payload for packet in line.packets)) == program["sha256"]


def test_a_seek_and_another_speed_go_on_with_the_next_number(station, program, line):
    line, url, session = line
    line.ask("PLAY", url, Session=session)
    line.receive(lambda: len(line.packets) > 100)
    for headers, state in (({"Range": "npt=8-"}, "1.0"), ({"Scale": "3"}, "4.0"), ({"Scale": "-2"}, "-2.0")):
        answer = line.ask("PLAY", url, Session=session, **headers)
        assert f"Scale: {state}" in answer
        heard = len(line.packets)
        line.receive(lambda heard=heard: len(line.packets) > heard + 50)
        # What was under way of the run before comes first: RTP-Info says where the next one begins.
        first = int(re.search(r"seq=(\d+)", answer)[1])
        (begins,) = [packet for packet in line.packets[heard:] if packet.sequence == first]
        assert begins.timestamp == int(re.search(r"rtptime=(\d+)", answer)[1])
    numbers = [packet.sequence for packet in line.packets]
    assert numbers == [(numbers[0] + count) % 2**16 for count in range(len(numbers))]
    assert line.ask("TEARDOWN", url, Session=session).startswith("RTSP/1.0 200")
    wait_until(lambda: all(one["state"] == "ended" for one in of(station, program)), why=station.logs)


def test_a_player_that_has_gone_is_noticed_and_what_is_not_there_is_refused(station, program):
    host = station.service("north").partition(":")[0]
    with socket.create_connection((host, 8554), timeout=PATIENCE_S) as line:
        assert ask(line, "DESCRIBE", f"rtsp://{host}:8554/programs/none").startswith("RTSP/1.0 404")
        engine = re.search(r"rtsp://([0-9.]+):8554", ask(line, "DESCRIBE", address_of(station, program)))[1]
    with socket.create_connection((engine, 8554), timeout=PATIENCE_S) as line:
        url = f"rtsp://{engine}:8554/programs/{program['program']}"
        answer = ask(line, "SETUP", f"{url}/stream", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        session = re.search(r"Session: ([0-9a-f]+)", answer)[1]
        assert ask(line, "PLAY", url, Session=session, Range="npt=900-").startswith("RTSP/1.0 457")
        assert ask(line, "PLAY", url, Session=session, Scale="3").startswith("RTSP/1.0 200")
        wait_until(lambda: [one for one in of(station, program) if one["state"] == "streaming"], why=station.logs)
    wait_until(lambda: all(one["state"] == "ended" for one in of(station, program)), why=station.logs)


def ask(line, method, uri, **headers):
    lines = [f"{method} {uri} RTSP/1.0", "CSeq: 1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    line.sendall("\r\n".join(lines).encode())
    return line.recv(4096).decode(errors="replace")
