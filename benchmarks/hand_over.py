"""The gap that a console sees when one engine hands its stream over to the next, on a real station.

Gaps are measured by the kernel's time of arrival, between the last datagram from one engine and the first from the
next; beside them stands the widest gap inside a turn, which comes of pacing alone.
"""

import socket
import struct
import tempfile
import threading
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.figure import Figure, show
from benchmarks.network import CLIP, Network, laptop

TOPOLOGY = """\
network: 254
name: hand-over
center: {name: main, home: home}
stations:
  - {name: home, slots: 2}
  - {name: north, slots: 4}
"""
CONSOLES = 4
SEGMENT_MS = 800
_LONGEST_DATAGRAM_BYTES = 65_536
_BUFFER_BYTES = 8 * 1024 * 1024
_SO_TIMESTAMPNS = 35
"""Linux, include/uapi/asm-generic/socket.h."""


class Arrival(NamedTuple):
    """A datagram, as the kernel took it in."""

    at_s: float
    source: str
    length_bytes: int


class Gaps(NamedTuple):
    """What one console saw, in milliseconds."""

    between_engines: list[float]
    inside_turns: list[float]


def main() -> None:
    """Play to a few consoles at once and print."""
    with laptop() as network, tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "topology.yaml"
        plan.write_text(TOPOLOGY)
        network.run("chassis-emulator", "up", plan)
        program = network.json("distribution-center", "ingest", CLIP, "--segment-ms", SEGMENT_MS)
        network.run("distribution-center", "distribute", program["program"], "north", "--copies", 1)
        network.run("distribution-center", "publish", program["program"])
        seen = play(network, program["program"], program["bytes"])
    gaps = [gap for console in seen for gap in console.between_engines]
    pacing = max(gap for console in seen for gap in console.inside_turns)
    name = "widest gap inside a turn"
    show(
        Figure(
            figure="gap at a hand-over, median",
            value=median(gaps),
            unit="ms",
            peer=pacing,
            peer_name=name,
            runs=len(gaps),
        ),
        Figure(
            figure="gap at a hand-over, worst", value=max(gaps), unit="ms", peer=pacing, peer_name=name, runs=len(gaps)
        ),
    )


def play(network: Network, program: str, length_bytes: int) -> list[Gaps]:
    """Play to all consoles at the same time, each with sockets of its own."""
    consoles = [Console(length_bytes) for _ in range(CONSOLES)]
    players = [
        network.start(
            *("media-console", "play", program, "--station", "north", "--by", "push"),
            *("--to", f"127.0.0.1:{console.port}"),
        )
        for console in consoles
    ]
    for player, console in zip(players, consoles, strict=True):
        if player.wait(timeout=60):
            raise OSError("a console's stream did not come to its end")
        console.join()
    return [console.gaps() for console in consoles]


class Console(threading.Thread):
    """Takes a stream in, and when each datagram came."""

    def __init__(self, length_bytes: int) -> None:
        super().__init__(daemon=True)
        self._length_bytes = length_bytes
        self.arrivals: list[Arrival] = []
        """All that have come."""
        self._ear = socket.socket(type=socket.SOCK_DGRAM)
        self._ear.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._ear.settimeout(30)
        self._ear.bind(("127.0.0.1", 0))
        self.port: int = self._ear.getsockname()[1]
        self.start()

    def run(self) -> None:
        """Until the whole program has come."""
        received_bytes = 0
        with self._ear:
            while received_bytes < self._length_bytes:
                data, ancillary, _, address = self._ear.recvmsg(_LONGEST_DATAGRAM_BYTES, 256)
                ((_, _, stamp),) = ancillary
                seconds, nanoseconds = struct.unpack("=qq", stamp)
                self.arrivals.append(Arrival(seconds + nanoseconds / 1e9, address[0], len(data)))
                received_bytes += len(data)

    def gaps(self) -> Gaps:
        """Between engines, and inside the turns of each."""
        gaps = Gaps([], [])
        for earlier, later in pairwise(self.arrivals):
            kind = gaps.inside_turns if earlier.source == later.source else gaps.between_engines
            kind.append((later.at_s - earlier.at_s) * 1000)
        return gaps


if __name__ == "__main__":
    main()
