"""The gap that a viewer sees who pauses and goes on, seeks, or changes the speed, on a real station.

A gap is measured by the kernel's time of arrival: the widest one around an order, or, after a pause, from the order on.
Beside it stands the widest gap while nothing is ordered, which comes of pacing alone.
"""

import json
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.figure import Figure, show
from benchmarks.hand_over import SEGMENT_MS, TOPOLOGY, Arrival, Console
from benchmarks.network import CLIP, Network, laptop

TIMES = 25
"""Each order is given so often."""
_STREAMS_S = 0.4
_PAUSED_S = 0.2
_WATCHING_EVERY_S = 1.0
_PEER = "widest gap while nothing is ordered"


def main() -> None:
    """Play to a viewer who steers, and print."""
    with laptop() as network, tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "topology.yaml"
        plan.write_text(TOPOLOGY)
        network.run("chassis-emulator", "up", plan, "--network", "free")
        program = network.json("distribution-center", "ingest", CLIP, "--segment-ms", SEGMENT_MS)
        network.run("distribution-center", "distribute", program["program"], "north", "--copies", 3)
        network.run("distribution-center", "publish", program["program"])
        viewer = Viewer(network, program["program"])
        gaps = {
            "at a pause, from the order to go on": [viewer.pause() for _ in range(TIMES)],
            "at a seek": [viewer.order("seek", to_ms=0) for _ in range(TIMES)],
            "at a change of speed": [viewer.change_speed() for _ in range(TIMES)],
        }
        quiet = max(viewer.quiet)
        viewer.end()
    for what, measured in gaps.items():
        worst = Figure(figure=f"gap {what}, worst", value=max(measured), unit="ms", peer=quiet, peer_name=_PEER)
        show(
            Figure(figure=f"gap {what}, median", value=median(measured), unit="ms", peer=quiet, peer_name=_PEER),
            worst,
        )


class Viewer:
    """One who has a stream sent to himself, and steers it."""

    def __init__(self, network: Network, program: str) -> None:
        self._console = Console(1 << 60)
        self.quiet: list[float] = []
        """The widest gap of each time in which nothing was ordered."""
        rows = network.json("chassis-emulator", "ps")
        self._door = next(row["media"] for row in rows if (row["station"], row["role"]) == ("north", "director"))
        redirect = say(self._door, "director/play", program=program, console=f"127.0.0.1:{self._console.port}")
        self._ours = {"session": redirect["session"], "ticket": redirect["ticket"]}
        say(redirect["engine"], "engine/stream", turn=redirect["turn"], **self._ours)
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        time.sleep(_STREAMS_S)

    def order(self, what: str, **how: object) -> float:
        """Order something of a stream that goes on; returns the widest gap around it, in milliseconds."""
        ordered_at = time.time()
        say(self._door, f"director/{what}", **self._ours, **how)
        return self._settled(ordered_at)

    def pause(self) -> float:
        """Pause and go on; returns how long the first datagram took, in milliseconds."""
        say(self._door, "director/seek", to_ms=0, **self._ours)  # so that the end is far
        time.sleep(_STREAMS_S)
        say(self._door, "director/pause", **self._ours)
        time.sleep(_PAUSED_S)
        ordered_at = time.time()
        say(self._door, "director/resume", **self._ours)
        time.sleep(_STREAMS_S)
        return next(one.at_s - ordered_at for one in self._console.arrivals if one.at_s > ordered_at) * 1000

    def change_speed(self) -> float:
        """Go twice as fast from the beginning, and then back to it at the program's own speed."""
        gap = self.order("scale", scale=2)
        say(self._door, "director/seek", to_ms=0, **self._ours)
        time.sleep(_STREAMS_S)
        return gap

    def end(self) -> None:
        """Want no more."""
        self._over.set()
        self._watching.join()
        say(self._door, "director/end-stream", **self._ours)

    def _settled(self, ordered_at: float) -> float:
        """The widest gap that the order lies in or before; what comes after it counts as quiet."""
        answered_at = time.time()
        time.sleep(_STREAMS_S)
        arrivals = [one for one in self._console.arrivals if one.at_s > ordered_at - 0.1]
        around = [one for one in arrivals if one.at_s < answered_at + 0.2]
        self.quiet.append(widest([one for one in arrivals if one.at_s > answered_at + 0.2]))
        return widest(around)

    def _watch(self) -> None:
        while not self._over.wait(_WATCHING_EVERY_S):
            say(self._door, "director/watching", session=self._ours["session"])


def widest(arrivals: list[Arrival]) -> float:
    """The widest gap between two of them, in milliseconds."""
    return max(((later.at_s - earlier.at_s) * 1000 for earlier, later in pairwise(arrivals)), default=0.0)


def say(party: str, verb: str, **message: object) -> Any:
    """Say a message to `host:port` and return its answer."""
    request = Request(
        f"http://{party}/{verb}", data=json.dumps(message).encode(), headers={"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
