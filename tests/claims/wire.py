"""What the parties said to each other, taken from the loopback device while they said it.

A capture holds the control plane (HTTP) and the streams (UDP) of one network in the order in which they were sent: the
one record of a conversation that none of its parties has written.
"""

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.request import urlopen

from media_network.packets import TS_PACKET_BYTES
from media_network.rtp import PAYLOAD_TYPE
from media_network.transport_stream import SYNC_BYTE
from tests.patience import wait_until

BUFFER_MIB = "256"
"""What a machine with little time is late with is kept meanwhile: a frame that is lost hides all that follows it in its
connection."""
FIELDS = (
    "frame.protocols",
    *("frame.number", "ip.src", "ip.dst", "http.request.method", "http.request.uri", "http.response.code"),
    *("http.request_in", "http.file_data", "udp.dstport", "udp.payload", "frame.time_epoch", "http.authorization"),
)


RTP_HEAD = bytes([0x80, PAYLOAD_TYPE])


@dataclass
class Message:
    """A request and, once it came, its answer; `number` and `answered` count in one order with all other frames."""

    number: int
    source: str
    destination: str
    path: str
    body: dict
    at: float
    """When, in seconds since 1970."""
    answered: int = 0
    status: int = 0
    answer: dict = field(default_factory=dict)
    authorization: str = ""
    secured: bool = False
    """Whether it came over TLS."""


@dataclass(frozen=True)
class Datagrams:
    """Media in one frame: a datagram, or several that were sent with one call."""

    number: int
    source: str
    port: int
    data: bytes
    at: float


class Capture:
    """What passed, readable when the capture has ended."""

    def __init__(self):
        self.messages = []
        self.datagrams = []
        self.rtp = []

    def said(self, path, **wanted):
        """The messages of a verb, in order; `source`, `destination` and fields of the body as wanted."""
        return [
            message
            for message in self.messages
            if message.path == path and all(_get(message, name) == value for name, value in wanted.items())
        ]

    def read(self, path, keys):
        """`keys`: where processes wrote those of their connections."""
        decrypted = ("-o", f"tls.keylog_file:{keys}", "-o", "http.tls.port:8081") if keys.exists() else ()
        lines = subprocess.run(
            [
                *("tshark", "-r", path, *decrypted, "-Y", "http or udp", "-T", "fields"),
                *(word for name in FIELDS for word in ("-e", name)),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=True,
        ).stdout.split("\n")
        asked = {}
        for line in filter(None, lines):
            frame = dict(zip(FIELDS, line.split("\t"), strict=True))
            number, source, at = int(frame["frame.number"]), frame["ip.src"], float(frame["frame.time_epoch"])
            if frame["http.request.uri"]:
                body = _document(frame["http.file_data"])
                path = frame["http.request.uri"].lstrip("/")
                asked[number] = Message(number, source, frame["ip.dst"], path, body, at)
                asked[number].authorization = frame["http.authorization"]
                asked[number].secured = "tls" in frame["frame.protocols"].split(":")
                self.messages.append(asked[number])
            elif frame["http.request_in"]:
                request = asked[int(frame["http.request_in"])]
                request.answered, request.status = number, int(frame["http.response.code"])
                request.answer = _document(frame["http.file_data"])
            elif frame["udp.payload"]:
                data = bytes.fromhex(frame["udp.payload"].replace(":", ""))
                if _is_media(data):
                    self.datagrams.append(Datagrams(number, source, int(frame["udp.dstport"]), data, at))
                elif data.startswith(RTP_HEAD):
                    self.rtp.append(Datagrams(number, source, int(frame["udp.dstport"]), data, at))


def _is_media(data):
    """Whole packets of a transport stream; traps come by UDP, too."""
    return len(data) % TS_PACKET_BYTES == 0 and data.startswith(bytes([SYNC_BYTE]))


def _get(message, name):
    return getattr(message, name) if name in ("source", "destination") else message.body.get(name)


def _document(text):
    """A JSON object; nothing for what is none. Newer versions of tshark give the octets in hexadecimal."""
    if text.startswith("7b"):
        text = bytes.fromhex(text).decode()
    return json.loads(text) if text.startswith("{") else {}


@contextmanager
def capture(network, folder):
    """Record a network of 127.<number>.0.0/16 while the context is open; the Capture is filled when it ends.

    Over TLS a connection is read whose handshake was seen: so all machines make new ones.
    """
    path, log = folder / "wire.pcapng", folder / "tshark.log"
    capture_filter = f"(udp or tcp port 8080 or tcp port 8081) and net 127.{network.number}.0.0/16"
    with log.open("w") as complaints:
        tshark = subprocess.Popen(
            ["tshark", "-q", "-B", BUFFER_MIB, "-i", "lo", "-f", capture_filter, "-w", path],
            stdout=complaints,
            stderr=complaints,
        )
    taken = Capture()
    try:
        wait_until(lambda: "Capture started" in log.read_text(), why=log.read_text, process=tshark)
        network.connect_anew()
        yield taken
        # What is in the file in the end, after this question has been seen, is all that came before it.
        last_word = "last-word-of-the-capture"
        with urlopen(f"http://127.{network.number}.0.1:8080/openapi.json?{last_word}", timeout=5):
            pass
        wait_until(lambda: last_word.encode() in path.read_bytes(), why=log.read_text, process=tshark)
    finally:
        tshark.terminate()
        tshark.wait(timeout=20)
    assert "dropped" not in log.read_text(), log.read_text()
    taken.read(path, network.keys)
